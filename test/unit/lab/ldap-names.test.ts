import { describe, expect, it } from 'vitest';
import { dnKey, escapeValue, parentDn, parseDn } from '../../../lab/ldap-names.ts';
import { fileTime, generalizedTime, negativeTicks, sidToBytes } from '../../../lab/ldap-values.ts';

describe('names of directory entries', () => {
  it('reads escapes of RFC 4514', () => {
    expect(parseDn('CN=Night\\, Shift,OU=A\\2BB,DC=x')).toEqual([
      { type: 'CN', value: 'Night, Shift' },
      { type: 'OU', value: 'A+B' },
      { type: 'DC', value: 'x' },
    ]);
    expect(parseDn('CN=Z\\C3\\BCrich \\F0\\9F\\8F\\A5,DC=x')?.[0]?.value).toBe('Zürich 🏥');
    expect(parseDn('CN=Zürich 🏥,DC=x')?.[0]?.value).toBe('Zürich 🏥');
    expect(parseDn('')).toEqual([]);
  });

  it.each(['nonsense', 'CN=', '=x', 'CN=a,,DC=x', 'CN=a\\', 'C N=a'])('refuses %j', (dn) => {
    expect(parseDn(dn)).toBeUndefined();
  });

  it('finds one entry under every spelling', () => {
    const key = dnKey('CN=Night\\, Shift,DC=x');
    expect(dnKey('cn=night\\2c shift, dc=X')).toBe(key);
    expect(dnKey(key)).toBe(key);
    expect(dnKey('CN=Night,DC=x')).not.toBe(key);
    expect(dnKey('nonsense')).not.toBe(dnKey(''));
  });

  it('finds the parent behind an escaped comma', () => {
    expect(parentDn('CN=Night\\, Shift,OU=G,DC=x')).toBe('OU=G,DC=x');
    expect(parentDn('DC=x')).toBe('');
  });

  it.each([' a', 'a ', '#a', 'a,b', 'a\\b', 'a"b', 'a=b', 'ü'])('escapes %j so that it comes back', (value) => {
    expect(parseDn(`CN=${escapeValue(value)},DC=x`)?.[0]?.value).toBe(value);
  });
});

describe('values of Active Directory', () => {
  it('writes SIDs as MS-DTYP has them', () => {
    expect(sidToBytes('S-1-5-32-544')?.toString('hex')).toBe('01020000000000052000000020020000');
    for (const wrong of ['S-1', 'S-2-5-32', 'x', 'S-1-5-99999999999']) expect(sidToBytes(wrong)).toBeUndefined();
  });

  it('writes its times', () => {
    const date = new Date('2026-11-23T10:15:02.113Z');
    expect(generalizedTime(date)).toBe('20261123101502.0Z');
    expect(fileTime(new Date(0))).toBe('116444736000000000');
    expect(fileTime(new Date(1))).toBe('116444736000010000');
    expect(negativeTicks(900_000)).toBe('-9000000000');
  });
});
