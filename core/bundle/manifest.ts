import { metaName } from './layout.ts';

/** A file that a manifest covers; the digest is SHA-256 in lower-case hex. */
export type ManifestFile = { readonly name: string; readonly sha256: string };

export type Manifest = { readonly signature: string; readonly files: readonly ManifestFile[] };

const HEAD =
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n';
const TAIL = '</asic:ASiCManifest>\n';
const METHOD = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>';

const PROTECTION_TYPES = {
  signature: 'application/pkcs7-signature',
  timestamp: 'application/vnd.etsi.timestamp-token',
} as const;

const MEDIA_TYPES: Record<string, string> = {
  txt: 'text/plain',
  html: 'text/html',
  yaml: 'application/yaml',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  csv: 'text/csv',
  asice: 'application/vnd.etsi.asic-e+zip',
  p7s: 'application/pkcs7-signature',
  tst: 'application/vnd.etsi.timestamp-token',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** Media type by an entry's extension. */
export function mediaType(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return name.endsWith('SHA256SUMS') ? 'text/plain' : (MEDIA_TYPES[extension] ?? 'application/octet-stream');
}

/** What protects a manifest: a CAdES signature or a time-stamp token (ETSI EN 319 162-1, 4.4.4 and A.4). */
export type Protection = 'signature' | 'timestamp';

/** The ASiCManifest of the nth signature or time-stamp, in the one form that containers have. */
export function renderManifest(
  number: number,
  files: readonly ManifestFile[],
  protection: Protection = 'signature',
): string {
  const signature = `  <asic:SigReference URI="${metaName(protection, number)}" MimeType="${PROTECTION_TYPES[protection]}"/>\n`;
  const references = files.map(
    (file) =>
      `  <asic:DataObjectReference URI="${file.name}" MimeType="${mediaType(file.name)}">\n    ${METHOD}\n    <ds:DigestValue>${hexToBase64(file.sha256)}</ds:DigestValue>\n  </asic:DataObjectReference>\n`,
  );
  return HEAD + signature + references.join('') + TAIL;
}

/**
 * Reads a manifest. Only the very form that `renderManifest` gives is accepted, so that no two readers can take it
 * differently; undefined otherwise.
 */
export function parseManifest(
  text: string,
  number: number,
  protection: Protection = 'signature',
): Manifest | undefined {
  const files: ManifestFile[] = [];
  for (const match of text.matchAll(
    /<asic:DataObjectReference URI="([^"<>&]*)"[^<]*<ds:DigestMethod [^<]*<ds:DigestValue>([A-Za-z0-9+/=]*)</g,
  )) {
    files.push({ name: match[1] ?? '', sha256: base64ToHex(match[2] ?? '') });
  }
  if (renderManifest(number, files, protection) !== text) return undefined;
  return { signature: metaName(protection, number), files };
}

/** `SHA256SUMS` as `sha256sum -c` reads it. */
export function renderSums(files: readonly ManifestFile[]): string {
  return files.map((file) => `${file.sha256}  ${file.name}\n`).join('');
}

/** Reads `SHA256SUMS`; undefined when it is not in the form that `renderSums` gives. */
export function parseSums(text: string): readonly ManifestFile[] | undefined {
  const files: ManifestFile[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const match = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line);
    if (match === null) return undefined;
    files.push({ sha256: match[1] ?? '', name: match[2] ?? '' });
  }
  return renderSums(files) === text ? files : undefined;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Core has neither Buffer nor btoa. */
export function hexToBase64(hex: string): string {
  let text = '';
  for (let at = 0; at < hex.length; at += 6) {
    const part = hex.slice(at, at + 6);
    const value = Number.parseInt(part.padEnd(6, '0'), 16);
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET[(value >> shift) & 63]).join('');
    text += digits.slice(0, part.length / 2 + 1).padEnd(4, '=');
  }
  return text;
}

/** Bytes of standard base64; characters outside the alphabet are skipped. */
export function base64ToBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) continue;
    value = ((value << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return new Uint8Array(bytes);
}

function base64ToHex(text: string): string {
  return Array.from(base64ToBytes(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
