import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWrongPassword, logonRefusal, resultError } from '../../../engine/wire/ldap-errors.ts';
import { mayReadMembers, membershipRights } from '../../../engine/wire/ldap-descriptor.ts';
import { parseStartTlsAnswer } from '../../../engine/wire/ldap-dial.ts';
import { nearest } from '../../../engine/wire/ldap-lookup.ts';
import { shapeOf } from '../../../engine/wire/ldap-shape.ts';
import {
  escapeDnValue,
  escapeFilterValue,
  foldDn,
  isWithin,
  ldifChange,
  leafName,
  normalizeDn,
  parentDn,
  parseDn,
} from '../../../engine/wire/ldap-names.ts';
import { isAdministrative, isBroad, isPrivileged } from '../../../engine/wire/ldap-principals.ts';
import {
  domainOf,
  parseFileTime,
  parseGeneralizedTime,
  parseInterval,
  parseSid,
  readGuid,
  relativeId,
} from '../../../engine/wire/ldap-values.ts';

const ADMINS = 'S-1-5-32-544';

/** A SID as bytes, written independently of the parser. */
function sidBytes(text: string): Buffer {
  const [, , authority, ...parts] = text.split('-').map(Number);
  const bytes = Buffer.alloc(8 + parts.length * 4);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(authority ?? 0, 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + index * 4));
  return bytes;
}

function guidBytes(text: string): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-');
  const swap = (hex: string) => Buffer.from(hex, 'hex').reverse();
  return Buffer.concat([swap(a), swap(b), swap(c), Buffer.from(d + e, 'hex')]);
}

type Ace = { type: number; flags?: number; mask: number; sid: string; object?: string; inherited?: string };

function descriptor(aces: readonly Ace[], owner = 'S-1-5-18'): Buffer {
  const bodies = aces.map(({ type, flags = 0, mask, sid, object, inherited }) => {
    const head = Buffer.alloc(8);
    head.writeUInt8(type, 0);
    head.writeUInt8(flags, 1);
    head.writeUInt32LE(mask, 4);
    const present = Buffer.alloc(4);
    present.writeUInt32LE((object === undefined ? 0 : 1) | (inherited === undefined ? 0 : 2));
    const guids = [object, inherited].flatMap((guid) => (guid === undefined ? [] : [guidBytes(guid)]));
    const body = Buffer.concat([head, ...([5, 6].includes(type) ? [present, ...guids] : []), sidBytes(sid)]);
    body.writeUInt16LE(body.length, 2);
    return body;
  });
  const acl = Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), ...bodies]);
  acl.writeUInt16LE(acl.length, 2);
  acl.writeUInt16LE(aces.length, 4);
  const header = Buffer.alloc(20);
  header.writeUInt8(1, 0);
  header.writeUInt16LE(0x8004, 2);
  header.writeUInt32LE(20, 4);
  header.writeUInt32LE(20 + sidBytes(owner).length, 16);
  return Buffer.concat([header, sidBytes(owner), acl]);
}

const MEMBER = 'bf9679c0-0de6-11d0-a285-00aa003049e2';
const USER = 'S-1-5-21-1-2-3-1105';

describe('identifiers', () => {
  it('reads SIDs and refuses what is not one', () => {
    expect(parseSid(sidBytes(ADMINS))).toBe(ADMINS);
    expect(parseSid(sidBytes('S-1-5-21-4294967295-0-17-513'))).toBe('S-1-5-21-4294967295-0-17-513');
    expect(parseSid(Buffer.concat([sidBytes(ADMINS), Buffer.from([0])]))).toBeUndefined();
    expect(parseSid(sidBytes(ADMINS).subarray(0, 12))).toBeUndefined();
    expect(parseSid(Buffer.alloc(0))).toBeUndefined();
    expect(relativeId('S-1-5-21-1-2-3-513')).toBe(513);
    expect(domainOf('S-1-5-21-1-2-3-513')).toBe('S-1-5-21-1-2-3');
    expect(readGuid(guidBytes(MEMBER))).toBe(MEMBER);
    expect(readGuid(Buffer.alloc(15))).toBeUndefined();
  });

  it('tells broad, privileged and administrative principals apart', () => {
    expect(['S-1-1-0', 'S-1-5-11', 'S-1-5-32-545', 'S-1-5-21-1-2-3-513', 'S-1-5-21-1-2-3-515'].every(isBroad)).toBe(
      true,
    );
    expect(['S-1-5-21-1-2-3-512', 'S-1-5-32-513', USER].some(isBroad)).toBe(false);
    expect(isPrivileged('S-1-5-21-1-2-3-512')).toBe(true);
    expect(isPrivileged('S-1-5-32-512')).toBe(false);
    expect(isAdministrative('S-1-5-32-548')).toBe(true);
    expect(isAdministrative('S-1-5-21-1-2-3-513')).toBe(false);
  });
});

describe('times', () => {
  it('reads FILETIME, with both spellings of never', () => {
    expect(parseFileTime('0')).toBe('never');
    expect(parseFileTime('9223372036854775807')).toBe('never');
    expect(parseFileTime('133801632000000000')).toEqual(new Date('2025-01-01T00:00:00Z'));
    expect(parseFileTime('')).toBeUndefined();
    expect(parseFileTime(undefined)).toBeUndefined();
    expect(parseFileTime('-1')).toBeUndefined();
  });

  it('reads intervals and generalized time', () => {
    expect(parseInterval('-36288000000000')).toBe(42 * 86_400_000);
    expect(parseInterval('0')).toBe(0);
    expect(parseInterval('-9223372036854775808')).toBe('never');
    expect(parseInterval('12')).toBeUndefined();
    expect(parseGeneralizedTime('20261123205648.0Z')).toEqual(new Date('2026-11-23T20:56:48Z'));
    expect(parseGeneralizedTime('20261123205648+0130')).toEqual(new Date('2026-11-23T19:26:48Z'));
    expect(parseGeneralizedTime('20260231000000Z')).toBeUndefined();
    expect(parseGeneralizedTime('2026')).toBeUndefined();
  });
});

describe('names', () => {
  it('escapes what filters and DNs would read as syntax', () => {
    expect(escapeFilterValue('a*(b)\\c\0')).toBe('a\\2a\\28b\\29\\5cc\\00');
    expect(escapeDnValue(' Müller, Dr. "A+B" #1 ')).toBe('\\ Müller\\, Dr. \\"A\\+B\\" #1\\ ');
    expect(escapeDnValue('#x')).toBe('\\#x');
    expect(escapeDnValue(' ')).toBe('\\ ');
    expect(escapeDnValue('  ')).toBe('\\ \\ ');
  });

  it('takes back every value it escaped', () => {
    const odd = fc.string({ unit: fc.constantFrom(...' ,+"\\<>;=#\0\na'.split('')), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), odd), (value) => {
        const dn = `CN=${escapeDnValue(value)},DC=test`;
        expect(parseDn(dn)?.[0]?.[0]?.value).toBe(value);
        expect(parentDn(dn)).toBe('DC=test');
      }),
      { numRuns: 1000 },
    );
  });

  it('folds a DN the short way as the long one does, whatever characters it has', () => {
    const odd = fc.constantFrom(...' ,+"\\<>;=#\0\t\u00a0ÄßİΣς7a'.split(''));
    const part = fc.oneof(
      fc.string({ unit: odd, minLength: 1, maxLength: 6 }),
      fc.string({ unit: 'grapheme', minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean(), (values, escaped) => {
        const dn = values.map((value) => `Cn=${escaped ? escapeDnValue(value) : value}`).join(',');
        expect(normalizeDn(dn)).toBe(foldDn(dn));
      }),
      { numRuns: 1000 },
    );
  });

  it('compares DNs by meaning', () => {
    expect(normalizeDn('cn=Ward\\2C 7, OU=A+L=b ,DC=Test')).toBe(normalizeDn('CN=ward\\, 7,l=B+ou=a,dc=test'));
    expect(isWithin('CN=x,OU=Groups,DC=a,DC=test', 'ou=groups, dc=a, dc=test')).toBe(true);
    expect(isWithin('CN=x,OU=Groups,DC=ba,DC=test', 'DC=a,DC=test')).toBe(false);
    expect(isWithin('CN=x\\,DC=a,DC=b', 'DC=a,DC=b')).toBe(false);
    expect(leafName('CN=Night \\287\\29,DC=a')).toBe('Night (7)');
    for (const wrong of ['nonsense', 'CN', 'CN=a,', 'CN=a,,DC=b', 'CN=a\\', 'CN="a"', 'CN=\\ff,DC=a'])
      expect(parseDn(wrong)).toBeUndefined();
  });

  it('writes LDIF that folds and encodes as RFC 2849 has it', () => {
    const ldif = ldifChange('CN=g,DC=test', 'add', { description: ['x'.repeat(100), ' leads', 'line\nbreak', 'ü'] });
    expect(ldif.split('\n').every((line) => line.length <= 76)).toBe(true);
    expect(ldif).toContain('description:: IGxlYWRz\n');
    expect(ldif).toContain('description:: bGluZQpicmVhaw==\n');
    expect(ldif).toContain('description:: w7w=\n');
    expect(ldif.replaceAll('\n ', '')).toContain(`description: ${'x'.repeat(100)}\n`);
  });

  it('finds near spellings, nearest first', () => {
    expect(
      nearest('MDIP-Clinical', ['MDIP-Clinic', 'MDIP_Clinicals', 'Finance', 'MDIP-Klinikal', 'Domain Users']),
    ).toEqual(['MDIP_Clinicals', 'MDIP-Clinic', 'MDIP-Klinikal']);
    expect(nearest('x', [])).toEqual([]);
  });
});

describe('who may read the members of a group', () => {
  const may = (aces: Ace[], ...sids: string[]) => mayReadMembers(descriptor(aces), new Set(sids));
  const everyone = 'S-1-1-0';

  it('is decided by the first entry that speaks of it', () => {
    const read: Ace = { type: 0, mask: 0x10, sid: everyone };
    const denied: Ace = { type: 6, mask: 0x10, object: MEMBER, sid: USER };
    expect(may([read], everyone)).toBe(true);
    expect(may([read], USER)).toBe(false);
    expect(may([], everyone)).toBe(false);
    expect(may([denied, read], everyone, USER)).toBe(false);
    expect(may([denied, read], everyone)).toBe(true);
    expect(may([read, denied], everyone, USER)).toBe(true);
    expect(may([{ type: 5, mask: 0x10, object: MEMBER, sid: USER }], USER)).toBe(true);
  });

  it('is not given by what speaks of something else, or by a condition', () => {
    const others: Ace[] = [
      { type: 0, mask: 0x20, sid: USER },
      { type: 0, flags: 0x08, mask: 0x10, sid: USER },
      { type: 5, mask: 0x10, object: 'bf967950-0de6-11d0-a285-00aa003049e2', sid: USER },
      { type: 9, mask: 0x10, sid: USER },
    ];
    for (const ace of others) expect(may([ace], USER), JSON.stringify(ace)).toBe(false);
    expect(
      may(
        [
          { type: 0x0a, mask: 0x10, sid: USER },
          { type: 0, mask: 0x10, sid: USER },
        ],
        USER,
      ),
    ).toBe(false);
    expect(mayReadMembers(Buffer.alloc(3), new Set([USER]))).toBeUndefined();
  });
});

describe('who may change a group', () => {
  it('finds every right that leads to the membership', () => {
    const cases: [Partial<Ace> & { type: number; mask: number }, string[]][] = [
      [{ type: 0, mask: 0x000f01ff }, ['GenericAll']],
      [{ type: 0, mask: 0x10000000 }, ['GenericAll']],
      [{ type: 0, mask: 0x40000000 }, ['GenericWrite']],
      [{ type: 0, mask: 0x00040000 }, ['WriteDacl']],
      [{ type: 0, mask: 0x00080000 }, ['WriteOwner']],
      [{ type: 0, mask: 0x20 }, ['WriteMember']],
      [{ type: 5, mask: 0x20, object: MEMBER }, ['WriteMember']],
      [{ type: 5, mask: 0x08, object: MEMBER }, ['AddSelf']],
      [{ type: 5, mask: 0x20, object: MEMBER, inherited: 'bf967a9c-0de6-11d0-a285-00aa003049e2' }, ['WriteMember']],
    ];
    for (const [ace, rights] of cases)
      expect(membershipRights(descriptor([{ sid: USER, ...ace }]))).toContainEqual({ sid: USER, rights });
  });

  it('leaves out rights that do not', () => {
    const cases: Ace[] = [
      { type: 0, mask: 0x00020014, sid: USER },
      { type: 1, mask: 0x000f01ff, sid: USER },
      { type: 0, flags: 0x08, mask: 0x000f01ff, sid: USER },
      { type: 5, mask: 0x20, object: 'bf967950-0de6-11d0-a285-00aa003049e2', sid: USER },
      { type: 5, mask: 0x20, object: MEMBER, inherited: 'bf967aba-0de6-11d0-a285-00aa003049e2', sid: USER },
    ];
    for (const ace of cases)
      expect(membershipRights(descriptor([ace]))).toEqual([{ sid: 'S-1-5-18', rights: ['Owner'] }]);
  });

  it('does not take a broken descriptor for one that grants nothing', () => {
    const whole = descriptor([{ type: 0, mask: 0x000f01ff, sid: USER }]);
    for (let length = 0; length < whole.length; length += 1)
      expect(membershipRights(whole.subarray(0, length))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void membershipRights(bytes)));
  });
});

describe('the shape of nesting', () => {
  const shape = (edges: Record<string, string[]>) => shapeOf('root', new Map(Object.entries(edges)));
  it('measures the longest chain and finds circles', () => {
    expect(shape({ root: [] })).toEqual({ depth: 0, cyclic: [] });
    expect(shape({ root: ['a', 'b'], a: ['b'], b: ['c'], c: [] })).toEqual({ depth: 3, cyclic: [] });
    expect(shape({ root: ['a'], a: ['b'], b: ['a', 'c'], c: [] })).toEqual({ depth: 3, cyclic: ['a', 'b'] });
    expect(shape({ root: ['root'] })).toMatchObject({ cyclic: ['root'] });
  });
  it('survives a chain of ten thousand', () => {
    const edges = new Map(
      Array.from({ length: 10_000 }, (_, index) => [`g${index}`, index === 9_999 ? [] : [`g${index + 1}`]]),
    );
    expect(shapeOf('g0', edges)).toEqual({ depth: 9_999, cyclic: [] });
  });
});

describe('answers', () => {
  it('reads the answer to StartTLS only when it stands alone', () => {
    const granted = Buffer.from('300c02010178070a010004000400', 'hex');
    expect(parseStartTlsAnswer(granted)).toEqual({ code: 0, diagnostic: '' });
    for (let length = 0; length < granted.length; length += 1)
      expect(parseStartTlsAnswer(granted.subarray(0, length))).toBe('more');
    expect(parseStartTlsAnswer(Buffer.concat([granted, Buffer.from([0])]))).toBeUndefined();
    expect(parseStartTlsAnswer(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).not.toMatchObject({ code: 0 });
  });

  it('says in words why a logon was refused, and who can help', () => {
    const refused = (data: string) =>
      resultError(
        {
          code: 49,
          diagnostic: `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data ${data}, v1db1`,
        },
        'The logon',
        'dc1:636',
      );
    expect(refused('52e')).toMatchObject({
      code: 'ldap.credentials',
      fixBy: 'operator',
      message: expect.stringContaining('wrong'),
    });
    expect(refused('775')).toMatchObject({ fixBy: 'hospital', message: expect.stringContaining('locked') });
    expect(refused('532')).toMatchObject({ message: expect.stringContaining('expired') });
    expect(resultError({ code: 49, diagnostic: '' }, 'The logon', 'x')).toMatchObject({ fixBy: 'operator' });
  });

  // MS-ERREF, as Active Directory writes them after "data"; only the first two say nothing about the account.
  it.each([
    ['52e', 'wrong', true],
    ['525', 'no such user', true],
    ['530', 'hour', false],
    ['531', 'workstation', false],
    ['532', 'password has expired', false],
    ['533', 'disabled', false],
    ['701', 'account has expired', false],
    ['773', 'changed at the next logon', false],
    ['775', 'locked', false],
  ])('explains sub-code %s', (data, says, wrong) => {
    const diagnostic = `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data ${data}, v1db1`;
    const error = resultError({ code: 49, diagnostic }, 'The logon', 'dc1:636');
    expect(error.message).toContain(says);
    expect(logonRefusal(diagnostic)).toMatchObject({ code: data });
    expect(isWrongPassword(error)).toBe(wrong);
  });
});
