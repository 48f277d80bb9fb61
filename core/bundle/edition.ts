import { z } from 'zod';
import { VERDICTS_FILE } from '../report/verdicts.ts';

/** Entry that makes a container an edition; nobody's signature covers it. */
export const EDITION_FILE = 'META-INF/edition.json';
const EDITION_FORMAT = 'lockstep-edition/1';

/** Why an entry is left out of the manufacturer's edition, in the order in which the rules are looked at. */
export const EDITION_RULES = [
  {
    id: 'journal',
    of: /^journal\.jsonl$/,
    why: 'names operators, addresses and accounts, and holds what people typed',
  },
  { id: 'site', of: /^site\.yaml$/, why: "describes the hospital's network: addresses, groups, accounts" },
  { id: 'facts', of: /^facts\//, why: 'what was seen of directory and devices: people, addresses' },
  { id: 'attachments', of: /^attachments\//, why: "files and photos of the hospital's" },
  { id: 'reports', of: /^(?:report\.html$|reports\/)/, why: 'say again what journal and facts say' },
  { id: 'other', of: /^/, why: 'nothing says that it is free of people and addresses' },
] as const;
export type EditionRule = (typeof EDITION_RULES)[number]['id'];

/** What stays: what the manufacturer wrote, the verdicts alone, and what proves that they were signed. */
const STAYS = new Set(['mimetype', 'README.txt', 'SHA256SUMS', 'guide/guide.yaml', 'guide/guide.asice', VERDICTS_FILE]);

/** The rule by which an entry is left out; undefined for what stays. */
export function editionRule(name: string): EditionRule | undefined {
  if (STAYS.has(name) || name.startsWith('META-INF/')) return undefined;
  return EDITION_RULES.find((rule) => rule.of.test(name))?.id;
}

export const editionSchema = z.strictObject({
  format: z.literal(EDITION_FORMAT),
  for: z.literal('manufacturer'),
  /** As whoever made it says; nothing shows it. */
  at: z.iso.datetime(),
  leftOut: z.array(
    z.strictObject({
      name: z.string().max(200),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      rule: z.enum(EDITION_RULES.map((rule) => rule.id)),
    }),
  ),
});
export type Edition = z.output<typeof editionSchema>;

/**
 * The note of an edition, in the one form that it has: what the rules leave out of these entries.
 * @param entries all that SHA256SUMS lists, in its order
 */
export function makeEditionNote(entries: readonly { name: string; sha256: string }[], at: string): Edition {
  const leftOut = entries.flatMap(({ name, sha256 }) => {
    const rule = editionRule(name);
    return rule === undefined ? [] : [{ name, sha256, rule }];
  });
  return { format: EDITION_FORMAT, for: 'manufacturer', at, leftOut };
}

export function renderEdition({ format, for: reader, at, leftOut }: Edition): string {
  const parts = leftOut.map(({ name, sha256, rule }) => ({ name, sha256, rule }));
  return `${JSON.stringify({ format, for: reader, at, leftOut: parts }, null, 2)}\n`;
}

/** Reads the note; undefined where it is not in the one form. */
export function parseEdition(text: string): Edition | undefined {
  try {
    const edition = editionSchema.parse(JSON.parse(text));
    return renderEdition(edition) === text ? edition : undefined;
  } catch {
    // The caller says so with the place.
    return undefined;
  }
}
