import { diffLines, type LineKind } from '../lib/diff-lines.ts';

const TONES: Readonly<Record<LineKind, string>> = {
  written: 'bg-pass-tint text-pass',
  removed: 'bg-fail-tint text-fail',
  around: 'text-soft',
};

/**
 * A plan as a diff. What is written and what goes is said by the text itself, so colour adds nothing new. A long line goes on
 * below, further in: its end may be what matters.
 */
export function Diff({ text, label }: { text: string; label: string }) {
  return (
    <div
      tabIndex={0}
      role="group"
      aria-label={label}
      className="max-h-80 overflow-auto rounded-md border border-line bg-sunken py-1.5 font-mono text-xs leading-5 select-text"
    >
      {diffLines(text).map(({ line, kind }, index) => (
        <div key={index} className={`pr-3 pl-8 -indent-5 whitespace-pre-wrap wrap-anywhere ${TONES[kind]}`}>
          {line === '' ? ' ' : line}
        </div>
      ))}
    </div>
  );
}
