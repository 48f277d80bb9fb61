import { CircleCheck, CircleHelp, CircleX, type LucideIcon, Minus } from 'lucide-react';
import type { ReactNode } from 'react';

type Tone = 'good' | 'bad' | 'open' | 'quiet';

/** How something that was seen is shown: never by colour alone. */
export const TONES: Readonly<Record<Tone, { icon: LucideIcon; text: string; tint: string }>> = {
  good: { icon: CircleCheck, text: 'text-pass', tint: 'bg-pass-tint' },
  bad: { icon: CircleX, text: 'text-fail', tint: 'bg-fail-tint' },
  open: { icon: CircleHelp, text: 'text-error', tint: 'bg-error-tint' },
  quiet: { icon: Minus, text: 'text-idle', tint: 'bg-idle-tint' },
};

/** One row of a summary, inside a `dl`. */
export function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="max-w-32 text-faint">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}

/** One thing that was seen, with its sign. */
export function Said({ tone, children }: { tone: Tone; children: ReactNode }) {
  const { icon: Icon, text } = TONES[tone];
  return (
    <p className="flex items-start gap-1.5">
      <Icon aria-hidden className={`mt-0.75 size-3.5 shrink-0 ${text}`} />
      <span className="min-w-0 break-words select-text">{children}</span>
    </p>
  );
}
