import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { SearchRequest, PresenceFilter } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { entryMaker, isBinary } from '../../../engine/wire/ldap-entry.ts';
import { messageId, messageLength, readSearchMessage } from '../../../engine/wire/ldap-reader.ts';
import { pseudonymOf } from '../../../engine/wire/ldap-site.ts';
import { directorySite, testContext } from '../../support/directory.ts';

const ENTRY = Buffer.from(
  // 30 message { 02 id 7, 64 entry { dn CN=a, 30 { 30 { objectSid, 31 { ff 00 } } } } }
  '301e020107641904' + '04434e3d61' + '3011300f0409' + Buffer.from('objectSid').toString('hex') + '31020400',
  'hex',
);

describe('messages of a search', () => {
  it('tells where a message ends as soon as its length is there', () => {
    const message = new SearchRequest({
      messageId: 0x4000_0001,
      filter: new PresenceFilter({ attribute: 'x'.repeat(300) }),
    }).write();
    expect(messageLength(message, 0)).toBe(message.length);
    expect([1, 2, 3].map((length) => messageLength(message.subarray(0, length), 0))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(messageId(message)).toBe(0x4000_0001);
    expect(() => messageLength(Buffer.from('HTTP/1.1 400'), 0)).toThrow(/no LDAP/);
  });

  it('throws on what is cut off or no BER, and on nothing else', () => {
    const seen: string[] = [];
    readSearchMessage(ENTRY, isBinary, (dn, attributes) => seen.push(`${dn} ${attributes().length}`));
    expect(seen).toEqual(['CN=a 1']);
    for (let length = 2; length < ENTRY.length; length += 1)
      expect(() =>
        readSearchMessage(ENTRY.subarray(0, length), isBinary, (_, attributes) => void attributes()),
      ).toThrow(/malformed/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          readSearchMessage(
            Buffer.from([0x30, bytes.length, ...bytes]),
            isBinary,
            (_, attributes) => void attributes(),
          );
        } catch (error) {
          expect((error as Error).message).toBe('an LDAP message is malformed');
        }
      }),
    );
  });

  it('keeps bytes and text apart, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'grapheme' }), (bytes, text) => {
        const entry = entryMaker()('CN=a', [
          ['objectsid', [Buffer.from(bytes).toString('latin1')]],
          ['description', [text]],
          ['empty', []],
        ]);
        expect(entry.bytes('objectSid')).toEqual([Buffer.from(bytes)]);
        expect(entry.text('Description')).toBe(text);
        expect(entry.bytes('description')).toEqual([Buffer.from(text)]);
        expect(entry.names).toEqual(['objectsid', 'description']);
      }),
    );
  });
});

describe('pseudonyms', () => {
  it('are HMAC-SHA-256 under the key of the site', () => {
    const end = { host: 'a.test', address: '127.0.0.1', caPem: 'x', baseDn: 'DC=a', bindAccount: 'b', ldaps: 1 };
    for (const length of [16, 32, 64, 65, 200]) {
      const siteKey = randomBytes(length);
      const context = testContext(directorySite(end), 'x', { siteKey });
      expect(pseudonymOf(context, 'S-1-5-21-Ä')).toBe(createHmac('sha256', siteKey).update('s-1-5-21-ä').digest('hex'));
    }
  });
});
