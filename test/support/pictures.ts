import { crc32 } from 'node:zlib';

/** 16 × 8 pixels, left half red, right half white, as Chromium encodes them, without any metadata. */
export const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAIABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAYH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABUBAQEAAAAAAAAAAAAAAAAAAAQF/8QAGhEAAQUBAAAAAAAAAAAAAAAAAAMFQUKBwf/aAAwDAQACEQMRAD8AnWxAOhJYdabw/9k=',
  'base64',
);
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAICAYAAADwdn+XAAAAJ0lEQVR4AeyQoQ0AAAjDmv1/Gj+ND0AgMGtSW1EVeNIL4kgC8P+gAQAA///5acNnAAAABklEQVQDAAIpLkkv8C6SAAAAAElFTkSuQmCC',
  'base64',
);
export const WEBP = Buffer.from(
  'UklGRjQAAABXRUJQVlA4ICgAAABwAQCdASoQAAgAAsBMJaACdAFAAAD+5On//Qdn+c3wf/+q/f/5TQAA',
  'base64',
);

/** What a telephone writes into a photograph: maker, owner, the place in degrees, and a thumbnail's worth of other data. */
export const GPS = {
  camera: 'Fernsprecher-9000',
  owner: 'Schwester-Ilse',
  latitude: [48, 8, 17],
  longitude: [11, 34, 31],
};

/** An EXIF segment (Exif 2.3) with orientation, camera, owner and place. */
export function exif(orientation: number): Buffer {
  const entry = (tag: number, type: number, count: number, value: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const count = (value: number) => number(value).subarray(0, 2);
  const degrees = (parts: readonly number[]) => Buffer.concat(parts.flatMap((part) => [number(part), number(1)]));
  const [camera, owner] = [Buffer.from(`${GPS.camera}\0`), Buffer.from(`${GPS.owner}\0`)];
  // Offsets from the header: two directories (of four entries each), then what does not fit into entries.
  const directory = 2 + 4 * 12 + 4;
  const gps = 8 + directory;
  const data = gps + directory;
  const [ownerAt, latitudeAt] = [data + camera.length, data + camera.length + owner.length];
  const tiff = Buffer.concat([
    Buffer.from('II*\0'),
    number(8),
    count(4),
    entry(0x0110, 2, camera.length, data),
    entry(0x0112, 3, 1, orientation),
    entry(0x013b, 2, owner.length, ownerAt),
    entry(0x8825, 4, 1, gps),
    number(0),
    count(4),
    entry(0x0001, 2, 2, 0x4e),
    entry(0x0002, 5, 3, latitudeAt),
    entry(0x0003, 2, 2, 0x45),
    entry(0x0004, 5, 3, latitudeAt + 24),
    number(0),
    camera,
    owner,
    degrees(GPS.latitude),
    degrees(GPS.longitude),
  ]);
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
}

/** A segment of a JPEG file. */
export function segment(marker: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 0xff]), content]);
}

/** The photograph with segments behind its first, and bytes behind its end. */
export function photograph(segments: readonly Buffer[], behind = Buffer.alloc(0)): Buffer {
  return Buffer.concat([JPEG.subarray(0, 20), ...segments, JPEG.subarray(20), behind]);
}

/** A chunk of a PNG file. */
export function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A WebP file of these chunks. */
export function webp(...chunks: readonly (readonly [type: string, content: Buffer])[]): Buffer {
  const parts = chunks.map(([type, content]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(content.length);
    return Buffer.concat([Buffer.from(type), size, content, Buffer.alloc(content.length & 1)]);
  });
  const body = Buffer.concat(parts);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}
