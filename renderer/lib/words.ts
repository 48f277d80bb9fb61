import type { FixBy } from '../../core/result.ts';
import type { Owner, Verdict } from '../../core/session/events.ts';
import type { SummaryWord } from '../../core/session/summary.ts';

/** Words on screen for the words in the contracts. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'Pass',
  fail: 'Fail',
  error: 'Error',
  'not-reviewed': 'Not reviewed',
  'not-applicable': 'Not applicable',
};

export const OWNER_WORDS: Readonly<Record<Owner, string>> = {
  manufacturer: 'Manufacturer',
  hospital: 'Hospital',
  shared: 'Shared',
};

export const FIX_WORDS: Readonly<Record<string, string>> = {
  operator: 'You can fix this',
  hospital: 'The hospital can fix this',
  manufacturer: 'The manufacturer can fix this',
  shared: 'Hospital and manufacturer fix this together',
  lockstep: 'This is a fault in Lockstep',
} satisfies Record<FixBy | 'shared', string>;

export const SUMMARY_WORDS: Readonly<Record<SummaryWord, { word: string; means: string }>> = {
  hardened: { word: 'Hardened', means: 'Everything that applies passes, or is waived, and is in date.' },
  open: { word: 'Open', means: 'At least one item fails. The bundle will say so.' },
  undecided: {
    word: 'Undecided',
    means: 'Something was not reviewed, could not be tested, or has expired. That is not a pass.',
  },
};

export const TARGET_WORDS = { site: 'Site', role: 'Role group', link: 'Link', device: 'Device' } as const;

/** The word to use when a party is named in a sentence or a heading. */
export const PARTY_WORDS: Readonly<Record<string, string>> = {
  operator: 'You',
  hospital: 'Hospital',
  manufacturer: 'Manufacturer',
  shared: 'Hospital and manufacturer',
  lockstep: 'Lockstep',
};
