import { CircleCheck, CircleX, Info, type LucideIcon, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { AppError } from '../../core/result.ts';
import { faultsOf } from '../lib/faults.ts';
import { count } from '../lib/format.ts';
import { FIX_WORDS } from '../lib/words.ts';
import { IconButton } from './button.tsx';

type Tone = 'info' | 'good' | 'warn' | 'bad';

const TONES: Readonly<Record<Tone, { icon: LucideIcon; frame: string; text: string }>> = {
  info: { icon: Info, frame: 'border-line bg-sunken', text: 'text-link' },
  good: { icon: CircleCheck, frame: 'border-pass/30 bg-pass-tint', text: 'text-pass' },
  warn: { icon: TriangleAlert, frame: 'border-error/30 bg-error-tint', text: 'text-error' },
  bad: { icon: CircleX, frame: 'border-fail/30 bg-fail-tint', text: 'text-fail' },
};

/** A message that stays on the page. */
export function Note({
  tone = 'info',
  title,
  children,
  aside,
}: {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  aside?: ReactNode;
}) {
  const { icon: Icon, frame, text } = TONES[tone];
  return (
    <div className={`flex items-start gap-2.5 rounded-md border px-3 py-2.5 text-sm ${frame}`}>
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${text}`} />
      <div className="min-w-0 flex-1 break-words">
        {title === undefined ? null : <p className="font-semibold">{title}</p>}
        {children}
      </div>
      {aside}
    </div>
  );
}

/** An error from main: what, where, why in the lower layer's words, and who can put it right. */
export function ErrorNote({ error, onDismiss }: { error: AppError; onDismiss?: () => void }) {
  const faults = faultsOf(error);
  return (
    <div role="alert">
      <Note
        tone="bad"
        title={error.message}
        aside={onDismiss === undefined ? undefined : <IconButton label="Dismiss" icon={X} onPress={onDismiss} />}
      >
        {faults.length > 0 ? <FaultList faults={faults} place={error.place} /> : <Details error={error} />}
        <p className="mt-1.5 text-soft">
          {FIX_WORDS[error.fixBy]} <span className="ml-1 font-mono text-2xs text-faint">{error.code}</span>
        </p>
      </Note>
    </div>
  );
}

function Details({ error }: { error: AppError }) {
  if (error.place === undefined && error.cause === undefined) return null;
  return (
    <dl className="mt-1 grid grid-cols-[max-content_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-soft">
      {error.place === undefined ? null : (
        <>
          <dt>Where</dt>
          <dd className="font-mono text-xs leading-5 break-all text-ink">{error.place}</dd>
        </>
      )}
      {error.cause === undefined ? null : (
        <>
          <dt>Cause</dt>
          <dd className="break-words text-ink">{error.cause}</dd>
        </>
      )}
    </dl>
  );
}

function FaultList({ faults, place }: { faults: ReturnType<typeof faultsOf>; place?: string }) {
  return (
    <div className="mt-2 overflow-hidden rounded-md border border-line bg-surface">
      <p className="border-b border-line px-3 py-1.5 text-xs text-soft">
        {count(faults.length, 'fault')}
        {place === undefined ? null : <span className="font-mono"> in {place}</span>}
      </p>
      <div className="max-h-72 overflow-y-auto" tabIndex={0} role="group" aria-label="Faults">
        <table className="w-full text-left text-sm">
          <thead className="sr-only">
            <tr>
              <th scope="col">Line and column</th>
              <th scope="col">Fault</th>
            </tr>
          </thead>
          <tbody>
            {faults.map((fault, index) => (
              <tr key={index} className="border-t border-line first:border-t-0">
                <td className="w-20 px-3 py-1.5 align-top font-mono text-xs leading-5 whitespace-nowrap tabular-nums text-soft">
                  {fault.line === undefined ? '' : `${fault.line}:${fault.column}`}
                </td>
                <td className="py-1.5 pr-3 align-top">
                  {fault.path === undefined ? null : (
                    <span className="mr-2 font-mono text-xs text-link">{fault.path}</span>
                  )}
                  {fault.text}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
