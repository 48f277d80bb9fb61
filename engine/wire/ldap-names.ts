/** Names and filters as text: escaping (RFC 4514, RFC 4515), comparing, LDIF (RFC 2849). */

/** Escapes a value for use inside a search filter. */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\\*()\u0000]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Escapes a value for use inside a distinguished name. */
export function escapeDnValue(value: string): string {
  return value
    .replace(/[\\,+"<>;=]/g, '\\$&')
    .replace(/\0/g, '\\00')
    .replace(/^(?:#| (?=.))/s, '\\$&')
    .replace(/ $/, '\\ ');
}

/** One attribute of a relative distinguished name, its value unescaped. */
type DnPart = { readonly type: string; readonly value: string };

/**
 * Takes a distinguished name apart.
 * @returns one list of attributes per RDN, leaf first; undefined when the text is not a DN
 */
export function parseDn(dn: string): DnPart[][] | undefined {
  if (dn.trim() === '') return [];
  const rdns: DnPart[][] = [[]];
  let at = 0;
  while (at <= dn.length) {
    const type = /^ *([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*) *= */.exec(dn.slice(at));
    if (type === null) return undefined;
    at += type[0].length;
    const value = readDnValue(dn, at);
    if (value === undefined) return undefined;
    rdns.at(-1)?.push({ type: type[1]?.toLowerCase() ?? '', value: value.text });
    at = value.end;
    if (at >= dn.length) return rdns;
    if (dn[at] === ',' || dn[at] === ';') rdns.push([]);
    else if (dn[at] !== '+') return undefined;
    at += 1;
  }
  return undefined;
}

function readDnValue(dn: string, start: number): { text: string; end: number } | undefined {
  const bytes: number[] = [];
  const push = (text: string) => bytes.push(...new TextEncoder().encode(text));
  let kept = 0;
  let at = start;
  for (; at < dn.length; at += 1) {
    const char = String.fromCodePoint(dn.codePointAt(at) ?? 0);
    if (char === ',' || char === ';' || char === '+') break;
    if (char === '"' || char === '<' || char === '>') return undefined;
    if (char !== '\\') {
      push(char);
      if (char !== ' ') kept = bytes.length;
      at += char.length - 1;
      continue;
    }
    const hex = /^[0-9a-fA-F]{2}/.exec(dn.slice(at + 1))?.[0];
    if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else if (/^[\\,+"<>;= #]/.test(dn.slice(at + 1))) {
      push(dn[at + 1] ?? '');
      at += 1;
    } else return undefined;
    kept = bytes.length;
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes.slice(0, kept))), end: at };
  } catch {
    return undefined;
  }
}

/** A DN without blanks at the ends of its parts, escapes or doubled blanks: only its case is to be folded. */
const PLAIN_DN = /^(?:[A-Za-z][A-Za-z0-9-]*=[^\s\0\\,+"<>;=#][^\0\\,+"<>;=]*(?:,(?=.)|$))+$/;
const ODD_BLANKS = /\s\s|\s,|\s$|[^\S ]/;

/** A form in which two spellings of one DN are equal: case, blanks and escapes folded. Text that is no DN is only lower-cased. */
export function normalizeDn(dn: string): string {
  // Thousands of members are compared by DN, and hardly one of them is spelt in a way that wants parsing.
  if (PLAIN_DN.test(dn) && !ODD_BLANKS.test(dn)) return dn.toLowerCase();
  return foldDn(dn);
}

/** As `normalizeDn`, by taking the DN apart in any case. */
export function foldDn(dn: string): string {
  const rdns = parseDn(dn);
  if (rdns === undefined) return dn.toLowerCase();
  const fold = (value: string) => escapeDnValue(value.trim().replace(/\s+/g, ' ').toLowerCase());
  return rdns
    .map((rdn) =>
      rdn
        .map(({ type, value }) => `${type}=${fold(value)}`)
        .sort()
        .join('+'),
    )
    .join(',');
}

/** Whether `dn` is `base` or lies below it. */
export function isWithin(dn: string, base: string): boolean {
  const inner = normalizeDn(dn);
  const outer = normalizeDn(base);
  return outer === '' || inner === outer || inner.endsWith(`,${outer}`);
}

/** `DC=hospital,DC=test` as `hospital.test` (RFC 2247); empty where the DN names no domain. */
export function domainName(baseDn: string): string {
  const parts = (parseDn(baseDn) ?? []).flat().filter(({ type }) => type === 'dc');
  return parts
    .map(({ value }) => value)
    .join('.')
    .toLowerCase();
}

/** The value of the leaf RDN, what people call the name of an entry. */
export function leafName(dn: string): string {
  return parseDn(dn)?.[0]?.[0]?.value ?? dn;
}

/** The DN without its leaf, spelt as it was; undefined when there is nothing above. */
export function parentDn(dn: string): string | undefined {
  for (let at = 0; at < dn.length; at += 1) {
    if (dn[at] === '\\') at += 1;
    else if (dn[at] === ',' || dn[at] === ';') return dn.slice(at + 1).trim();
  }
  return undefined;
}

function ldifLine(name: string, value: string | Uint8Array): string {
  if (typeof value !== 'string') return foldLine(`${name}:: ${Buffer.from(value).toString('base64')}`);
  const plain =
    /^[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(value) &&
    !value.endsWith(' ');
  return foldLine(
    plain || value === '' ? `${name}: ${value}` : `${name}:: ${Buffer.from(value, 'utf8').toString('base64')}`,
  );
}

function foldLine(line: string): string {
  const folded: string[] = [line.slice(0, 76)];
  for (let at = 76; at < line.length; at += 75) folded.push(` ${line.slice(at, at + 75)}`);
  return folded.join('\n');
}

/** LDIF of an entry that is added, or of a deletion. Values that are not safe text are base64, as RFC 2849 has it. */
export function ldifChange(
  dn: string,
  change: 'add' | 'delete',
  attributes: Readonly<Record<string, readonly string[]>> = {},
): string {
  const lines = [ldifLine('dn', dn), `changetype: ${change}`];
  for (const [name, values] of Object.entries(attributes))
    for (const value of values) lines.push(ldifLine(name, value));
  return `${lines.join('\n')}\n`;
}

/**
 * LDIF of a modification of one entry. `notes` become comment lines in front; `control` is a control line (RFC 2849) for the
 * request, as `oid criticality:: base64`.
 */
export function ldifModify(
  dn: string,
  modifications: readonly {
    readonly do: 'add' | 'delete' | 'replace';
    readonly attribute: string;
    readonly values: readonly (string | Uint8Array)[];
  }[],
  more: { readonly notes?: readonly string[]; readonly control?: string } = {},
): string {
  const lines = (more.notes ?? []).map((note) => `# ${note.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')}`);
  lines.push(ldifLine('dn', dn));
  if (more.control !== undefined) lines.push(`control: ${more.control}`);
  lines.push('changetype: modify');
  for (const one of modifications) {
    lines.push(`${one.do}: ${one.attribute}`, ...one.values.map((value) => ldifLine(one.attribute, value)), '-');
  }
  return `${lines.join('\n')}\n`;
}
