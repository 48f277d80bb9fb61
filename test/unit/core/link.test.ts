import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveLink, type LinkEnd, type Observation } from '../../../core/links/link.ts';

type Status = 'observed' | 'refuted' | 'not-tested';
const STATUSES: readonly Status[] = ['observed', 'refuted', 'not-tested'];
const TWINS = ['absent', 'closed', 'open', 'filtered', 'error'] as const;
const error: Observation = { error: { code: 'tcp.timeout', message: 'no answer' } };

const good = {
  speaksTls: true,
  chain: { trusted: true, reason: 'x' },
  name: { matches: true },
  validity: { valid: true },
};
const SERVER: Record<Status, Observation> = {
  observed: { facts: good, absent: [] },
  refuted: { facts: { ...good, chain: { trusted: false, reason: 'No anchor.' } }, absent: [] },
  'not-tested': error,
};
const CLIENT: Record<Status, Observation> = {
  observed: { facts: { insists: true }, absent: [] },
  refuted: { facts: { insists: false }, absent: [] },
  'not-tested': { facts: {}, absent: [{ path: 'insists', reason: 'no good identity' }] },
};
const DEVICE: Record<Status, Observation> = {
  observed: { facts: { connected: true, spokeTls: true, refused: true }, absent: [] },
  refuted: { facts: { connected: true, spokeTls: true, refused: false }, absent: [] },
  'not-tested': { facts: { connected: false }, absent: [{ path: 'refused', reason: 'nobody connected' }] },
};
const TWIN: Record<(typeof TWINS)[number], Observation | undefined> = {
  absent: undefined,
  closed: { facts: { open: [], closed: [2575], filtered: [] } },
  open: { facts: { open: [2575], closed: [], filtered: [] } },
  filtered: { facts: { open: [], closed: [80], filtered: [2575] } },
  error,
};
const REQUIRES: readonly LinkEnd[][] = [
  [],
  ['server'],
  ['client'],
  ['device'],
  ['server', 'client'],
  ['server', 'device'],
  ['client', 'device'],
  ['server', 'client', 'device'],
];

function observations(
  server: Status,
  client: Status,
  device: Status,
  twin: (typeof TWINS)[number],
): Record<string, Observation> {
  const ports = TWIN[twin];
  return {
    'tls.endpoint': SERVER[server],
    'tls.client-authentication': CLIENT[client],
    'tls.impostor': DEVICE[device],
    ...(ports === undefined ? {} : { 'tcp.ports': ports }),
  };
}

describe('a link is authenticated only where every required end was observed', () => {
  for (const server of STATUSES) {
    for (const client of STATUSES) {
      for (const device of STATUSES) {
        it(`server ${server}, client ${client}, device ${device}`, () => {
          for (const twin of TWINS) {
            for (const requires of REQUIRES) {
              const link = deriveLink(observations(server, client, device, twin), requires);
              const status: Record<LinkEnd, Status> = { server, client, device };
              const wanted = (requires.length === 0 ? ['server', 'client', 'device'] : requires) as LinkEnd[];
              expect(Object.fromEntries(Object.entries(link.ends).map(([end, seen]) => [end, seen.status]))).toEqual(
                status,
              );
              const expected =
                twin === 'open'
                  ? 'clear'
                  : wanted.some((end) => status[end] === 'refuted')
                    ? 'encrypted-only'
                    : server !== 'not-tested' &&
                        (twin === 'absent' || twin === 'closed') &&
                        wanted.every((end) => status[end] === 'observed')
                      ? 'encrypted-and-authenticated'
                      : undefined;
              expect(link.state, `${twin} ${requires.join(' ')}`).toBe(expected);
              expect(link.absent.map((fact) => fact.path)).toEqual(expected === undefined ? ['state'] : []);
              expect('state' in link).toBe(expected !== undefined);
              expect(link.sentence.length).toBeGreaterThan(10);
            }
          }
        });
      }
    }
  }
});

/** A value as a probe might give it: the right one, its opposite, none, or nonsense. */
const odd = (right: unknown) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(right) },
    { weight: 1, arbitrary: fc.constantFrom(!right, undefined, null, 'true', 1, [], {}) },
  );
const listed = fc.uniqueArray(
  fc.constantFrom(
    'speaksTls',
    'chain',
    'chain.trusted',
    'name.matches',
    'validity.valid',
    'insists',
    'refused',
    'connected',
    'open',
    'filtered',
  ),
  { maxLength: 2 },
);
const seen = (facts: fc.Arbitrary<unknown>): fc.Arbitrary<Observation | undefined> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        facts,
        absent: listed.map((paths) => paths.map((path) => ({ path, reason: 'cut off' }))),
      }),
    },
    { weight: 1, arbitrary: fc.constant(error) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
const walks = fc.record({
  endpoint: seen(
    fc.record({
      speaksTls: odd(true),
      chain: fc.record({ trusted: odd(true) }),
      name: fc.record({ matches: odd(true) }),
      validity: fc.record({ valid: odd(true) }),
    }),
  ),
  client: seen(fc.record({ insists: odd(true) })),
  device: seen(fc.record({ connected: odd(true), spokeTls: odd(true), refused: odd(true) })),
  ports: seen(
    fc.record({ open: fc.constantFrom([], [], [80], undefined), filtered: fc.constantFrom([], [], [80], undefined) }),
  ),
  requires: fc.constantFrom(...REQUIRES),
});

describe('whatever was seen', () => {
  it('authenticated means that each end that is required was seen to be so', () => {
    let authenticated = 0;
    fc.assert(
      fc.property(walks, ({ endpoint, client, device, ports, requires }) => {
        const given = Object.entries({
          'tls.endpoint': endpoint,
          'tls.client-authentication': client,
          'tls.impostor': device,
          'tcp.ports': ports,
        }).flatMap(([probe, one]) => (one === undefined ? [] : [[probe, one] as const]));
        const link = deriveLink(Object.fromEntries(given), requires);
        // Only what is there and not listed as absent counts.
        const is = (one: Observation | undefined, ...paths: string[]): boolean =>
          paths.every((path) => {
            if (one === undefined || 'error' in one) return false;
            const gone = (one.absent ?? []).some((fact) => path === fact.path || path.startsWith(`${fact.path}.`));
            return (
              !gone &&
              path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], one.facts) ===
                true
            );
          });
        const proof: Record<LinkEnd, boolean> = {
          server: is(endpoint, 'speaksTls', 'chain.trusted', 'name.matches', 'validity.valid'),
          client: is(client, 'insists'),
          device: is(device, 'refused', 'connected'),
        };
        for (const end of ['server', 'client', 'device'] as const)
          expect(link.ends[end].status === 'observed').toBe(proof[end]);
        if (link.state !== 'encrypted-and-authenticated') return;
        authenticated += 1;
        const wanted = requires.length === 0 ? (['server', 'client', 'device'] as const) : requires;
        expect(wanted.every((end) => proof[end])).toBe(true);
        expect(is(endpoint, 'speaksTls')).toBe(true);
        expect(link.absent).toEqual([]);
      }),
      { numRuns: 6_000, seed: 20261129 },
    );
    expect(authenticated).toBeGreaterThan(100);
  });
});

describe('a link without proof', () => {
  it('is undecided with no observation at all', () => {
    const link = deriveLink({});
    expect(link.state).toBeUndefined();
    expect(Object.values(link.ends).map((end) => end.status)).toEqual(['not-tested', 'not-tested', 'not-tested']);
  });

  it.each([
    ['the server answers in clear', { 'tls.endpoint': { facts: { speaksTls: false, clearText: 'HTTP' }, absent: [] } }],
    [
      'the device sends in clear',
      {
        'tls.endpoint': SERVER.observed,
        'tls.impostor': { facts: { connected: true, spokeTls: false, refused: false } },
      },
    ],
  ])('is clear where %s', (_, seen) => {
    expect(deriveLink(seen as Record<string, Observation>).state).toBe('clear');
  });

  it.each([
    ['name', { ...good, name: { matches: false } }, 'refuted'],
    ['validity', { ...good, validity: { valid: false } }, 'refuted'],
    ['no name', { ...good, name: undefined }, 'not-tested'],
    ['no validity', { ...good, validity: undefined }, 'not-tested'],
    ['no chain', { ...good, chain: undefined }, 'not-tested'],
    ['null chain', { ...good, chain: null }, 'not-tested'],
    ['strings instead of booleans', { ...good, chain: { trusted: 'true' } }, 'not-tested'],
  ])('%s does not count as proof of the server', (_, facts, status) => {
    const link = deriveLink({
      'tls.endpoint': { facts },
      'tls.client-authentication': CLIENT.observed,
      'tls.impostor': DEVICE.observed,
    });
    expect(link.ends.server.status).toBe(status);
    expect(link.state).not.toBe('encrypted-and-authenticated');
  });

  it('does not believe a value that is listed as absent', () => {
    const link = deriveLink({
      'tls.endpoint': SERVER.observed,
      'tls.client-authentication': CLIENT.observed,
      'tls.impostor': { facts: { connected: true, refused: true }, absent: [{ path: 'refused', reason: 'cut off' }] },
    });
    expect(link.ends.device.status).toBe('not-tested');
    expect(link.state).toBeUndefined();
  });

  it('does not take a refusal by a device that never connected', () => {
    const link = deriveLink({
      'tls.endpoint': SERVER.observed,
      'tls.client-authentication': CLIENT.observed,
      'tls.impostor': { facts: { connected: false, refused: true } },
    });
    expect(link.ends.device.status).toBe('not-tested');
  });
});
