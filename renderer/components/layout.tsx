import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** A scrolling page with a readable measure and a fixed footer for the next step. */
export function PageFrame({
  title,
  lead,
  children,
  footer,
  wide = false,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}) {
  const measure = wide ? 'max-w-[1180px]' : 'max-w-[1020px]';
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1} data-pane>
        <div className={`mx-auto px-8 pt-8 pb-10 ${measure}`}>
          <h1 className="text-2xl font-semibold tracking-tight text-balance">{title}</h1>
          {lead === undefined ? null : (
            <div className="mt-1.5 max-w-[68ch] text-base text-soft text-pretty">{lead}</div>
          )}
          <div className="mt-6">{children}</div>
        </div>
      </div>
      {footer === undefined ? null : (
        <div className="shrink-0 border-t border-line bg-surface">
          <div className={`mx-auto flex min-h-14 items-center gap-3 px-8 py-2.5 ${measure}`}>{footer}</div>
        </div>
      )}
    </div>
  );
}

/** A titled surface. */
export function Card({
  icon: Icon,
  title,
  aside,
  children,
  flush = false,
}: {
  icon?: LucideIcon;
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}) {
  return (
    <section className="rounded-lg border border-line bg-surface shadow-card">
      {title === undefined ? null : (
        <header className="flex min-h-11 items-center gap-3 border-b border-line px-4 py-2">
          <h2 className="flex min-w-0 flex-1 items-center gap-2 text-base font-semibold">
            {Icon === undefined ? null : <Icon aria-hidden className="size-4 shrink-0 text-faint" />}
            {title}
          </h2>
          {aside}
        </header>
      )}
      <div className={flush ? '' : 'p-4'}>{children}</div>
    </section>
  );
}

/** A small heading above a part of a page (level 2), of a card (level 3), or of what is inside a titled card (level 4). */
export function Eyebrow({ children, id, level = 3 }: { children: ReactNode; id?: string; level?: 2 | 3 | 4 }) {
  const Heading = `h${level}` as const;
  return (
    <Heading id={id} className="text-2xs font-semibold tracking-[0.06em] text-faint uppercase">
      {children}
    </Heading>
  );
}

/** What a place says while it has nothing. */
export function Empty({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1.5 rounded-lg border border-dashed border-edge/50 px-6 py-8 text-center">
      <Icon aria-hidden className="size-5 text-faint" />
      <p className="text-base font-medium">{title}</p>
      {children === undefined ? null : <div className="max-w-[46ch] text-sm text-soft text-pretty">{children}</div>}
    </div>
  );
}

/** Placeholder bars while something loads; says so to a screen reader. */
export function Loading({ what, rows = 2 }: { what: string; rows?: number }) {
  return (
    <div role="status" className="grid gap-2.5">
      <span className="sr-only">Loading {what}</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} aria-hidden className="h-16 rounded-lg border border-line bg-sunken" />
      ))}
    </div>
  );
}

/** Name and value pairs in two columns. */
export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(104px,max-content)_minmax(0,1fr)] gap-x-5 gap-y-1.5 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-faint">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
