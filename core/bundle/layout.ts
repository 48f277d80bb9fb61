/** Content of the first entry (ETSI EN 319 162-1, A.1). */
export const MIMETYPE = 'application/vnd.etsi.asic-e+zip';

/** Entries that every bundle has. */
export const BUNDLE_ENTRIES = [
  'README.txt',
  'SHA256SUMS',
  'report.html',
  'guide/guide.yaml',
  'site.yaml',
  'journal.jsonl',
] as const;

/** Entries that every signed guide has. */
export const GUIDE_ENTRIES = ['README.txt', 'SHA256SUMS', 'guide.yaml'] as const;

/** Bounds on what a reader takes in. Sizes in bytes. */
export const LIMITS = {
  entries: 60_000,
  nameLength: 200,
  /** Containers use no 64-bit extensions. */
  total: 0xffff_fffe,
  /** An entry that has to be held in memory. */
  inMemory: 256 * 1024 ** 2,
  /** Uncompressed to compressed. */
  ratio: 200,
  centralDirectory: 32 * 1024 ** 2,
} as const;

const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(?:\.|$)/i;

/** Says why Windows cannot keep a file under this name, without its folders; undefined when it can. */
export function windowsFault(name: string): string | undefined {
  if (RESERVED.test(name)) return 'is reserved on Windows';
  if (/[. ]$/.test(name)) return 'ends with a dot or a blank, which Windows drops';
  if (/[<>:"|?*\u0000-\u001f]/.test(name)) return 'holds a character that Windows forbids';
  return undefined;
}

/** Says what is wrong with an entry's name; undefined when it is safe on every system. */
export function nameFault(name: string): string | undefined {
  if (name.length === 0) return 'is empty';
  if (name.length > LIMITS.nameLength) return 'is too long';
  if (name.includes('\\')) return 'holds a backslash';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'is an absolute path';
  const segments = name.split('/');
  if (segments.includes('..') || segments.includes('.')) return 'leads out of its folder';
  if (name.endsWith('/')) return 'is a folder';
  if (segments.some((segment) => RESERVED.test(segment))) return 'is reserved on Windows';
  if (segments.some((segment) => segment.endsWith('.'))) return 'ends with a dot, which Windows drops';
  if (!/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(name)) return 'holds characters that containers do not use';
  return undefined;
}

/** Parts of the nth signature or time-stamp, in the order in which they are written. */
export const META_KINDS = ['statement', 'manifest', 'signature', 'timestamp'] as const;

export type MetaEntry = { readonly kind: (typeof META_KINDS)[number]; readonly number: number };

/** Tells the META-INF entries of the nth signature or time-stamp apart; undefined for any other name. */
export function metaEntry(name: string): MetaEntry | undefined {
  const number = Number(/^META-INF\/[A-Za-z]+(\d{3})\.[a-z0-9]+$/.exec(name)?.[1]);
  const kind = META_KINDS.find((each) => metaName(each, number) === name);
  return kind === undefined ? undefined : { kind, number };
}

/** Name of a META-INF entry of the nth signature or time-stamp, counted from 1 over both. */
export function metaName(kind: MetaEntry['kind'], number: number): string {
  const digits = String(number).padStart(3, '0');
  const file = {
    statement: `statement${digits}.json`,
    manifest: `ASiCManifest${digits}.xml`,
    signature: `signature${digits}.p7s`,
    timestamp: `timestamp${digits}.tst`,
  };
  return `META-INF/${file[kind]}`;
}
