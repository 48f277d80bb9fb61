import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TLS_VERSIONS, type TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { alertName, alertOf } from '../../../engine/wire/tls/alerts.ts';
import { buildClientHello } from '../../../engine/wire/tls/client-hello.ts';
import { parseCertificates, parseFlight, parseServerHello } from '../../../engine/wire/tls/flight.ts';
import { firstAnswer as readFirst } from '../../../engine/wire/tls/offer.ts';
import { offeredVersions } from '../../../engine/wire/tls/offered-versions.ts';
import { verifyKeyExchange } from '../../../engine/wire/tls/plain-handshake.ts';
import { parseExtendedResponse } from '../../../engine/wire/tls/starttls-ldap.ts';
import {
  ORDINARY_SUITES,
  portionsOf,
  SUITE_NAMES,
  suitesOf,
  TLS13_SUITES,
  weakClass,
  weakSuitesOf,
} from '../../../engine/wire/tls/suites.ts';

/** To a hello with every suite of the version. */
const firstAnswer = (record: Buffer, version: TlsVersion, suites = suitesOf(version)) =>
  readFirst(record, version, suites);

const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));

/** A ServerHello record as a server sends it. */
function serverHello(
  version: number,
  suite: number,
  more: Buffer | { extensions?: Buffer; random?: Buffer; compression?: number } = {},
  session = Buffer.alloc(0),
): Buffer {
  const {
    extensions = Buffer.alloc(0),
    random = Buffer.alloc(32, 7),
    compression = 0,
  } = Buffer.isBuffer(more) ? { extensions: more } : more;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(extensions.length);
  const body = Buffer.concat([
    Buffer.from([version >> 8, version & 255]),
    random,
    Buffer.from([session.length]),
    session,
    Buffer.from([suite >> 8, suite & 255, compression]),
    ...(extensions.length === 0 ? [] : [length, extensions]),
  ]);
  const handshake = Buffer.concat([Buffer.from([2, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 3, handshake.length >> 8, handshake.length & 255]), handshake]);
}
const TLS13_EXTENSION = Buffer.from([0, 43, 0, 2, 3, 4]);
const keyShare = (group: number): Buffer => Buffer.from([0, 51, 0, 6, group >> 8, group & 255, 0, 2, 1, 1]);
const tls13 = (...extensions: Buffer[]): Buffer =>
  serverHello(0x0303, 0x1301, Buffer.concat([TLS13_EXTENSION, ...extensions]));
/** A HelloRetryRequest, which is known by its random (RFC 8446 section 4.1.3). */
const retry = (group?: number): Buffer =>
  serverHello(0x0303, 0x1301, {
    random: createHash('sha256').update('HelloRetryRequest').digest(),
    extensions: Buffer.concat([
      TLS13_EXTENSION,
      ...(group === undefined ? [] : [Buffer.from([0, 51, 0, 2, group >> 8, group & 255])]),
    ]),
  });

describe('the answer to a ClientHello', () => {
  it('reads a ServerHello in every version, whole or in pieces', () => {
    for (const [version, number] of [
      ['SSL 3.0', 0x0300],
      ['TLS 1.0', 0x0301],
      ['TLS 1.1', 0x0302],
      ['TLS 1.2', 0x0303],
    ] as const) {
      const record = serverHello(number, 0x0035);
      expect(firstAnswer(record, version)).toEqual({
        kind: 'hello',
        suite: 0x0035,
        suiteName: 'TLS_RSA_WITH_AES_256_CBC_SHA',
      });
      for (let cut = 1; cut < record.length; cut += 1)
        expect(firstAnswer(record.subarray(0, cut), version)).toBeUndefined();
    }
    const own = Buffer.concat([TLS13_EXTENSION, keyShare(0x001d)]);
    expect(firstAnswer(serverHello(0x0303, 0x1301, own, Buffer.alloc(32)), 'TLS 1.3')).toMatchObject({
      kind: 'hello',
      suite: 0x1301,
    });
  });

  it('calls a lower version a lower version, and a higher one nonsense', () => {
    expect(firstAnswer(serverHello(0x0302, 0x002f), 'TLS 1.2')).toMatchObject({ kind: 'lower', version: 0x0302 });
    expect(firstAnswer(serverHello(0x0303, 0x002f), 'TLS 1.0')).toMatchObject({ kind: 'other' });
  });

  it.each([
    ['a suite that was not offered', 'TLS 1.2', serverHello(0x0303, 0xc02f), [0x002f]],
    ['a lower version with a suite that was not offered', 'TLS 1.3', serverHello(0x0303, 0xc02f), TLS13_SUITES],
    ['a compression that was not offered', 'TLS 1.2', serverHello(0x0303, 0x002f, { compression: 1 }), [0x002f]],
    ['TLS 1.3 without its extension', 'TLS 1.3', serverHello(0x0304, 0x1301, keyShare(0x001d)), TLS13_SUITES],
    ['TLS 1.3 without a key', 'TLS 1.3', serverHello(0x0303, 0x1301, TLS13_EXTENSION), TLS13_SUITES],
    ['a key for a group that was not offered', 'TLS 1.3', tls13(keyShare(0x0018)), TLS13_SUITES],
    ['an extension twice', 'TLS 1.3', tls13(keyShare(0x001d), TLS13_EXTENSION), TLS13_SUITES],
    [
      'a version below 1.3 by the extension',
      'TLS 1.2',
      serverHello(0x0303, 0x2f, Buffer.from([0, 43, 0, 2, 3, 3])),
      [0x2f],
    ],
    ['a retry for the group that it had the key of', 'TLS 1.3', retry(0x001d), TLS13_SUITES],
    ['a retry for a group that was not offered', 'TLS 1.3', retry(0x9999), TLS13_SUITES],
    ['a retry that asks for nothing', 'TLS 1.3', retry(), TLS13_SUITES],
  ] as const)('does not take %s for acceptance', (_, version, record, suites) => {
    expect(firstAnswer(record, version, suites)).toMatchObject({ kind: 'other' });
  });

  it('takes a retry for another group that was offered', () => {
    expect(firstAnswer(retry(0x0018), 'TLS 1.3')).toMatchObject({ kind: 'hello', suite: 0x1301 });
  });

  it('tells refusals from alerts with another meaning, and ignores warnings', () => {
    const alert = (level: number, description: number): Buffer => Buffer.from([21, 3, 3, 0, 2, level, description]);
    expect(firstAnswer(alert(2, 70), 'TLS 1.0')).toEqual({ kind: 'alert', alert: 'protocol_version', refusal: true });
    expect(firstAnswer(alert(2, 40), 'TLS 1.0')).toMatchObject({ refusal: true });
    expect(firstAnswer(alert(2, 112), 'TLS 1.0')).toMatchObject({ alert: 'unrecognized_name', refusal: false });
    expect(firstAnswer(alert(2, 80), 'TLS 1.0')).toMatchObject({ alert: 'internal_error', refusal: false });
    expect(firstAnswer(alert(1, 112), 'TLS 1.2')).toBeUndefined();
    expect(firstAnswer(Buffer.concat([alert(1, 112), serverHello(0x0303, 0x2f)]), 'TLS 1.2')).toMatchObject({
      kind: 'hello',
    });
  });

  it.each([
    ['HTTP/1.1 400 Bad Request\r\n', 'HTTP in clear text'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'SSH'],
    ['220 mail ready\r\n', 'a text protocol with a greeting (SMTP or FTP)'],
    ['\x0bMSH|', 'HL7 (MLLP) in clear text'],
    ['0\x0c\x02\x01\x01', 'LDAP in clear text'],
    ['\x07\0\0\0\0\x04\0\0\x02\x02', 'DICOM in clear text'],
  ])('knows %j for what it is', (text, seen) => {
    expect(firstAnswer(Buffer.from(text, 'latin1'), 'TLS 1.2')).toEqual({ kind: 'not-tls', seen });
  });

  it('never throws and never sees acceptance in noise', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(...TLS_VERSIONS), (noise, version) => {
        const answer = firstAnswer(noise, version);
        // 38 well-formed bytes behind a well-formed header do not come about by chance.
        expect(answer?.kind).not.toBe('hello');
        parseFlight(noise);
        parseServerHello(noise);
        parseCertificates(noise);
        offeredVersions(noise);
        parseExtendedResponse(noise);
        expect(verifyKeyExchange(noise, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', Buffer.alloc(64), noise)).toBe(false);
      }),
      { numRuns: 2_000, seed: 20261123 },
    );
  });

  it('never throws on a ServerHello with flipped or missing bytes', () => {
    const good = serverHello(
      0x0303,
      0x1301,
      Buffer.concat([TLS13_EXTENSION, Buffer.from([0, 51, 0, 4, 0, 29, 0, 0])]),
      Buffer.alloc(32),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, end) => {
        const record = Buffer.from(good);
        record[at] = value;
        firstAnswer(record, 'TLS 1.3');
        firstAnswer(record.subarray(0, end), 'TLS 1.2');
        parseServerHello(record.subarray(9, end));
      }),
      { numRuns: 3_000, seed: 20261123 },
    );
  });
});

describe('the ClientHello', () => {
  it('offers exactly the version that is asked about', () => {
    for (const version of TLS_VERSIONS) {
      const { bytes: record } = buildClientHello(version, [0x002f], 'emr.hospital.test');
      expect(offeredVersions(record)).toEqual([version]);
      expect(record.readUInt16BE(3)).toBe(record.length - 5);
    }
  });

  it('carries what servers may insist on in every version below 1.3', () => {
    const extendedMasterSecret = Buffer.from([0, 23, 0, 0]);
    for (const version of ['TLS 1.0', 'TLS 1.1', 'TLS 1.2'] as const)
      expect(buildClientHello(version, [0x2f], 'emr.hospital.test').bytes.includes(extendedMasterSecret)).toBe(true);
  });

  it('names the server, but never sends an address as a name', () => {
    expect(buildClientHello('TLS 1.2', [0x2f], 'emr.hospital.test').bytes.includes('emr.hospital.test')).toBe(true);
    expect(buildClientHello('TLS 1.2', [0x2f], '192.0.2.1').bytes.includes('192.0.2.1')).toBe(false);
  });
});

describe('the suites', () => {
  it('fall into weak, ordinary and TLS 1.3 without overlap', () => {
    const weak = weakSuitesOf('TLS 1.2').filter((suite) => suite in SUITE_NAMES);
    expect([...weak, ...ORDINARY_SUITES, ...TLS13_SUITES].sort((a, b) => a - b)).toEqual(
      Object.keys(SUITE_NAMES)
        .map(Number)
        .sort((a, b) => a - b),
    );
    // What protects integrity only is weak in TLS 1.3, too, and SSL 3.0 had two suites of Netscape's own.
    expect(weakSuitesOf('TLS 1.3')).toEqual([0xc0b4, 0xc0b5]);
    expect(weakSuitesOf('SSL 3.0')).toEqual(expect.arrayContaining([0xfefe, 0xfeff]));
    for (const version of TLS_VERSIONS)
      for (const portion of portionsOf(suitesOf(version))) expect(portion.length).toBeLessThan(127);
    expect(
      Object.entries(SUITE_NAMES).filter(
        ([number, name]) => /NULL|anon|EXPORT|RC4|DES/.test(name) && weakClass(Number(number)) === undefined,
      ),
    ).toEqual([]);
    expect(new Set(weak.map(weakClass))).toEqual(new Set(['null', 'anonymous', 'export', 'rc4', '3des', 'des']));
  });
});

describe('alerts in the words of both TLS libraries', () => {
  it.each([
    [
      {
        code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
        message: 'ssl3_read_bytes:tlsv13 alert certificate required:SSL alert number 116',
      },
      'certificate_required',
    ],
    [{ code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', message: 'tls:TLSV1_ALERT_UNKNOWN_CA' }, 'unknown_ca'],
    [{ code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', message: 'x' }, 'handshake_failure'],
    [{ code: 'ECONNRESET', message: 'read ECONNRESET' }, undefined],
    [{ code: 'ERR_SSL_WRONG_VERSION_NUMBER', message: 'wrong version number' }, undefined],
  ])('%j', ({ code, message }, expected) => {
    expect(alertOf(Object.assign(new Error(message), { code }))).toBe(expected);
  });
  it('keeps an unknown number', () => expect(alertName(200)).toBe('alert_200'));
});
