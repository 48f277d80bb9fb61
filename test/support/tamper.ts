import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metaName } from '../../core/bundle/layout.ts';
import { renderManifest, renderSums } from '../../core/bundle/manifest.ts';
import { withContainer } from '../../engine/evidence/container-reader.ts';
import { writeContainer } from '../../engine/evidence/container-writer.ts';
import { ok } from '../../core/result.ts';
import { sha256, value } from './evidence.ts';

export type Part = { name: string; content: Uint8Array };

/** All entries of a container, in its order. */
export async function readParts(file: string): Promise<Part[]> {
  return value(
    await withContainer(file, async (container) => {
      const parts: Part[] = [];
      for (const entry of container.entries)
        parts.push({ name: entry.name, content: value(await container.read(entry)) });
      return ok(parts);
    }),
  );
}

const folders: string[] = [];

async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-tampered-'));
  folders.push(folder);
  return join(folder, 'bundle.asice');
}

/** Removes all that `writeParts` and `writeBytes` wrote. */
export async function removeTampered(): Promise<void> {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
}

/** Writes a container of these entries, well-formed whatever they are. */
export async function writeParts(parts: readonly Part[]): Promise<string> {
  const file = await newFile();
  const handle = await open(file, 'w+');
  const writer = writeContainer(handle);
  for (const part of parts) await writer.add(part.name, part.content);
  await writer.finish();
  await handle.close();
  return file;
}

export const text = (part: Part | undefined): string => new TextDecoder().decode(part?.content);
export const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

/** One bit of an entry turned over, in its middle. */
export function flip(content: Uint8Array): Uint8Array {
  const copy = content.slice();
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** What a forger without keys can do: writes SHA256SUMS and both manifests anew to fit the altered payload. */
export function refit(parts: readonly Part[]): Part[] {
  const result = parts.map((part) => ({ ...part }));
  const digest = (name: string) => sha256(result.find((part) => part.name === name)?.content ?? '');
  const set = (name: string, content: string) => {
    const part = result.find((each) => each.name === name);
    if (part !== undefined) part.content = bytes(content);
  };
  const payload = result.map((part) => part.name).filter((name) => !name.startsWith('META-INF/'));
  set(
    'SHA256SUMS',
    renderSums(payload.filter((name) => name !== 'SHA256SUMS').map((name) => ({ name, sha256: digest(name) }))),
  );
  for (const number of [1, 2]) {
    const names = payload.filter((name) => name !== 'mimetype');
    if (number === 2) names.push(metaName('manifest', 1), metaName('signature', 1), metaName('statement', 2));
    set(
      metaName('manifest', number),
      renderManifest(
        number,
        names.map((name) => ({ name, sha256: digest(name) })),
      ),
    );
  }
  return result;
}

/**
 * Every way of a forger without keys, by name: drop, add, duplicate, reorder, rename, alter, swap, back-date. Each has to be found,
 * in a bundle with or without a time-stamp.
 */
export function tampering(parts: readonly Part[]): Record<string, Part[]> {
  const get = (name: string) => parts.find((part) => part.name === name)?.content ?? new Uint8Array();
  const put = (name: string, content: Uint8Array) =>
    parts.map((part) => (part.name === name ? { name, content } : part));
  const journal = text({ name: '', content: get('journal.jsonl') });
  const lines = journal.split('\n').slice(0, -1);
  const day = /"at":"(\d{4}-\d{2}-\d{2})T/.exec(journal)?.[1] ?? '';
  const dayBefore = new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
  const first = parts.find((part) => part.name.startsWith('facts/'))?.name ?? '';
  const [one, two] = [metaName('signature', 1), metaName('signature', 2)];
  return {
    'facts changed': put(first, flip(get(first))),
    'facts changed, digests fitted': refit(
      put(first, bytes(text({ name: '', content: get(first) }).replace('200', '500'))),
    ),
    'an entry dropped': parts.filter((part) => part.name !== first),
    'an entry added': [...parts.slice(0, 3), { name: 'attachments/evil.bin', content: bytes('x') }, ...parts.slice(3)],
    'an entry twice': parts.flatMap((part) => (part.name === first ? [part, part] : [part])),
    'an entry renamed': parts.map((part) => (part.name === first ? { ...part, name: `${first}.bak` } : part)),
    'entries in another order': [parts[0] as Part, parts[2] as Part, parts[1] as Part, ...parts.slice(3)],
    'a report altered': refit(put('reports/results.csv', bytes('all,pass\r\n'))),
    'the guide swapped': refit(put('guide/guide.yaml', bytes('guide: other\n'))),
    'the site swapped': refit(put('site.yaml', bytes('site: other\nname: Other\n'))),
    'a journal line dropped': refit(put('journal.jsonl', bytes(`${lines.toSpliced(3, 1).join('\n')}\n`))),
    'a journal line twice': refit(put('journal.jsonl', bytes(`${[...lines, lines.at(-1)].join('\n')}\n`))),
    'a verdict altered': refit(put('journal.jsonl', bytes(journal.replace('"verdict":"pass"', '"verdict":"fail"')))),
    'back-dated': refit(put('journal.jsonl', bytes(journal.replaceAll(`${day}T`, `${dayBefore}T`)))),
    'a journal torn': refit(put('journal.jsonl', get('journal.jsonl').slice(0, -10))),
    'the statement altered': refit(
      put(
        metaName('statement', 2),
        bytes(text({ name: '', content: get(metaName('statement', 2)) }).replace('Seen.', 'Fine.')),
      ),
    ),
    'signatures swapped': put(one, get(two)).map((part) =>
      part.name === two ? { name: two, content: get(one) } : part,
    ),
    'a signature over another manifest': put(metaName('manifest', 1), get(metaName('manifest', 2))),
    'the first signature stripped': parts.filter((part) => !part.name.includes('001')),
    'a manifest altered': put(
      metaName('manifest', 1),
      bytes(`${text({ name: '', content: get(metaName('manifest', 1)) })}\n`),
    ),
  };
}

/** A copy of the file with its bytes changed. */
export async function writeBytes(file: string, change: (content: Buffer) => Buffer): Promise<string> {
  const out = await newFile();
  await writeFile(out, change(await readFile(file)));
  return out;
}
