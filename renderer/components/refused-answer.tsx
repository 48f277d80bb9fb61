import type { AppError } from '../../core/result.ts';
import { ErrorNote } from './note.tsx';

const WORDS = [
  [/^REFUSED/, 'Refused:'],
  [/^good/, 'Good:'],
  [/^note/, 'Note:'],
] as const;

/** Why what an authority sent is not installed. Every check of it is in the cause, one a line. */
export function RefusedAnswer({ error }: { error: AppError }) {
  const { cause, ...rest } = error;
  const checks =
    error.code === 'change.refused'
      ? (cause ?? '').split('\n').filter((line) => WORDS.some(([word]) => word.test(line)))
      : [];
  if (checks.length === 0) return <ErrorNote error={error} />;
  return (
    <div className="grid grid-cols-1 gap-2">
      <ErrorNote error={rest} />
      <ul className="grid grid-cols-1 gap-1 text-sm" aria-label="What was checked">
        {checks.map((line) => (
          <li key={line} className={line.startsWith('REFUSED') ? 'text-fail' : 'text-soft'}>
            {WORDS.reduce((text, [word, said]) => text.replace(word, said), line)}
          </li>
        ))}
      </ul>
    </div>
  );
}
