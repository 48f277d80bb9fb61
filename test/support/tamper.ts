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

/** A copy of the file with its bytes changed. */
export async function writeBytes(file: string, change: (content: Buffer) => Buffer): Promise<string> {
  const out = await newFile();
  await writeFile(out, change(await readFile(file)));
  return out;
}
