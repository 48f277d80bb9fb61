/** A plan as a diff: lines that begin with + are written, with - removed. The sign is text, so colour adds nothing new. */
export function Diff({ text, label }: { text: string; label: string }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return (
    <div
      tabIndex={0}
      role="group"
      aria-label={label}
      className="max-h-80 overflow-auto rounded-md border border-line bg-sunken py-1.5 font-mono text-xs leading-5 select-text"
    >
      {lines.map((line, index) => (
        <div key={index} className={`px-3 whitespace-pre ${tone(line)}`}>
          {line === '' ? ' ' : line}
        </div>
      ))}
    </div>
  );
}

function tone(line: string): string {
  if (line.startsWith('+')) return 'bg-pass-tint text-pass';
  if (line.startsWith('-')) return 'bg-fail-tint text-fail';
  return 'text-soft';
}
