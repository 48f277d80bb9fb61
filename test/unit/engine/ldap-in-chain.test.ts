import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPracticeCa, type PracticeCa } from '../../../engine/keys/practice-ca.ts';
import { directoryGroup } from '../../../engine/probes/directory-group.ts';
import { type FaultAnswer, type FaultLdap, type FaultSearch, startFaultLdap } from '../../support/fault-ldap.ts';
import { directorySite, runDirectoryProbe, testContext } from '../../support/directory.ts';

const PEOPLE = 1_300;
const IN_CHAIN = '1.2.840.113556.1.4.1941';
const KEY = new Uint8Array(32).fill(7);

/** Everybody in a container of their own, so that no container can be read for many. */
const dnOf = (index: number) => `CN=p${index},OU=u${index},DC=test`;
const person = (index: number) => ({
  dn: dnOf(index),
  attributes: {
    objectClass: ['top', 'person', 'user'],
    sAMAccountName: [`p${index}`],
    userAccountControl: ['512'],
    lastLogonTimestamp: ['133801632000000000'],
  },
});
const everybody = Array.from({ length: PEOPLE }, (_, index) => person(index));
const role = {
  dn: 'CN=role,DC=test',
  attributes: { objectClass: ['top', 'group'], sAMAccountName: ['role'], member: everybody.map(({ dn }) => dn) },
};

/** Waits without letting anything else run, as a server that thinks. */
function think(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** A directory that answers as Active Directory does; `whole` answers the question for all members at once. */
function domain(
  search: FaultSearch,
  perBatchMs: { plain: number; chain: number },
  whole: () => FaultAnswer,
): FaultAnswer {
  if (search.base === '')
    return {
      entries: [
        {
          dn: '',
          attributes: {
            supportedCapabilities: ['1.2.840.113556.1.4.800'],
            defaultNamingContext: ['DC=test'],
            namingContexts: ['DC=test'],
          },
        },
      ],
    };
  if (search.base === role.dn) return { entries: [role] };
  const named = [...search.filter.matchAll(/CN=p(\d+),OU/g)].map(([, index]) => person(Number(index)));
  const chain = search.filter.includes(IN_CHAIN);
  if (named.length > 0) {
    think(chain ? perBatchMs.chain : perBatchMs.plain);
    return { entries: named, cookie: '' };
  }
  return chain ? whole() : { entries: [], cookie: '' };
}

describe('reading members by in-chain matching', () => {
  let ca: PracticeCa;
  let server: FaultLdap | undefined;

  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
  });
  afterEach(async () => server?.close());

  async function look(
    perBatchMs: { plain: number; chain: number },
    whole: () => FaultAnswer = () => ({ entries: everybody, cookie: '' }),
  ) {
    server = await startFaultLdap(ca, (search) => domain(search, perBatchMs, whole));
    const { host, address, port, caPem } = server;
    const site = directorySite({ host, address, ldaps: port, caPem, baseDn: 'DC=test', bindAccount: 'x@test' });
    const { facts, error } = await runDirectoryProbe(
      directoryGroup,
      { group: role.dn },
      testContext(site, 'x', { siteKey: KEY }),
    );
    if (error !== undefined) throw new Error(error.message);
    const asked = server.searches.filter(({ filter }) => /CN=p\d+,OU/.test(filter)).length;
    return { effective: facts.effective, asked };
  }

  it('takes it where it costs nearly nothing, and finds the same people as by name', async () => {
    const fast = await look({ plain: 20, chain: 5 });
    expect(fast.effective).toMatchObject({ how: 'in-chain', count: PEOPLE });
    expect(fast.asked).toBe(4);
    await server?.close();
    const slow = await look({ plain: 2, chain: 40 });
    expect(slow.effective).toMatchObject({ how: 'walk', why: expect.stringMatching(/times as long/), count: PEOPLE });
    expect(slow.asked).toBe(PEOPLE / 50);
    expect(slow.effective.people).toEqual(fast.effective.people);
    expect(slow.effective.groups).toEqual(fast.effective.groups);
  });

  it.each([
    ['never comes', (): FaultAnswer => 'hang'],
    ['is refused', (): FaultAnswer => ({ code: 3 })],
    ['leaves people out', (): FaultAnswer => ({ entries: everybody.slice(0, 700), cookie: '' })],
  ])('reads by name what is left when the answer %s', async (_, whole) => {
    const { effective } = await look({ plain: 20, chain: 5 }, whole);
    expect(effective.count).toBe(PEOPLE);
    expect(effective.people).toHaveLength(PEOPLE);
  });
});
