import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fail, ok, type Result } from '../../../core/result.ts';
import type { ServerHello } from '../../../engine/wire/tls/flight.ts';
import { surveyFeatures } from '../../../engine/wire/tls/features.ts';
import { refusalsOf } from '../../../engine/wire/tls/refusals.ts';
import { type Inquiry, type InquiryAnswer, readAnswer } from '../../../engine/wire/tls/inquiry.ts';

const REFUSED: InquiryAnswer = { kind: 'alert', alert: 'handshake_failure', refusal: true };
const hello = (more: Partial<ServerHello> = {}): ServerHello => ({
  version: 0x0303,
  random: Buffer.alloc(32),
  suite: 0xc02f,
  retry: false,
  compression: 0,
  extensions: new Map(),
  ...more,
});

/** A server that answers by a function; what it was asked is kept. */
async function survey(
  answer: (inquiry: Inquiry, count: number) => InquiryAnswer | Result<never>,
  accepts: Parameters<typeof surveyFeatures>[2] = { tls12: true, tls13: false },
  stopped?: string,
) {
  const asked: Inquiry[] = [];
  const result = await surveyFeatures(
    async (inquiry) => {
      asked.push(inquiry);
      const given = answer(inquiry, asked.length);
      return 'ok' in given ? given : ok(given);
    },
    refusalsOf(async () => ok({ kind: 'closed' })),
    accepts,
    stopped,
    false,
  );
  return { asked, result, ...(result.ok ? result.value : { facts: {}, absent: [], suites: {} }) };
}

describe('what a server offers besides', () => {
  it('sees compression, and the lack of secure renegotiation and of the extended master secret', async () => {
    const { facts } = await survey((inquiry) =>
      inquiry.wantsGroup === true ? REFUSED : { kind: 'hello', hello: hello({ compression: 1 }) },
    );
    expect(facts).toMatchObject({
      compression: true,
      secureRenegotiation: false,
      extendedMasterSecret: false,
      sessionTickets: false,
      alpn: [],
    });
  });

  it('takes a hang-up for a refusal only between two answers', async () => {
    const hangUp = (quiet: boolean) => (inquiry: Inquiry, count: number) => {
      const first = inquiry.groups?.includes(0x001d) === true;
      if (first && !(quiet && count > 2))
        return { kind: 'hello' as const, hello: hello({ version: 0x0304 }), group: 0x001d };
      return { kind: 'closed' as const };
    };
    const accepts = { tls12: false, tls13: true };
    expect((await survey(hangUp(false), accepts)).facts.groups).toEqual(['X25519']);
    const { facts, absent } = await survey(hangUp(true), accepts);
    expect(facts.groups).toBeUndefined();
    expect(absent.find(({ path }) => path === 'groups')?.reason).toMatch(/accepted: X25519\): the server hung up/);
  });

  it.each([
    ['keeps silent', { kind: 'silent' } as const],
    ['refuses connections', fail('tcp.refused', 'Refused.')],
  ])('leaves a server alone that %s', async (_, answer) => {
    const { asked, facts, absent } = await survey(() => answer);
    expect(asked).toHaveLength(1);
    expect(facts).toEqual({});
    expect(absent.map(({ path }) => path).sort()).toEqual([
      'alpn',
      'compression',
      'extendedMasterSecret',
      'groups',
      'secureRenegotiation',
      'sessionTickets',
      'suiteOrder',
    ]);
  });

  it('asks nothing of a server that is to be left alone, and ends with a cancel', async () => {
    expect((await survey(() => REFUSED, { tls12: true }, 'it fell silent')).asked).toEqual([]);
    expect((await survey(() => fail('probe.cancelled', 'Cancelled.'))).result).toMatchObject({ ok: false });
  });

  it('believes no suite and no protocol that was not offered', async () => {
    const { facts, absent } = await survey((inquiry) => {
      if (inquiry.wantsGroup === true) return { kind: 'hello', hello: hello(), group: 0x9999 };
      const list = Buffer.from('\0\x03\x02xy', 'latin1');
      return { kind: 'hello', hello: hello({ extensions: new Map([[16, list]]) }) };
    });
    expect(facts.groups).toBeUndefined();
    expect(facts.alpn).toBeUndefined();
    expect(absent.find(({ path }) => path === 'alpn')?.reason).toMatch(/not offered/);
  });

  it('reads any bytes without a throw', () => {
    const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
    const record = bytes.map((body) =>
      Buffer.concat([
        Buffer.from([
          22,
          3,
          3,
          (body.length + 4) >> 8,
          (body.length + 4) & 255,
          2,
          0,
          body.length >> 8,
          body.length & 255,
        ]),
        body,
      ]),
    );
    fc.assert(
      fc.property(fc.oneof(bytes, record), fc.constantFrom('TLS 1.2', 'TLS 1.3'), (noise, version) => {
        readAnswer(noise, { version, suites: [0x1301], wantsGroup: true });
      }),
      { numRuns: 1_000 },
    );
  });
});
