import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { MAX_PICTURE } from '../../core/ipc.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { EventData } from '../../core/session/events.ts';
import { readSmallFile } from './container-reader.ts';
import { extensionOf, PICTURE_HEAD, pictureType, type PictureType, stripPicture } from './picture.ts';

export type RedactOptions = {
  /** The picture with boxes burnt in, as the person made it from the chosen one. */
  readonly redacted?: Uint8Array;
  /** How many boxes are burnt in. */
  readonly boxes?: number;
  /** Also keeps the file as it was; only asked for. */
  readonly keepOriginal?: boolean;
};

/** What is stored in place of a chosen file: the file itself, or a picture without its metadata. */
export type Redacted = {
  readonly name: string;
  readonly source: string | AsyncIterable<Uint8Array>;
  readonly redacted?: NonNullable<EventData<'attached'>['redacted']>;
};

/**
 * Says what of a chosen file is stored. A JPEG, PNG or WebP picture loses its metadata, whatever its name; other kinds of
 * picture are refused, unless they are kept as they are on request; anything else is stored as it is. The digest of the
 * original is computed here, from the file. Errors: `input.not-found`, `input.too-large`, `input.malformed`.
 */
export async function redact(path: string, options: RedactOptions = {}): Promise<Result<Redacted>> {
  const name = basename(path);
  const whole = { name, source: path };
  const kind = await kindOf(path);
  if (!kind.ok) return kind;
  if (kind.value === undefined || 'other' in kind.value) {
    if (options.redacted !== undefined)
      return fail('input.malformed', 'Boxes are burnt into JPEG, PNG and WebP pictures only.', { place: name });
    if (kind.value === undefined || options.keepOriginal === true) return ok(whole);
    return fail(
      'input.malformed',
      `The metadata of a ${kind.value.other} picture (place, camera, owner) cannot be taken out here. Save it as JPEG or PNG first.`,
      { place: name, cause: 'as it is, it is attached from an answers file with keepOriginal: true' },
    );
  }
  const kept = options.keepOriginal === true;
  const boxes = options.redacted === undefined ? 0 : (options.boxes ?? 0);
  const original = options.redacted === undefined ? await readSmallFile(path, MAX_PICTURE) : ok(undefined);
  if (!original.ok) return original;
  const given = options.redacted ?? original.value ?? new Uint8Array();
  const burnt = options.redacted === undefined ? kind.value : pictureType(given.subarray(0, PICTURE_HEAD));
  if (burnt === undefined || 'other' in burnt || given.length > MAX_PICTURE)
    return fail('input.malformed', 'What came back is not a picture with boxes.', { place: name });
  const stripped = stripPicture(given, burnt.type);
  if (!stripped.ok) return { ok: false, error: { ...stripped.error, place: name } };
  if (options.redacted === undefined && stripped.value.removed.length === 0) return ok(whole);
  // Of the very bytes that were read, where they were.
  const from =
    original.value === undefined ? await digestOf(path) : createHash('sha256').update(original.value).digest('hex');
  return ok({
    name: withExtension(name, burnt.type),
    source: parts(stripped.value.bytes),
    redacted: { from, boxes, kept },
  });
}

/**
 * A picture to show before it is stored, without its metadata and the right way up, with its media type; undefined where the
 * file is not one that can be redacted. Errors: as `redact`.
 */
export async function previewPicture(
  path: string,
): Promise<Result<{ readonly type: PictureType; readonly bytes: Uint8Array<ArrayBuffer> } | undefined>> {
  const kind = await kindOf(path);
  if (!kind.ok) return kind;
  if (kind.value === undefined || 'other' in kind.value) return ok(undefined);
  const original = await readSmallFile(path, MAX_PICTURE);
  if (!original.ok) return original;
  const stripped = stripPicture(original.value, kind.value.type);
  return stripped.ok ? ok({ type: kind.value.type, bytes: stripped.value.bytes }) : stripped;
}

async function kindOf(path: string): Promise<Result<ReturnType<typeof pictureType>>> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(PICTURE_HEAD), 0, PICTURE_HEAD, 0);
      return ok(pictureType(buffer.subarray(0, bytesRead)));
    } finally {
      await handle.close();
    }
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return fail('input.not-found', `There is no file ${basename(path)}.`, { place: path, cause });
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** The name with the extension of what is stored, where the boxes made it another kind. */
function withExtension(name: string, type: PictureType): string {
  const extension = extensionOf(type);
  const present = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase();
  if (present === extension || (present === 'jpeg' && extension === 'jpg')) return name;
  return `${name.replace(/\.[A-Za-z0-9]+$/, '')}.${extension}`;
}

async function* parts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
