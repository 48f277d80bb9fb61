import type { WebCrypto } from '../bundle/host.ts';
import { fail, ok, type Result } from '../result.ts';

/** Bytes of a site key. */
export const SITE_KEY_BYTES = 32;
/** Says what a line in a password vault is, and which form of it. */
const PREFIX = 'LSK1';
const CHECK_BYTES = 3;
const GROUP = 4;
/** Crockford's base 32: no I, L, O or U, so that a key can be read out and typed. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = ((SITE_KEY_BYTES + CHECK_BYTES) * 8) / 5;
/** What the id of a key is an HMAC of, and how many bytes of it. */
export const KEY_ID = { label: 'lockstep site key id', bytes: 8 } as const;

/** A key in memory with the id by which journals and facts name it. */
export type SiteKey = { readonly bytes: Uint8Array<ArrayBuffer>; readonly id: string };

/**
 * Makes a site key for a hospital. The text is the only form in which it is kept, by the hospital, outside of Lockstep.
 * @param bytes 32 bytes from the random source of the platform
 * @returns the key and its text: `LSK1-` and 14 groups of 4 characters, of which the last hold a checksum
 */
export async function makeSiteKey(
  bytes: Uint8Array<ArrayBuffer>,
  webCrypto: WebCrypto,
): Promise<{ key: SiteKey; text: string }> {
  if (bytes.length !== SITE_KEY_BYTES) throw new Error(`a site key has ${SITE_KEY_BYTES} bytes`);
  const whole = new Uint8Array([...bytes, ...(await checksum(bytes, webCrypto))]);
  let bits = '';
  for (const byte of whole) bits += byte.toString(2).padStart(8, '0');
  const digits = (bits.match(/.{5}/g) ?? []).map((five) => DIGITS[Number.parseInt(five, 2)]).join('');
  const text = [PREFIX, ...(digits.match(new RegExp(`.{${GROUP}}`, 'g')) ?? [])].join('-');
  return { key: { bytes, id: await siteKeyId(bytes, webCrypto) }, text };
}

/**
 * Reads a site key as a person typed it: case, blanks and dashes do not count, O is 0, I and L are 1.
 * Error: `input.malformed`, which never repeats what was typed.
 */
export async function readSiteKey(text: string, webCrypto: WebCrypto): Promise<Result<SiteKey>> {
  const plain = text.toUpperCase().replace(/[\s\p{Pd}]+/gu, '');
  if (!plain.startsWith(PREFIX))
    return fail('input.malformed', `This is no site key: a site key begins with ${PREFIX}.`);
  const digits = plain.slice(PREFIX.length).replaceAll('O', '0').replace(/[IL]/g, '1');
  if (digits.length !== CHARACTERS)
    return fail(
      'input.malformed',
      `This site key has ${digits.length} characters behind ${PREFIX}; ${CHARACTERS} belong there.`,
    );
  const values = Array.from(digits, (digit) => DIGITS.indexOf(digit));
  const odd = values.indexOf(-1);
  if (odd >= 0)
    return fail(
      'input.malformed',
      `Character ${(odd % GROUP) + 1} of group ${Math.floor(odd / GROUP) + 1} of this site key is none that a site key has.`,
    );
  const bits = values.map((value) => value.toString(2).padStart(5, '0')).join('');
  const whole = Uint8Array.from(bits.match(/.{8}/g) ?? [], (eight) => Number.parseInt(eight, 2));
  const bytes = whole.slice(0, SITE_KEY_BYTES);
  const check = await checksum(bytes, webCrypto);
  if (!check.every((byte, index) => byte === whole[SITE_KEY_BYTES + index]))
    return fail('input.malformed', 'This site key is mistyped: its checksum does not fit. Compare it with the vault.');
  return ok({ bytes, id: await siteKeyId(bytes, webCrypto) });
}

/** HMAC of a fixed label under the key, hex: tells two keys apart and says nothing about either. */
async function siteKeyId(bytes: Uint8Array<ArrayBuffer>, { subtle }: WebCrypto): Promise<string> {
  const key = await subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = await subtle.sign('HMAC', key, new TextEncoder().encode(KEY_ID.label));
  return Array.from(new Uint8Array(mac).subarray(0, KEY_ID.bytes), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
}

async function checksum(bytes: Uint8Array<ArrayBuffer>, { subtle }: WebCrypto): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest('SHA-256', bytes)).subarray(0, CHECK_BYTES);
}
