import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clockOffsetProbe } from '../../engine/probes/clock-offset.ts';
import { type Chrony, startChrony } from '../support/chrony.ts';
import { freePort } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext, runProbe } from '../support/probe.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const YEAR_MS = 365 * 86_400_000;

describe.skipIf(!needs('nginx', 'chronyd'))('clock.offset against nginx and chrony', () => {
  let ca: ThrowawayCa;
  let nginx: Awaited<ReturnType<typeof startNginx>>;
  let chrony: Chrony;
  beforeAll(async () => {
    ca = await createThrowawayCa();
    // A certificate that nobody vouches for: with a wrong clock a good one would be refused as well.
    const leaf = await ca.issue('leaf', { commonName: 'x', sans: ['x.test'], usage: 'server', selfSigned: true });
    nginx = await startNginx(leaf);
    chrony = await startChrony();
  });
  afterAll(async () => {
    await nginx?.stop();
    await chrony?.stop();
    await ca?.remove();
  });
  const both = () => ({
    http: [`https://127.0.0.1:${nginx.port}/`],
    ntp: [{ host: '127.0.0.1', port: chrony.port }],
  });

  it('finds a clock that is right', async () => {
    const { facts } = await factsOf(clockOffsetProbe, both(), probeContext());
    expect(Math.abs(facts.offsetSeconds)).toBeLessThan(3);
    expect(facts.clocks.map((clock: { by: string }) => clock.by)).toEqual(['ntp', 'http']);
    expect(facts.clocks[0].stratum).toBeGreaterThan(0);
    expect(facts.silent).toEqual([]);
  });

  it.each([
    ['a year slow', -YEAR_MS],
    ['ten minutes fast', 600_000],
  ])("finds this computer's clock %s", async (_, wrong) => {
    const now = new Date(Date.now() + wrong);
    for (const one of [{ http: both().http }, { ntp: both().ntp }]) {
      const { facts } = await factsOf(clockOffsetProbe, one, probeContext({ now }));
      // The context's clock stands still, which costs a few seconds on a busy machine.
      expect(Math.abs(facts.offsetSeconds + wrong / 1000)).toBeLessThan(20);
    }
  });

  it('says who kept silent, and is an error where nobody told the time', async () => {
    const dead = { host: '127.0.0.1', port: await freePort() };
    const { facts } = await factsOf(clockOffsetProbe, { ...both(), ntp: [dead] }, probeContext());
    expect(facts.silent).toEqual([
      { place: `127.0.0.1:${dead.port}`, reason: expect.stringMatching(/time server|answer/) },
    ]);
    expect(await errorOf(clockOffsetProbe, { ntp: [dead] }, probeContext())).toBe('probe.inconclusive');
    const dateless = await startNginx({ directives: ['location /x { return 444; }'] });
    try {
      expect(await errorOf(clockOffsetProbe, { http: [`http://127.0.0.1:${dateless.port}/x`] }, probeContext())).toBe(
        'probe.inconclusive',
      );
    } finally {
      await dateless.stop();
    }
  });

  it('wants somebody to ask', () => {
    expect(clockOffsetProbe.declaration.params.safeParse({}).success).toBe(false);
  });
});

describe('clock.offset against time servers that misbehave', () => {
  const sockets: Socket[] = [];
  afterAll(() => sockets.forEach((socket) => socket.close()));
  /** A time server whose packets are as the test wants them. */
  const server = (answer: (request: Buffer) => Buffer | undefined): Promise<number> =>
    new Promise((resolve) => {
      const socket = createSocket('udp4');
      sockets.push(socket);
      socket.on('message', (request: Buffer, from: RemoteInfo) => {
        const packet = answer(request);
        if (packet !== undefined) socket.send(packet, from.port, from.address);
      });
      socket.bind(0, '127.0.0.1', () => resolve(socket.address().port));
    });
  const packet = (request: Buffer, { first = 0x24, stratum = 2, transmit = Date.now() / 1000 } = {}): Buffer => {
    const bytes = Buffer.alloc(48);
    bytes[0] = first;
    bytes[1] = stratum;
    request.copy(bytes, 24, 40, 48);
    for (const at of [32, 40]) bytes.writeUInt32BE(Math.floor(transmit + 2_208_988_800) % 2 ** 32, at);
    return bytes;
  };
  const ask = async (answer: (request: Buffer) => Buffer | undefined) => {
    const port = await server(answer);
    return runProbe(clockOffsetProbe, { ntp: [{ host: '127.0.0.1', port }] }, probeContext());
  };

  it.each<[string, (request: Buffer) => Buffer | undefined]>([
    ['an answer to somebody else', () => packet(Buffer.alloc(48, 7))],
    ['one that is not synchronized', (request) => packet(request, { first: 0xe4 })],
    ['a kiss of death', (request) => packet(request, { stratum: 0 })],
    ['another client', (request) => packet(request, { first: 0x23 })],
    ['a packet that is cut off', (request) => packet(request).subarray(0, 47)],
    ['no time at all', (request) => packet(request, { transmit: -2_208_988_800 })],
  ])('takes no time from %s', async (_, answer) => {
    expect(await ask(answer)).toMatchObject({ ok: false, error: { code: 'probe.inconclusive' } });
  });

  it('passes over what is forged, and reads what follows', async () => {
    let forged = true;
    const answered = await ask((request) => {
      const bytes = forged ? packet(Buffer.alloc(48, 7), { transmit: 1 }) : packet(request);
      forged = !forged;
      return bytes;
    });
    expect(answered).toMatchObject({ ok: true });
  });

  it('reads the time after the year 2036, when the seconds begin anew', async () => {
    const later = Date.UTC(2040, 0, 1) / 1000;
    const answered = await ask((request) => packet(request, { transmit: later }));
    if (!answered.ok) throw new Error(answered.error.message);
    expect(Math.abs(answered.value.facts.offsetSeconds - (later - Date.now() / 1000))).toBeLessThan(20);
  });
});
