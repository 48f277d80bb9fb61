import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metaName } from '../../../core/bundle/layout.ts';
import type { BundleFinding } from '../../../core/bundle/finding.ts';
import { verifyFile } from '../../../engine/evidence/container-reader.ts';
import { type Made, makeBundle, makeParties, NOW, type Parties, trustOf, value } from '../../support/evidence.ts';
import {
  bytes,
  flip,
  type Part,
  readParts,
  refit,
  removeTampered,
  text,
  writeBytes,
  writeParts,
} from '../../support/tamper.ts';

let parties: Parties;
let made: Made;
let other: Made;
let parts: Part[];
let otherParts: Part[];
const at = new Date(NOW.getTime() + 3_600_000);
const folders: string[] = [];

beforeAll(async () => {
  parties = await makeParties();
  made = await makeBundle(parties);
  other = await makeBundle(parties);
  folders.push(made.dir, other.dir);
  parts = await readParts(made.bundle);
  otherParts = await readParts(other.bundle);
});
afterAll(removeTampered);
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** Codes of what is bad, or the error's code when the container is refused. */
async function badIn(file: string): Promise<string[]> {
  const result = await verifyFile(file, { trust: trustOf(parties), at });
  if (!result.ok) return [result.error.code];
  return result.value.findings.filter((finding) => finding.severity === 'bad').map((finding) => finding.code);
}
const badInParts = async (changed: readonly Part[]) => badIn(await writeParts(changed));
const replaced = (name: string, content: Uint8Array): Part[] =>
  parts.map((part) => (part.name === name ? { name, content } : part));
const get = (name: string, from = parts): Uint8Array =>
  from.find((part) => part.name === name)?.content ?? new Uint8Array();

describe('a whole bundle', () => {
  it('is sound and complete, with both signers named', async () => {
    const result = value(await verifyFile(made.bundle, { trust: trustOf(parties), at }));
    expect(result.findings.filter((finding) => finding.severity !== 'info')).toEqual([]);
    expect(result).toMatchObject({ sound: true, summary: { kind: 'bundle', practice: true, provisional: false } });
    expect(result.summary.signers.map((signer) => [signer.role, signer.name, signer.sound, signer.trusted])).toEqual([
      ['engineer', 'Erika Engineer', true, true],
      ['hospital', 'Henry Hospital', true, true],
    ]);
    expect(result.summary.signers[1]?.statement).toMatchObject({ role: 'IT security', remark: 'Seen on site.' });
  });

  it('survives being taken apart and written again, so that every finding below is the tampering’s', async () => {
    expect(await badInParts(parts)).toEqual([]);
  });
});

describe('tampering with one part', () => {
  it.each([
    ['changed', (part: Part) => replaced(part.name, flip(part.content))],
    ['emptied', (part: Part) => replaced(part.name, new Uint8Array())],
    ['dropped', (part: Part) => parts.filter((each) => each !== part)],
    ['renamed', (part: Part) => parts.map((each) => (each === part ? { ...each, name: `${each.name}.bak` } : each))],
  ])('is found for every entry that is %s', async (what, change) => {
    for (const part of parts) expect(await badInParts(change(part)), `${what} ${part.name}`).not.toEqual([]);
  });

  it('is found for every two neighbours in another order', async () => {
    for (let index = 0; index + 1 < parts.length; index++) {
      const swapped = [...parts];
      [swapped[index], swapped[index + 1]] = [parts[index + 1] as Part, parts[index] as Part];
      const bad = await badInParts(swapped);
      expect(bad, `${parts[index]?.name} moved`).toContain(index === 0 ? 'container.mimetype' : 'container.order');
    }
  });

  it('is found for an entry too many, wherever it is put', async () => {
    for (const name of ['facts/3.json', 'attachments/evil.bin', 'reports/extra.csv', 'zzz.txt']) {
      const added = [...parts.slice(0, 2), { name, content: bytes('x') }, ...parts.slice(2)];
      expect(await badInParts(added), name).toEqual(expect.arrayContaining(['manifest.unlisted', 'sums.unlisted']));
    }
    for (const name of [
      'META-INF/manifest.xml',
      'META-INF/signature.p7s',
      'META-INF/statement001.json',
      metaName('signature', 3),
    ]) {
      expect(await badInParts([...parts, { name, content: bytes('x') }]), name).not.toEqual([]);
    }
  });

  it.each([metaName('signature', 1), metaName('signature', 2)])(
    'is found at bytes all over the head of %s',
    async (name) => {
      for (let index = 0; index < 200; index += 11) {
        const content = get(name).slice();
        content[index] = (content[index] ?? 0) ^ 0x20;
        expect(await badInParts(replaced(name, content)), `at ${index}`).not.toEqual([]);
      }
    },
  );
});

describe('a forger who fits the digests', () => {
  it('cannot change the payload', async () => {
    for (const part of parts.filter(
      (each) => !each.name.startsWith('META-INF/') && !['mimetype', 'SHA256SUMS'].includes(each.name),
    )) {
      const bad = await badInParts(refit(replaced(part.name, flip(part.content))));
      expect(bad, part.name).toContain('signature.broken');
    }
  });

  it('cannot change the statement', async () => {
    const name = metaName('statement', 2);
    const altered = text({ name, content: get(name) }).replace('Seen on site.', 'Accepted blindly.');
    expect(altered).toContain('blindly');
    expect(await badInParts(replaced(name, bytes(altered)))).toContain('manifest.digest');
    expect(await badInParts(refit(replaced(name, bytes(altered))))).toContain('signature.broken');
  });

  it('cannot swap signatures, nor take them from another bundle', async () => {
    const [one, two] = [metaName('signature', 1), metaName('signature', 2)];
    const swapped = parts.map((part) =>
      part.name === one
        ? { name: one, content: get(two) }
        : part.name === two
          ? { name: two, content: get(one) }
          : part,
    );
    expect(await badInParts(swapped)).toEqual(expect.arrayContaining(['signature.broken', 'manifest.digest']));
    for (const name of [one, two])
      expect(await badInParts(replaced(name, get(name, otherParts))), name).toContain('signature.broken');
    const wholeCountersignature = parts.map((part) =>
      part.name.includes('002') ? { ...part, content: get(part.name, otherParts) } : part,
    );
    expect(await badInParts(wholeCountersignature)).toContain('manifest.digest');
  });

  it('cannot swap the guide, signed or not, nor the site', async () => {
    expect(await badInParts(refit(replaced('guide/guide.yaml', bytes('guide: other\n'))))).toEqual(
      expect.arrayContaining(['guide.digest', 'guide.swapped', 'signature.broken']),
    );
    expect(await badInParts(refit(replaced('guide/guide.asice', get('guide/guide.asice', otherParts))))).toContain(
      'signature.broken',
    );
    expect(await badInParts(refit(parts.filter((part) => part.name !== 'guide/guide.asice')))).toContain(
      'guide.signature-missing',
    );
    expect(await badInParts(refit(replaced('site.yaml', bytes('site: other\n'))))).toContain('site.digest');
  });

  it('cannot cut, reorder or rewrite the journal', async () => {
    const lines = text({ name: '', content: get('journal.jsonl') })
      .split('\n')
      .slice(0, -1);
    const journals: Record<string, string[]> = {
      'a line dropped': lines.filter((_, index) => index !== 3),
      'a line altered': lines.map((line, index) => (index === 3 ? line.replace('"fail"', '"pass"') : line)),
      'two lines swapped': [...lines.slice(0, 3), lines[4] ?? '', lines[3] ?? '', ...lines.slice(5)],
      'a line twice': [...lines, lines.at(-1) ?? ''],
    };
    for (const [what, changed] of Object.entries(journals)) {
      const bad = await badInParts(refit(replaced('journal.jsonl', bytes(`${changed.join('\n')}\n`))));
      expect(bad, what).toContain('signature.broken');
      expect(
        bad.some((code) => code.startsWith('journal.')),
        what,
      ).toBe(true);
    }
    const torn = await badInParts(refit(replaced('journal.jsonl', get('journal.jsonl').slice(0, -10))));
    expect(torn).toEqual(expect.arrayContaining(['journal.torn', 'signature.broken']));
  });

  it('cannot remove the countersignature without the bundle becoming provisional', async () => {
    const stripped = await writeParts(parts.filter((part) => !part.name.includes('002')));
    const result = value(await verifyFile(stripped, { trust: trustOf(parties), at }));
    expect(result.summary.provisional).toBe(true);
    expect(result.findings.map((finding: BundleFinding) => finding.code)).toContain('provisional');
    expect(await badInParts(parts.filter((part) => part.name !== metaName('signature', 2)))).toContain(
      'container.missing',
    );
    expect(await badInParts(parts.filter((part) => !part.name.startsWith('META-INF/')))).toContain('signature.none');
    expect(await badInParts(parts.filter((part) => !part.name.includes('001')))).toEqual(
      expect.arrayContaining(['signature.number']),
    );
  });
});

describe('tricks with the container', () => {
  const refused = async (change: (content: Buffer) => Buffer) => badIn(await writeBytes(made.bundle, change));

  it('are refused: trailing bytes, a second directory, a comment, something before the first entry', async () => {
    expect(await refused((content) => Buffer.concat([content, Buffer.from('x')]))).toEqual(['bundle.malformed']);
    expect(await refused((content) => Buffer.concat([content, content]))).toEqual(['bundle.malformed']);
    expect(await refused((content) => Buffer.concat([content, content.subarray(-22)]))).toEqual(['bundle.malformed']);
    expect(await refused((content) => Buffer.concat([Buffer.from('MZ'), content]))).toEqual(['bundle.malformed']);
    expect(
      await refused((content) => {
        const copy = Buffer.concat([content, Buffer.from('hi')]);
        copy.writeUInt16LE(2, content.length - 2);
        return copy;
      }),
    ).toEqual(['bundle.malformed']);
  });

  it('are refused or found at whatever length the file is cut off', async () => {
    const { length } = await readFile(made.bundle);
    for (let end = 0; end < length; end += 97) {
      expect(await refused((content) => content.subarray(0, end)), `cut at ${end}`).toEqual(['bundle.malformed']);
    }
  });

  it('are found in any byte of the headers of an entry', async () => {
    // Only the time of an entry and the version of its writer carry no meaning.
    const meaningless = new Set([4, 5, 10, 11, 12, 13]);
    for (let index = 0; index < 30 + 'mimetype'.length; index++) {
      if (meaningless.has(index)) continue;
      const bad = await refused((content) => {
        const copy = Buffer.from(content);
        copy[index] = (copy[index] ?? 0) ^ 1;
        return copy;
      });
      expect(bad, `byte ${index}`).not.toEqual([]);
    }
  });
});
