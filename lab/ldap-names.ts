/** One attribute=value of a DN, value unescaped. */
export type Rdn = { readonly type: string; readonly value: string };

/** Parses a DN (RFC 4514; single-valued RDNs, as AD has them). Undefined when it is malformed. */
export function parseDn(dn: string): Rdn[] | undefined {
  if (dn.trim() === '') return [];
  const rdns: Rdn[] = [];
  for (const part of splitUnescaped(dn)) {
    const equals = part.indexOf('=');
    const type = part.slice(0, equals).trim();
    if (equals < 1 || !/^[A-Za-z][A-Za-z0-9-]*$|^[0-9.]+$/.test(type)) return undefined;
    const value = unescapeValue(part.slice(equals + 1));
    if (value === undefined || value === '') return undefined;
    rdns.push({ type, value });
  }
  return rdns;
}

// Searches compare the same few hundred DNs over and over; the bound keeps a client's inventions from piling up.
const keys = new Map<string, string>();
const MAX_KEYS = 20_000;

/** The key under which a DN is found: lower case, one spelling. Malformed DNs have a key that no entry has. */
export function dnKey(dn: string): string {
  const known = keys.get(dn);
  if (known !== undefined) return known;
  const rdns = parseDn(dn);
  const key =
    rdns === undefined ? `\0${dn}` : rdns.map((rdn) => `${rdn.type}=${escapeValue(rdn.value)}`.toLowerCase()).join(',');
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(dn, key);
  return key;
}

/** DN of the parent, as written. */
export function parentDn(dn: string): string {
  return splitUnescaped(dn).slice(1).join(',').trim();
}

/** Escapes a value for a DN (RFC 4514 2.4). */
export function escapeValue(value: string): string {
  const escaped = value.replace(/[,+"\\<>;=]/g, (character) => `\\${character}`);
  return escaped.replace(/^[ #]/, (character) => `\\${character}`).replace(/ $/, '\\ ');
}

function splitUnescaped(dn: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < dn.length; index += 1) {
    if (dn[index] === '\\') index += 1;
    else if (dn[index] === ',') {
      parts.push(dn.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(dn.slice(start));
  return parts;
}

function unescapeValue(text: string): string | undefined {
  const bytes: number[] = [];
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\) +$/, '');
  for (let index = 0; index < trimmed.length; index += 1) {
    const character = trimmed[index] ?? '';
    if (character !== '\\') {
      bytes.push(...Buffer.from(codePointAt(trimmed, index)));
      if (isHighSurrogate(trimmed, index)) index += 1;
      continue;
    }
    const pair = trimmed.slice(index + 1, index + 3);
    if (/^[0-9a-fA-F]{2}$/.test(pair)) {
      bytes.push(Number.parseInt(pair, 16));
      index += 2;
    } else {
      const next = trimmed[index + 1];
      if (next === undefined) return undefined;
      bytes.push(...Buffer.from(next));
      index += 1;
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

function isHighSurrogate(text: string, index: number): boolean {
  return (text.codePointAt(index) ?? 0) > 0xffff;
}

function codePointAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0x3f);
}
