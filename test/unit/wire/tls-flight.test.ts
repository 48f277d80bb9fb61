import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TLS_VERSIONS } from '../../../core/probes/tls-endpoint.ts';
import { alertName, alertOf } from '../../../engine/wire/tls/alerts.ts';
import { buildClientHello } from '../../../engine/wire/tls/client-hello.ts';
import { parseCertificates, parseFlight, parseServerHello } from '../../../engine/wire/tls/flight.ts';
import { firstAnswer } from '../../../engine/wire/tls/offer.ts';
import { offeredVersions } from '../../../engine/wire/tls/offered-versions.ts';
import { verifyKeyExchange } from '../../../engine/wire/tls/plain-handshake.ts';
import { parseExtendedResponse } from '../../../engine/wire/tls/starttls-ldap.ts';
import { ORDINARY_SUITES, SUITE_NAMES, TLS13_SUITES, WEAK_SUITES, weakClass } from '../../../engine/wire/tls/suites.ts';

const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));

/** A ServerHello record as a server sends it. */
function serverHello(
  version: number,
  suite: number,
  extensions: Buffer = Buffer.alloc(0),
  session = Buffer.alloc(0),
): Buffer {
  const random = Buffer.alloc(32, 7);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(extensions.length);
  const body = Buffer.concat([
    Buffer.from([version >> 8, version & 255]),
    random,
    Buffer.from([session.length]),
    session,
    Buffer.from([suite >> 8, suite & 255, 0]),
    ...(extensions.length === 0 ? [] : [length, extensions]),
  ]);
  const handshake = Buffer.concat([Buffer.from([2, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 3, handshake.length >> 8, handshake.length & 255]), handshake]);
}
const TLS13_EXTENSION = Buffer.from([0, 43, 0, 2, 3, 4]);

describe('the answer to a ClientHello', () => {
  it('reads a ServerHello in every version, whole or in pieces', () => {
    for (const [version, number] of [
      ['SSL 3.0', 0x0300],
      ['TLS 1.0', 0x0301],
      ['TLS 1.1', 0x0302],
      ['TLS 1.2', 0x0303],
    ] as const) {
      const record = serverHello(number, 0xc02f);
      expect(firstAnswer(record, version)).toEqual({
        kind: 'hello',
        suite: 0xc02f,
        suiteName: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      });
      for (let cut = 1; cut < record.length; cut += 1)
        expect(firstAnswer(record.subarray(0, cut), version)).toBeUndefined();
    }
    expect(firstAnswer(serverHello(0x0303, 0x1301, TLS13_EXTENSION, Buffer.alloc(32)), 'TLS 1.3')).toMatchObject({
      kind: 'hello',
      suite: 0x1301,
    });
  });

  it('calls a lower version a lower version, and a higher one nonsense', () => {
    expect(firstAnswer(serverHello(0x0303, 0xc02f), 'TLS 1.3')).toMatchObject({ kind: 'lower', version: 0x0303 });
    expect(firstAnswer(serverHello(0x0303, 0xc02f), 'TLS 1.0')).toMatchObject({ kind: 'other' });
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

  it('names the server, but never sends an address as a name', () => {
    expect(buildClientHello('TLS 1.2', [0x2f], 'emr.hospital.test').bytes.includes('emr.hospital.test')).toBe(true);
    expect(buildClientHello('TLS 1.2', [0x2f], '192.0.2.1').bytes.includes('192.0.2.1')).toBe(false);
  });
});

describe('the suites', () => {
  it('fall into weak, ordinary and TLS 1.3 without overlap', () => {
    expect([...WEAK_SUITES, ...ORDINARY_SUITES, ...TLS13_SUITES].sort((a, b) => a - b)).toEqual(
      Object.keys(SUITE_NAMES)
        .map(Number)
        .sort((a, b) => a - b),
    );
    expect(
      Object.entries(SUITE_NAMES).filter(
        ([number, name]) => /NULL|anon|EXPORT|RC4|DES/.test(name) && weakClass(Number(number)) === undefined,
      ),
    ).toEqual([]);
    expect(new Set(WEAK_SUITES.map(weakClass))).toEqual(new Set(['null', 'anonymous', 'export', 'rc4', '3des', 'des']));
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
