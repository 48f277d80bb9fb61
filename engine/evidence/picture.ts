import { fail, ok, type Result } from '../../core/result.ts';
import { stripJpeg } from './image-jpeg.ts';
import { stripPng } from './image-png.ts';
import { stripWebp } from './image-webp.ts';

/** A picture without what does not belong to it, and what that was, in words; nothing when it was clean. */
export type Stripped = { readonly bytes: Uint8Array<ArrayBuffer>; readonly removed: readonly string[] };

/** Kinds of picture whose metadata can be taken out, with the extension that their files have. */
const KINDS = {
  'image/jpeg': { extension: 'jpg', strip: stripJpeg },
  'image/png': { extension: 'png', strip: stripPng },
  'image/webp': { extension: 'webp', strip: stripWebp },
} as const;
export type PictureType = keyof typeof KINDS;

/** Bytes from the start that `pictureType` needs. */
export const PICTURE_HEAD = 16;

/**
 * What kind of picture a file is, by how it begins and never by its name: one whose metadata can be taken out, the name of
 * another kind that carries such, or undefined for what is no picture.
 */
export function pictureType(head: Uint8Array): { type: PictureType } | { other: string } | undefined {
  const text = String.fromCharCode(...head.subarray(0, PICTURE_HEAD));
  if (text.startsWith('\xff\xd8\xff')) return { type: 'image/jpeg' };
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return { type: 'image/png' };
  if (/^RIFF[^]{4}WEBP/.test(text)) return { type: 'image/webp' };
  if (/^[^]{4}ftyp(?:hei|hev|mif1|msf1)/.test(text)) return { other: 'HEIC' };
  if (/^[^]{4}ftypavi/.test(text)) return { other: 'AVIF' };
  if (/^(?:II\*\0|MM\0\*)/.test(text)) return { other: 'TIFF' };
  if (text.startsWith('GIF8')) return { other: 'GIF' };
  return undefined;
}

/** The extension of a kind's files, without the dot. */
export function extensionOf(type: PictureType): string {
  return KINDS[type].extension;
}

/**
 * Takes all out of a picture that its decoder does not need, without encoding it anew. Errors: `input.malformed` where the
 * picture is not built as its kind is, so that nobody can say what is in it.
 */
export function stripPicture(bytes: Uint8Array, type: PictureType): Result<Stripped> {
  try {
    return ok(KINDS[type].strip(bytes));
  } catch (error) {
    return fail('input.malformed', 'This picture cannot be read, so its metadata cannot be taken out.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}
