import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { Checkbox, type CheckboxProps } from 'react-aria-components';

/** A box to tick, with what it stands for beside it; alone, or in a group that holds its value. */
export function TickBox({ children, ...box }: Omit<CheckboxProps, 'children' | 'className'> & { children: ReactNode }) {
  return (
    <Checkbox
      {...box}
      className="flex items-start gap-2.5 rounded-sm text-sm data-[focus-visible]:outline-2 data-[focus-visible]:outline-offset-2 data-[focus-visible]:outline-accent"
    >
      {({ isSelected }) => (
        <>
          <span
            aria-hidden
            className={`mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-sm border ${isSelected ? 'border-accent bg-accent text-on-accent' : 'border-edge bg-surface'}`}
          >
            {isSelected ? <Check className="size-3" strokeWidth={3} /> : null}
          </span>
          {children}
        </>
      )}
    </Checkbox>
  );
}
