import { createHmac, webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WebCrypto } from '../../../core/bundle/host.ts';
import { KEY_ID, makeSiteKey, SITE_KEY_BYTES, readSiteKey } from '../../../core/people/site-key.ts';
import { value } from '../../support/evidence.ts';

const webCrypto = webcrypto as WebCrypto;
const make = () => makeSiteKey(globalThis.crypto.getRandomValues(new Uint8Array(SITE_KEY_BYTES)), webCrypto);
const read = (text: string) => readSiteKey(text, webCrypto);

describe('a site key', () => {
  it('is 32 random bytes that are read back from their text', async () => {
    const { key, text } = await make();
    expect(key.bytes).toHaveLength(32);
    expect(text).toMatch(/^LSK1(-[0-9A-HJKMNP-TV-Z]{4}){14}$/);
    expect(value(await read(text))).toEqual(key);
    expect((await make()).text).not.toBe(text);
  });

  it('is read however a person types it', async () => {
    const { key, text } = await make();
    const sloppy = ` ${text.toLowerCase().replaceAll('-', ' ')}\n`.replaceAll('0', 'o').replaceAll(/(?<=.{5})1/g, 'l');
    expect(value(await read(sloppy))).toEqual(key);
    expect(value(await read(text.replaceAll('-', '–')))).toEqual(key);
  });

  it('has an id that is an HMAC of a fixed label, and nothing of the key', async () => {
    const { key } = await make();
    expect(key.id).toBe(createHmac('sha256', key.bytes).update('lockstep site key id').digest('hex').slice(0, 16));
    expect(KEY_ID).toEqual({ label: 'lockstep site key id', bytes: 8 });
  });

  it('is refused with one wrong character, two that were swapped, and one too few', async () => {
    const { text } = await make();
    const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    await fc.assert(
      fc.asyncProperty(fc.nat(55), fc.nat(31), async (at, digit) => {
        const index = 5 + at + Math.floor(at / 4);
        const mistyped = text.slice(0, index) + (digits[digit] ?? '') + text.slice(index + 1);
        const answer = await read(mistyped);
        expect(answer.ok).toBe(mistyped === text);
        if (!answer.ok) expect(answer.error.message).toMatch(/mistyped/);
      }),
      { numRuns: 200 },
    );
    const [first, second] = [text.slice(5, 9), text.slice(10, 14)];
    if (first !== second) expect((await read(text.replace(`${first}-${second}`, `${second}-${first}`))).ok).toBe(false);
    expect(await read(text.slice(0, -1))).toMatchObject({ error: { code: 'input.malformed', message: /has 55/ } });
  });

  it('names what is wrong and never repeats what was typed', async () => {
    const { text } = await make();
    const odd = `${text.slice(0, 10)}U${text.slice(11)}`;
    expect(await read(odd)).toMatchObject({ error: { message: /Character 1 of group 2/ } });
    for (const typed of ['', 'my secret password', odd, text.slice(0, 30), text.replace('LSK1', 'LSK2')]) {
      const answer = await read(typed);
      expect(answer.ok).toBe(false);
      if (typed !== '') expect(JSON.stringify(answer)).not.toContain(typed);
    }
  });
});
