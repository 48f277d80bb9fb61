import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleX,
  Clock,
  type LucideIcon,
  ShieldAlert,
  TriangleAlert,
} from 'lucide-react';
import type { Verdict as VerdictWord } from '../../core/session/events.ts';
import { VERDICT_WORDS } from '../lib/words.ts';

const LOOKS: Readonly<Record<VerdictWord, { icon: LucideIcon; text: string; tint: string; bar: string }>> = {
  pass: { icon: CircleCheck, text: 'text-pass', tint: 'bg-pass-tint', bar: 'bg-pass' },
  fail: { icon: CircleX, text: 'text-fail', tint: 'bg-fail-tint', bar: 'bg-fail' },
  error: { icon: TriangleAlert, text: 'text-error', tint: 'bg-error-tint', bar: 'bg-error' },
  'not-reviewed': { icon: CircleDashed, text: 'text-idle', tint: 'bg-idle-tint', bar: 'bg-edge/50' },
  'not-applicable': { icon: Ban, text: 'text-idle', tint: 'bg-idle-tint', bar: 'bg-line' },
};

/** A verdict as icon and word: never colour alone. */
export function Verdict({ verdict, size = 'md' }: { verdict: VerdictWord; size?: 'sm' | 'md' }) {
  const { icon: Icon, text, tint } = LOOKS[verdict];
  const measure = size === 'sm' ? 'h-5 px-1.5 text-2xs gap-1' : 'h-6 px-2 text-xs gap-1.5';
  return (
    <span className={`inline-flex shrink-0 items-center rounded-full font-semibold ${measure} ${text} ${tint}`}>
      <Icon aria-hidden className={size === 'sm' ? 'size-3' : 'size-3.5'} strokeWidth={2.25} />
      {VERDICT_WORDS[verdict]}
    </span>
  );
}

/** The icon alone, with its word for whoever does not see it. Shapes differ, so it reads without colour. */
export function VerdictIcon({ verdict, small = false }: { verdict: VerdictWord; small?: boolean }) {
  const { icon: Icon, text } = LOOKS[verdict];
  return (
    <span className={`inline-flex shrink-0 ${text}`} title={VERDICT_WORDS[verdict]}>
      <Icon aria-hidden className={small ? 'size-3' : 'size-4'} strokeWidth={2.25} />
      <span className="sr-only">{VERDICT_WORDS[verdict]}</span>
    </span>
  );
}

/** Marks that stand beside a verdict and never replace it. */
export function Mark({ kind, children }: { kind: 'expired' | 'waiver'; children: string }) {
  const Icon = kind === 'expired' ? Clock : ShieldAlert;
  return (
    <span className="inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full border border-error/40 px-2 text-xs font-medium text-error">
      <Icon aria-hidden className="size-3.5" />
      {children}
    </span>
  );
}

const ORDER: readonly VerdictWord[] = ['pass', 'fail', 'error', 'not-reviewed', 'not-applicable'];

/** All verdicts of a walk as one bar, with the numbers below it. */
export function VerdictBar({
  counts,
  total,
  compact = false,
}: {
  counts: Readonly<Record<VerdictWord, number>>;
  total: number;
  compact?: boolean;
}) {
  return (
    <div className="grid gap-2">
      <div aria-hidden className="flex h-1.5 gap-px overflow-hidden rounded-full bg-line">
        {ORDER.map((verdict) =>
          counts[verdict] === 0 ? null : (
            <div
              key={verdict}
              className={LOOKS[verdict].bar}
              style={{ width: `${(counts[verdict] / Math.max(total, 1)) * 100}%` }}
            />
          ),
        )}
      </div>
      <ul className={`flex flex-wrap gap-x-3 gap-y-0.5 tabular-nums ${compact ? 'text-xs' : 'text-sm'}`}>
        {ORDER.filter((verdict) => !compact || counts[verdict] > 0).map((verdict) => (
          <li key={verdict} className="inline-flex items-center gap-1 text-soft">
            <VerdictIcon verdict={verdict} small />
            <span className="font-semibold text-ink">{counts[verdict]}</span>
            {compact ? null : <span aria-hidden>{VERDICT_WORDS[verdict].toLowerCase()}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
