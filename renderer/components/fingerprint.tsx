import { showFingerprint } from '../lib/format.ts';

/** A SHA-256, in groups, so that two people can compare it aloud. */
export function Fingerprint({ hex }: { hex: string }) {
  return <span className="font-mono text-xs leading-5 break-words select-text">{showFingerprint(hex)}</span>;
}
