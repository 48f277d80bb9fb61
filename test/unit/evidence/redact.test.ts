import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INPUTS, MAX_PICTURE } from '../../../core/ipc.ts';
import { createJournal, type Journal } from '../../../engine/evidence/journal-file.ts';
import { PICTURE_HEAD, pictureType, type PictureType, stripPicture } from '../../../engine/evidence/picture.ts';
import { previewPicture, redact } from '../../../engine/evidence/redact.ts';
import { value } from '../../support/evidence.ts';
import { chunk, exif, GPS, JPEG, photograph, PNG, segment, WEBP, webp } from '../../support/pictures.ts';

const SECRET = 'Patientin-Huber';
const SECRETS = [GPS.camera, GPS.owner, SECRET, 'Exif\0\0II'];
const text = (content: string) => Buffer.from(content);
const strip = (bytes: Uint8Array, type: PictureType = 'image/jpeg') => value(stripPicture(bytes, type));
const leaks = (bytes: Uint8Array) => SECRETS.filter((secret) => Buffer.from(bytes).includes(secret));

describe('a JPEG photograph', () => {
  const dirty = photograph(
    [
      exif(1),
      segment(0xe1, text(`http://ns.adobe.com/xap/1.0/\0<x>${SECRET}</x>`)),
      segment(0xe2, text(`ICC_PROFILE\0${SECRET}`)),
      segment(0xed, text(`Photoshop 3.0\0${SECRET}`)),
      segment(0xfe, text(SECRET)),
      segment(0xe5, text(SECRET)),
    ],
    text(SECRET),
  );

  it('loses EXIF with its place, XMP, IPTC, profiles, comments and what is behind its end, and keeps every pixel', () => {
    expect(leaks(dirty).length).toBeGreaterThan(2);
    const { bytes, removed } = strip(dirty);
    expect(removed).toEqual([
      'EXIF',
      'XMP',
      'a colour profile',
      'IPTC',
      'a comment',
      'an APP5 segment',
      `${SECRET.length} bytes behind the picture`,
    ]);
    expect(Buffer.from(bytes).equals(JPEG)).toBe(true);
  });

  it('keeps its way up, and nothing else of EXIF', () => {
    const { bytes, removed } = strip(photograph([exif(6)]));
    expect(removed).toEqual(['EXIF']);
    expect(leaks(bytes)).toEqual([]);
    expect(bytes.length).toBe(JPEG.length + 36);
    expect(Buffer.from(bytes).indexOf('Exif\0\0MM')).toBeGreaterThan(0);
    // What says no more is clean.
    expect(strip(bytes)).toEqual({ bytes, removed: [] });
  });

  it('loses the thumbnail in its header', () => {
    const thumbnail = Buffer.concat([text('JFIF\0'), Buffer.from([1, 2, 0, 0, 1, 0, 1, 1, 1]), text('rgb')]);
    const { bytes, removed } = strip(Buffer.concat([JPEG.subarray(0, 2), segment(0xe0, thumbnail), JPEG.subarray(20)]));
    expect(removed).toEqual(['an APP0 segment']);
    expect(Buffer.from(bytes).includes('rgb')).toBe(false);
  });

  it('is refused when it is cut off or built otherwise, and never throws', () => {
    for (let cut = 0; cut < dirty.length - SECRET.length; cut++)
      expect(stripPicture(dirty.subarray(0, cut), 'image/jpeg').ok, `at ${cut}`).toBe(false);
    for (let place = 0; place < dirty.length; place++) {
      const changed = Buffer.from(dirty);
      changed[place] = (changed[place] ?? 0) ^ 0xff;
      const stripped = stripPicture(changed, 'image/jpeg');
      // Whatever is kept can be read again, and is clean by the same rules.
      if (stripped.ok) expect(strip(stripped.value.bytes).removed).toEqual([]);
    }
  });
});

describe('a PNG screenshot', () => {
  const split = PNG.length - 12;
  const dirty = Buffer.concat([
    PNG.subarray(0, 33),
    chunk('tEXt', text(`Author\0${SECRET}`)),
    chunk('iTXt', text(SECRET)),
    chunk('zTXt', text(SECRET)),
    chunk('eXIf', exif(1).subarray(10)),
    chunk('tIME', Buffer.alloc(7)),
    chunk('prVt', text(SECRET)),
    chunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f])),
    PNG.subarray(33),
    text(SECRET),
  ]);

  it('loses texts, EXIF, time and private parts, and keeps every pixel', () => {
    const { bytes, removed } = strip(dirty, 'image/png');
    expect(leaks(bytes)).toEqual([]);
    expect(removed).toEqual([
      'a text',
      'a text',
      'a text',
      'EXIF',
      'a time',
      'a part "prVt"',
      `${SECRET.length} bytes behind the picture`,
    ]);
    expect(Buffer.from(bytes).includes('gAMA')).toBe(true);
    expect(Buffer.from(bytes).includes(PNG.subarray(33, split))).toBe(true);
    expect(strip(PNG, 'image/png').removed).toEqual([]);
  });

  it('is refused when it is cut off, when a checksum is wrong, or when it needs what is not known', () => {
    for (let cut = 8; cut < dirty.length - SECRET.length; cut++)
      expect(stripPicture(dirty.subarray(0, cut), 'image/png').ok).toBe(false);
    const wrong = Buffer.from(PNG);
    wrong[50] = (wrong[50] ?? 0) ^ 1;
    expect(stripPicture(wrong, 'image/png')).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    const unknown = Buffer.concat([PNG.subarray(0, 33), chunk('NEWX', text('?')), PNG.subarray(33)]);
    expect(stripPicture(unknown, 'image/png').ok).toBe(false);
  });
});

describe('a WebP picture', () => {
  it('loses EXIF, XMP, profile and the flags that announce them', () => {
    const pixels = WEBP.subarray(20);
    const head = Buffer.from([0x20 | 0x08 | 0x04, 0, 0, 0, 15, 0, 0, 7, 0, 0]);
    const dirty = Buffer.concat([
      webp(['VP8X', head], ['ICCP', text(SECRET)], ['VP8 ', pixels], ['EXIF', exif(1)], ['XMP ', text(SECRET)]),
      text(SECRET),
    ]);
    const { bytes, removed } = strip(dirty, 'image/webp');
    expect(leaks(bytes)).toEqual([]);
    expect(removed).toEqual(['a part "ICCP"', 'EXIF', 'XMP', `${SECRET.length} bytes behind the picture`]);
    expect(bytes[20]).toBe(0);
    expect(strip(bytes, 'image/webp').removed).toEqual([]);
    expect(stripPicture(webp(['ANIM', Buffer.alloc(6)]), 'image/webp').ok).toBe(false);
    for (let cut = 12; cut < dirty.length - SECRET.length; cut++)
      expect(stripPicture(dirty.subarray(0, cut), 'image/webp').ok).toBe(false);
  });
});

describe('what is stored of a file that is attached', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-redact-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  const put = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(dir, name), bytes);
    return join(dir, name);
  };
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const contentOf = async (source: string | AsyncIterable<Uint8Array>) => {
    if (typeof source === 'string') return readFile(source);
    const parts: Uint8Array[] = [];
    for await (const part of source) parts.push(part);
    return Buffer.concat(parts);
  };

  it('is a picture without metadata, whatever its name, with the digest of the file as it was', async () => {
    const photo = photograph([exif(1)]);
    for (const name of ['rack.jpg', 'rack.bin']) {
      const stored = value(await redact(await put(name, photo)));
      expect(stored).toMatchObject({ name: 'rack.jpg', redacted: { from: digest(photo), boxes: 0, kept: false } });
      expect((await contentOf(stored.source)).equals(JPEG)).toBe(true);
    }
    // Nothing was taken out, so nothing is said.
    expect(value(await redact(await put('clean.jpg', JPEG))).redacted).toBeUndefined();
    expect(value(await redact(await put('notes.txt', text(SECRET)))).redacted).toBeUndefined();
  });

  it('is the picture with boxes, checked like any other, with the digest of what was chosen', async () => {
    const path = await put('rack.jpeg', photograph([exif(1)]));
    const burnt = Buffer.concat([PNG.subarray(0, 33), chunk('tEXt', text(SECRET)), PNG.subarray(33)]);
    const stored = value(await redact(path, { redacted: burnt, boxes: 2 }));
    expect(stored).toMatchObject({
      name: 'rack.png',
      redacted: { from: digest(await readFile(path)), boxes: 2, kept: false },
    });
    expect(leaks(await contentOf(stored.source))).toEqual([]);
    for (const wrong of [new Uint8Array(), text('GIF89a'), text('%PDF-1.7'), JPEG.subarray(0, 100)])
      expect((await redact(path, { redacted: wrong, boxes: 1 })).ok).toBe(false);
    expect((await redact(await put('notes.txt', text('x')), { redacted: PNG, boxes: 1 })).ok).toBe(false);
  });

  it('of a picture whose metadata cannot be taken out is nothing, unless the original is asked for', async () => {
    const heic = await put('IMG_1.HEIC', Buffer.concat([Buffer.from([0, 0, 0, 24]), text('ftypheic....'), exif(1)]));
    const refused = await redact(heic);
    expect(!refused.ok && refused.error.message).toContain('HEIC');
    expect(value(await redact(heic, { keepOriginal: true }))).toEqual({ name: 'IMG_1.HEIC', source: heic });
    for (const [head, kind] of [
      ['II*\0', 'TIFF'],
      ['GIF89a', 'GIF'],
      ['\0\0\0\x1cftypavif', 'AVIF'],
    ] as const)
      expect(pictureType(text(head.padEnd(PICTURE_HEAD, '.')))).toEqual({ other: kind });
    expect(pictureType(text('%PDF-1.7 and more'))).toBeUndefined();
  });

  it('lies in the session without a trace of the place, and the journal says from what it was made', async () => {
    const folder = join(dir, 'session');
    const photo = photograph([exif(6)], text(SECRET));
    const stored = value(await redact(await put('ward.jpg', photo)));
    const journal: Journal = value(
      await createJournal(
        folder,
        {
          format: 'lockstep-journal/2',
          session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
          lockstep: '0.1.0',
          guide: { id: 'g', version: '1.0.0', sha256: digest(text('g')), trust: 'unsigned' },
          site: { id: 's', name: 'S', sha256: digest(text('s')), practice: true },
          operator: { id: 'o', name: 'O' },
          runtime: {},
        },
        { by: 'o', now: () => new Date('2026-11-23T10:00:00Z') },
      ),
    );
    const attached = value(await journal.attach({ key: 'k', mediaType: 'image/jpeg', ...stored }));
    await journal.close();
    expect(attached.data.redacted).toEqual({ from: digest(photo), boxes: 0, kept: false });
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(leaks(await readFile(join(file.parentPath, file.name)))).toEqual([]);
  });

  it('crosses from the page only within bounds', () => {
    const input = { key: 'k', picture: `h-${'0'.repeat(32)}`, boxes: 1, keepOriginal: false };
    const fits = (redacted: unknown) => INPUTS['walk.attachPicture'].safeParse({ ...input, redacted }).success;
    expect([fits(PNG), fits(new Uint8Array(MAX_PICTURE)), fits(undefined)]).toEqual([true, true, true]);
    expect([fits(new Uint8Array(MAX_PICTURE + 1)), fits(new Uint8Array(0)), fits([1]), fits('x')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('is shown before without metadata, and only where it is such a picture', async () => {
    const shown = value(await previewPicture(await put('ward.jpg', photograph([exif(3)]))));
    expect(shown?.type).toBe('image/jpeg');
    expect(leaks(shown?.bytes ?? new Uint8Array())).toEqual([]);
    expect(value(await previewPicture(await put('notes.txt', text('x'))))).toBeUndefined();
    expect((await previewPicture(await put('cut.png', PNG.subarray(0, 40)))).ok).toBe(false);
    expect((await previewPicture(join(dir, 'none'))).ok).toBe(false);
  });
});
