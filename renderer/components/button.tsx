import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps } from 'react-aria-components';

type Kind = 'primary' | 'plain' | 'quiet' | 'danger';

const KINDS: Readonly<Record<Kind, string>> = {
  primary:
    'bg-accent text-on-accent hover:bg-accent-hover data-[pressed]:bg-accent-hover border-transparent shadow-card',
  plain: 'bg-surface text-ink border-edge/60 hover:bg-hover data-[pressed]:bg-hover shadow-card',
  quiet: 'bg-transparent text-soft border-transparent hover:bg-hover hover:text-ink',
  danger: 'bg-surface text-fail border-fail/50 hover:bg-fail-tint',
};

/** The only button of the wizard. One `primary` per view: it is the next step. */
export function Button({
  kind = 'plain',
  size = 'md',
  icon: Icon,
  busy = false,
  children,
  ...props
}: Omit<ButtonProps, 'children' | 'className'> & {
  kind?: Kind;
  size?: 'sm' | 'md';
  icon?: LucideIcon;
  busy?: boolean;
  children: ReactNode;
}) {
  const measure = size === 'sm' ? 'h-7 px-2.5 text-sm gap-1.5' : 'h-9 px-3.5 text-base gap-2';
  return (
    <AriaButton
      {...props}
      isDisabled={props.isDisabled === true || busy}
      className={`inline-flex shrink-0 items-center justify-center whitespace-nowrap rounded-md border font-medium transition-colors cursor-default data-[disabled]:opacity-45 ${measure} ${KINDS[kind]}`}
    >
      {busy ? (
        <Spinner />
      ) : Icon === undefined ? null : (
        <Icon aria-hidden className="size-4 shrink-0" strokeWidth={2} />
      )}
      {children}
    </AriaButton>
  );
}

/** A square button with an icon only; `label` is what it is called. */
export function IconButton({
  label,
  icon: Icon,
  ...props
}: Omit<ButtonProps, 'children' | 'className'> & { label: string; icon: LucideIcon }) {
  return (
    <AriaButton
      {...props}
      aria-label={label}
      className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft transition-colors hover:bg-hover hover:text-ink data-[disabled]:opacity-45"
    >
      <Icon aria-hidden className="size-4" strokeWidth={2} />
    </AriaButton>
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden
      className="size-3.5 shrink-0 animate-turn rounded-full border-2 border-current border-r-transparent"
    />
  );
}
