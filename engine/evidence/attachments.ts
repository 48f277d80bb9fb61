import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { moveOver, syncDirectory } from './file-system.ts';
import { writeError, writeFully } from './files.ts';

export type StoredAttachment = { readonly sha256: string; readonly file: string; readonly size: number };

/** One attachment must fit a container without 64-bit extensions, beside everything else. */
export const MAX_ATTACHMENT = 2 * 1024 ** 3;

/**
 * Copies a file or a stream into `dir`/attachments under the SHA-256 of its content, hashing it once on the way.
 * `name` gives the extension only. Synced before it resolves. Errors: `input.not-found`, `input.too-large`,
 * `journal.write`.
 */
export async function storeAttachment(
  dir: string,
  name: string,
  source: string | AsyncIterable<Uint8Array>,
): Promise<Result<StoredAttachment>> {
  const folder = join(dir, 'attachments');
  if (typeof source === 'string') {
    const info = await stat(source).catch(() => undefined);
    if (info === undefined || !info.isFile())
      return fail('input.not-found', `There is no file ${name}.`, { place: source });
  }
  const temporary = join(folder, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(temporary, 'wx', 0o600);
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of typeof source === 'string' ? partsOf(source) : source) {
        if (size + chunk.length > MAX_ATTACHMENT) {
          await rm(temporary, { force: true });
          return fail('input.too-large', `${name} is larger than ${MAX_ATTACHMENT / 1024 ** 2} MiB.`);
        }
        hash.update(chunk);
        await writeFully(handle, chunk, size);
        size += chunk.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const sha256 = hash.digest('hex');
    const file = `attachments/${sha256}.${safeExtension(name)}`;
    await moveOver(temporary, join(dir, file));
    await syncDirectory(folder);
    return ok({ sha256, file, size });
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    return { ok: false, error: writeError(`The attachment ${name}`, folder, error) };
  }
}

/** A file in parts. Each is overwritten by the next: what a gigabyte of them would take is not left to be collected. */
async function* partsOf(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 18);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Lower-case letters and digits after the last dot, or `bin`. */
export function safeExtension(name: string): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1];
  return extension === undefined ? 'bin' : extension.toLowerCase();
}
