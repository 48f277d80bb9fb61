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
