import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPracticeCa, type PracticeCa } from '../../../engine/keys/practice-ca.ts';
import { directoryGroup } from '../../../engine/probes/directory-group.ts';
import { directorySite, runDirectoryProbe, testContext } from '../../support/directory.ts';
import { type FaultAnswer, type FaultLdap, type FaultSearch, startFaultLdap } from '../../support/fault-ldap.ts';

const PEOPLE = 15_000;
const RANGE = 1_500;
const PAGE = 500;
const ROLE = 'CN=role,DC=test';
const CONTAINER = 'OU=people,DC=test';

const person = (index: number) => ({
  dn: `CN=p${index},${CONTAINER}`,
  attributes: {
    objectClass: ['top', 'person', 'user'],
    sAMAccountName: [`p${index}`],
    userAccountControl: ['512'],
    lastLogonTimestamp: ['133801632000000000'],
  },
});
const everybody = Array.from({ length: PEOPLE }, (_, index) => person(index));

/** Active Directory with one group of 15,000, told in ranges of at most 1,500 up to `end`. */
function domain({ base, scope, attributes, cookie = '' }: FaultSearch, end: number): FaultAnswer {
  if (base === '')
    return {
      entries: [
        {
          dn: '',
          attributes: { supportedCapabilities: ['1.2.840.113556.1.4.800'], defaultNamingContext: ['DC=test'] },
        },
      ],
    };
  if (base === ROLE && !attributes.some((name) => name.startsWith('member')))
    return { entries: [{ dn: ROLE, attributes: {} }] };
  if (base === ROLE) {
    const start = Number(/^member;range=(\d+)-/.exec(attributes.join())?.[1] ?? 0);
    const values = everybody.slice(start, Math.min(start + RANGE, end)).map(({ dn }) => dn);
    const last = start + RANGE >= PEOPLE ? '*' : String(start + RANGE - 1);
    const member = { [`member;range=${start}-${last}`]: values };
    return {
      entries: [{ dn: ROLE, attributes: { objectClass: ['group'], sAMAccountName: ['role'], member: [], ...member } }],
    };
  }
  if (base === CONTAINER && scope === 1) {
    const start = Number(cookie);
    return { entries: everybody.slice(start, start + PAGE), cookie: start + PAGE < PEOPLE ? String(start + PAGE) : '' };
  }
  return { entries: [], cookie: '' };
}

describe('a group of 15,000, in ranges', () => {
  let ca: PracticeCa;
  let server: FaultLdap | undefined;

  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
  });
  afterEach(async () => server?.close());

  async function look(end: number, fault?: (search: FaultSearch) => FaultAnswer | undefined) {
    server = await startFaultLdap(ca, (search) => fault?.(search) ?? domain(search, end));
    const { host, address, port, caPem } = server;
    const site = directorySite({ host, address, ldaps: port, caPem, baseDn: 'DC=test', bindAccount: 'x@test' });
    return runDirectoryProbe(directoryGroup, { group: ROLE }, testContext(site, 'x'));
  }

  it('counts every one of them', async () => {
    const { facts } = await look(PEOPLE);
    expect(facts.direct.people).toBe(PEOPLE);
    expect(facts.effective).toMatchObject({ count: PEOPLE, disabled: 0, neverLoggedOn: 0 });
    expect(server?.searches.filter(({ attributes }) => /;range=/.test(attributes[0] ?? ''))).toHaveLength(
      PEOPLE / RANGE - 1,
    );
  });

  it('counts nobody where the directory stops in the middle of the ranges', async () => {
    expect((await look(6_000)).error).toMatchObject({
      code: 'ldap.protocol',
      message: expect.stringMatching(/cut off member/),
    });
  });

  it('counts nobody where the directory dies, refuses or cuts short while the members are read', async () => {
    const last = (search: FaultSearch) => search.base === CONTAINER && search.cookie === '14500';
    const died = await look(PEOPLE, (search) =>
      last(search) ? { entries: everybody.slice(14_500, 14_600), dies: true } : undefined,
    );
    expect(died.error).toMatchObject({ code: 'ldap.protocol' });
    await server?.close();
    // A page that is refused leaves them to be read by name, which brings nobody here.
    const refused = await look(PEOPLE, (search) => (last(search) ? { code: 12 } : undefined));
    expect(refused.facts.effective.count).toBeUndefined();
    expect(refused.absent['effective.count']).toMatch(/could not be read/);
    await server?.close();
    const short = await look(PEOPLE, (search) =>
      last(search) ? { entries: everybody.slice(14_500, 14_600), cookie: '' } : undefined,
    );
    expect(short.absent['effective.count']).toMatch(/400 members could not be read/);
  });

  it('tells members of domains below and beside this one by their domain', async () => {
    const member = [
      'CN=a,OU=x,DC=child,DC=test',
      'CN=b,OU=x,DC=child,DC=test',
      'CN=c,DC=other,DC=example',
      person(1).dn,
    ];
    const { facts, absent } = await look(PEOPLE, (search) => {
      const named = search.filter.includes(person(1).dn) || search.base === person(1).dn;
      if (search.base === ROLE) return { entries: [{ dn: ROLE, attributes: { objectClass: ['group'], member } }] };
      return named ? { entries: [person(1)], cookie: '' } : undefined;
    });
    expect(facts.effective.foreign).toEqual(['child.test (2)', 'other.example (1)']);
    expect(facts.direct).toMatchObject({ people: 1, other: 3 });
    expect(absent['effective.count']).toMatch(/3 members are principals of other domains/);
  });
});
