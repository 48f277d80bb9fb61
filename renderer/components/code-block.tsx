import { CopyButton } from './copy.tsx';

/** Commands to copy. Focusable, because it scrolls. */
export function CodeBlock({ label, text }: { label: string; text: string }) {
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken">
      <div className="flex items-center justify-between gap-3 border-b border-line py-1 pr-1 pl-3 text-xs text-soft">
        {label}
        <CopyButton text={text} />
      </div>
      <pre
        tabIndex={0}
        role="group"
        aria-label={label}
        className="overflow-x-auto px-3 py-2.5 font-mono text-xs leading-5 select-text"
      >
        {text}
      </pre>
    </div>
  );
}
