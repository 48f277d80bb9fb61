import { EDITION_FILE } from '../../core/bundle/edition.ts';
import { metaName } from '../../core/bundle/layout.ts';
import { VERDICTS_FILE } from '../../core/report/verdicts.ts';
import { bytes, flip, type Part, text } from './tamper.ts';

/** Ways to make of an edition another one, by what they try; each is to be found. */
export function editionTampering(edition: readonly Part[], whole: readonly Part[]): Record<string, Part[]> {
  const get = (name: string, from = edition) => from.find((part) => part.name === name)?.content ?? new Uint8Array();
  const put = (name: string, content: Uint8Array) =>
    edition.map((part) => (part.name === name ? { name, content } : { ...part }));
  const drop = (name: string) => edition.filter((part) => part.name !== name);
  const note = text({ name: '', content: get(EDITION_FILE) });
  const rewrite = (change: (note: { leftOut: { name: string; sha256: string; rule: string }[] }) => unknown) => {
    const parsed = JSON.parse(note) as Parameters<typeof change>[0];
    change(parsed);
    return put(EDITION_FILE, bytes(`${JSON.stringify(parsed, null, 2)}\n`));
  };
  const without = (name: string, rule: string) =>
    rewrite(({ leftOut }) => leftOut.push({ name, rule, sha256: '0'.repeat(64) })).filter((part) => part.name !== name);
  const digest = /"sha256": "([0-9a-f]{64})"/.exec(note)?.[1] ?? '';
  const journal = whole.find((part) => part.name === 'journal.jsonl') as Part;
  const at = edition.findIndex((part) => part.name === 'reports/verdicts.json');
  const verdicts = text({ name: '', content: get(VERDICTS_FILE) });
  return {
    'the note stripped': drop(EDITION_FILE),
    'the note garbled': put(EDITION_FILE, bytes(`${note} `)),
    'the guide left out, too': without('guide/guide.yaml', 'other'),
    'the sums left out, too': without('SHA256SUMS', 'other'),
    'the verdicts left out, too': without(VERDICTS_FILE, 'reports'),
    'the first manifest left out, too': without(metaName('manifest', 1), 'other'),
    'the first signature left out, too': without(metaName('signature', 1), 'other'),
    'the guide dropped': drop('guide/guide.yaml'),
    'the statement dropped': drop(metaName('statement', 2)),
    'a part left out that never was there': rewrite(({ leftOut }) =>
      leftOut.push({ name: 'facts/999.json', rule: 'facts', sha256: '0'.repeat(64) }),
    ),
    'a part not said to be left out': rewrite(({ leftOut }) => leftOut.splice(1, 1)),
    'a part left out twice': rewrite(({ leftOut }) => leftOut.push({ ...(leftOut[0] as (typeof leftOut)[number]) })),
    'a part left out by another rule': rewrite(({ leftOut }) => ((leftOut[0] ?? { rule: '' }).rule = 'other')),
    'another digest for what is left out': put(EDITION_FILE, bytes(note.replace(digest, '0'.repeat(64)))),
    'another digest, in the sums, too': put(EDITION_FILE, bytes(note.replace(digest, '0'.repeat(64)))).map((part) =>
      part.name === 'SHA256SUMS' ? { ...part, content: bytes(text(part).replace(digest, '0'.repeat(64))) } : part,
    ),
    'the journal put back beside the note': [...edition.slice(0, at), journal, ...edition.slice(at)].toSorted(
      (a, b) => order(a, edition, journal) - order(b, edition, journal),
    ),
    'the verdicts altered': put(VERDICTS_FILE, bytes(verdicts.replace('"verdict": "pass"', '"verdict": "fail"'))),
    'the guide altered': put('guide/guide.yaml', flip(get('guide/guide.yaml'))),
    'the statement altered': put(
      metaName('statement', 2),
      bytes(text({ name: '', content: get(metaName('statement', 2)) }).replace('Seen.', 'Fine.')),
    ),
    'signatures swapped': put(metaName('signature', 1), get(metaName('signature', 2))),
    'an entry added': [
      ...edition.slice(0, 3),
      { name: 'attachments/evil.bin', content: bytes('x') },
      ...edition.slice(3),
    ],
    'the note in another place': [edition.at(-1) as Part, ...edition.slice(0, -1)],
  };
}

/** Where the journal belongs, so that it is not the order that gives it away. */
function order(part: Part, edition: readonly Part[], journal: Part): number {
  if (part !== journal) return edition.indexOf(part);
  return edition.findIndex(({ name }) => name > 'journal.jsonl' && !/^(?:mimetype|META)/.test(name)) - 0.5;
}
