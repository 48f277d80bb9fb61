import type { EndObservation, LinkEnd, LinkState } from '../links/link.ts';
import type { ReportItem } from './model.ts';

/** Of a control that judges a link: who proved what. */
export type LinkView = NonNullable<ReportItem['link']>;

type Status = EndObservation['status'];

export const LINK_WORDS: Readonly<Record<LinkState | 'undecided', string>> = {
  'encrypted-and-authenticated': 'Encrypted and authenticated',
  'encrypted-only': 'Encrypted only',
  clear: 'Clear text',
  undecided: 'Not decided',
};

const MEANS: Readonly<Record<LinkState | 'undecided', string>> = {
  'encrypted-and-authenticated': 'Others cannot read along, and every proof that the guide asks for was seen.',
  'encrypted-only': 'Others cannot read along, but somebody could pose as one of its ends.',
  clear: 'What goes over it can be read, and changed, on the way.',
  undecided: 'Something that the guide asks for was not tested, so nothing is claimed.',
};

const SIGNS: Readonly<Record<Status, string>> = { observed: '✓', refuted: '✗', 'not-tested': '?' };

type Proof = { readonly at: 'device' | 'server'; readonly x: number } & Readonly<Record<Status, string>>;

/** The three proofs, each at the end of the wire that gives it or insists on it. */
const PROOFS: Readonly<Record<LinkEnd, Proof>> = {
  device: {
    at: 'device',
    x: 143,
    observed: 'It checks the server',
    refuted: 'It does not check the server',
    'not-tested': 'Not tested: whether it checks the server',
  },
  client: {
    at: 'server',
    x: 341,
    observed: 'It checks the device',
    refuted: 'It does not check the device',
    'not-tested': 'Not tested: whether it checks the device',
  },
  server: {
    at: 'server',
    x: 377,
    observed: 'It proves itself',
    refuted: 'It does not prove itself',
    'not-tested': 'Not tested: whether it proves itself',
  },
};
const ORDER: readonly LinkEnd[] = ['device', 'client', 'server'];

/** Measures of the picture: two boxes, and the wire between them on which the proofs sit, with a padlock in its middle. */
export const LINK_PICTURE = {
  width: 520,
  height: 56,
  radius: 14,
  middle: { x: 260, y: 28 },
  box: { width: 112, height: 44, y: 6 },
  boxes: [
    { x: 1, name: 'Device' },
    { x: 407, name: 'Server' },
  ],
  wire: 'M113 28H407',
} as const;

/** The padlock, drawn around the middle of the wire: shut, open, or a question. */
export const PADLOCK = {
  body: 'M-6.5 -1h13v8.5h-13z',
  shut: 'M-4 -1v-3a4 4 0 0 1 8 0v3',
  open: 'M-4 -1v-4a4 4 0 0 1 8 0',
} as const;

export type LinkProof = {
  readonly end: LinkEnd;
  /** The box it stands at. */
  readonly at: 'device' | 'server';
  readonly status: Status;
  /** What stands in the circle. */
  readonly mark: string;
  /** What was seen, or not tested, as a statement about the end. */
  readonly statement: string;
  /** How it was seen. */
  readonly sentence: string;
  /** Whether the guide asks for it. */
  readonly required: boolean;
  /** Middle of its circle. */
  readonly x: number;
};

/** What is drawn on a link's wire and listed below it, in the order of the numbers in the circles. */
export function linkProofs({ ends, requires }: LinkView): readonly LinkProof[] {
  return ORDER.map((end, index) => {
    const { status, sentence } = ends[end];
    const proof = PROOFS[end];
    return {
      end,
      at: proof.at,
      status,
      mark: `${index + 1}${SIGNS[status]}`,
      statement: proof[status],
      sentence: withoutLead(sentence),
      required: requires.includes(end),
      x: proof.x,
    };
  });
}

/** The state for which the wire is drawn. */
export function linkState({ state }: LinkView): LinkState | 'undecided' {
  return state ?? 'undecided';
}

/** What the state means for whoever relies on the link. In clear text, where that was seen: not all of it need be. */
export function linkMeans(link: LinkView): string {
  return link.state === 'clear' ? `${link.sentence} ${MEANS.clear}` : MEANS[linkState(link)];
}

/** The statement says already whether it was seen. */
function withoutLead(sentence: string): string {
  const rest = /^(?:Whether [^:]* was not seen|The server does not prove itself): (.+)$/su.exec(sentence)?.[1];
  if (rest === undefined) return sentence;
  // The id of a probe stays as it is.
  return /^[a-z]+\./.test(rest) ? rest : `${rest.slice(0, 1).toUpperCase()}${rest.slice(1)}`;
}
