import type { EndObservation, LinkEnd, LinkState } from '../links/link.ts';
import type { ReportItem } from './model.ts';

/** Of a control that judges a link: who proved what. */
export type LinkView = NonNullable<ReportItem['link']>;

export const LINK_WORDS: Readonly<Record<LinkState | 'undecided', string>> = {
  'encrypted-and-authenticated': 'Encrypted and authenticated',
  'encrypted-only': 'Encrypted only',
  clear: 'Clear text',
  undecided: 'Not decided',
};

const SIGNS = { observed: '✓', refuted: '✗', 'not-tested': '?' } as const;
const WORDS = { observed: 'seen', refuted: 'refuted', 'not-tested': 'not tested' } as const;

/** The three proofs, each at the end of the wire that has to insist on it. */
const PROOFS: readonly (readonly [LinkEnd, string, number])[] = [
  ['device', "The device insists on the server's certificate", 118],
  ['client', "The server insists on the device's certificate", 188],
  ['server', 'The server proves itself', 222],
];

/** Measures of the picture: two boxes, and the wire between them on which the proofs sit. */
export const LINK_PICTURE = {
  width: 340,
  height: 60,
  radius: 13,
  box: { width: 80, height: 40, y: 10 },
  boxes: [
    { x: 1, name: 'device' },
    { x: 259, name: 'server' },
  ],
  wire: 'M80 30H260',
} as const;

export type LinkProof = {
  readonly end: LinkEnd;
  readonly status: EndObservation['status'];
  /** What stands in the circle. */
  readonly mark: string;
  readonly sign: string;
  readonly word: string;
  readonly title: string;
  readonly sentence: string;
  /** Whether the guide asks for it. */
  readonly required: boolean;
  /** Middle of its circle. */
  readonly x: number;
};

/** What is drawn on a link's wire and listed below it, in the order of the numbers in the circles. */
export function linkProofs({ ends, requires }: LinkView): readonly LinkProof[] {
  return PROOFS.map(([end, title, x], index) => {
    const { status, sentence } = ends[end];
    const sign = SIGNS[status];
    const required = requires.includes(end);
    return { end, status, mark: `${index + 1}${sign}`, sign, word: WORDS[status], title, sentence, required, x };
  });
}

/** The state for which the wire is drawn. */
export function linkState({ state }: LinkView): LinkState | 'undecided' {
  return state ?? 'undecided';
}
