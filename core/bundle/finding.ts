/** One thing that verification found. Anything `bad` makes a bundle unsound. */
export type BundleFinding = {
  readonly severity: 'bad' | 'warn' | 'info';
  /** Dotted, stable: what a script may look for. */
  readonly code: string;
  /** A whole sentence for a person. */
  readonly sentence: string;
  /** Entry of the container, `journal.jsonl:<line>`, or a signer. */
  readonly place?: string;
};

export type Found = {
  readonly list: BundleFinding[];
  readonly bad: (code: string, sentence: string, place?: string) => void;
  readonly warn: (code: string, sentence: string, place?: string) => void;
  readonly info: (code: string, sentence: string, place?: string) => void;
};

/** Collects findings. */
export function collect(): Found {
  const list: BundleFinding[] = [];
  const add = (severity: BundleFinding['severity']) => (code: string, sentence: string, place?: string) => {
    list.push({ severity, code, sentence, ...(place === undefined ? {} : { place }) });
  };
  return { list, bad: add('bad'), warn: add('warn'), info: add('info') };
}

const ORDER = { bad: 0, warn: 1, info: 2 } as const;

/** Worst first; otherwise in the order in which they were found. */
export function worstFirst(findings: readonly BundleFinding[]): BundleFinding[] {
  return findings.toSorted((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
