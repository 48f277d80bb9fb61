import { describe, expect, it } from 'vitest';
import { valueAtPointer } from '../../../core/json-pointer.ts';
import {
  changedPlaces,
  holdsSecret,
  membersNamed,
  sameSetting,
  settingDiff,
  withValue,
} from '../../../engine/changes/setting-value.ts';
import { createPracticeCa } from '../../../engine/keys/practice-ca.ts';

const WHOLE = { 'a/b': { '~': [{ x: 1 }, { x: 2 }] }, web: { port: 1, tls: true } };

describe('a value at a pointer', () => {
  it.each([
    ['', WHOLE],
    ['/a~1b/~0/1/x', 2],
    ['/web/none', undefined],
    ['/web/port/x', undefined],
    ['/constructor', undefined],
  ])('%j', (at, wanted) => {
    expect(valueAtPointer(WHOLE, at)).toEqual(wanted);
  });

  it('is replaced, or laid over what is there', () => {
    const steps = ['web'];
    expect(withValue(WHOLE, steps, { port: 2 }, { merge: false })).toEqual({ ...WHOLE, web: { port: 2 } });
    expect(withValue(WHOLE, steps, { port: 2 }, { merge: true })).toEqual({ ...WHOLE, web: { port: 2, tls: true } });
    expect(withValue(WHOLE, ['a/b', '~', '0', 'x'], 3, { merge: false })).toMatchObject({
      'a/b': { '~': [{ x: 3 }, { x: 2 }] },
    });
  });
});

describe('the members that are named', () => {
  it('are all that is left, and none may be missing', () => {
    expect(membersNamed(WHOLE, { web: { tls: false } })).toEqual({ web: { tls: true } });
    expect(membersNamed(WHOLE, { web: { tls: false, none: 1 } })).toBeUndefined();
    expect(membersNamed('text', { tls: false })).toBeUndefined();
  });
});

describe('a secret', () => {
  it.each<[string, unknown, boolean]>([
    ['/web/password', 'x', true],
    ['/web/password', '', true],
    ['/users/passwords/0', 'x', true],
    ['/credentials/user', 'x', true],
    ['', { web: { adminPassword: 'x' } }, true],
    ['', [{ apiKey: 1 }], true],
    ['/password', 123456, true],
    ['/directory/credentialCacheDays', -1, false],
    ['/directory/credentialCacheDays', 'hunter2', true],
    ['', { passwordPolicy: { minimumLength: 8, complex: true } }, false],
    ['', { passwordPolicy: { minimumLength: 8, last: 'x' } }, true],
    ['/web/passwordRequired', true, false],
    ['/web/title', 'x', false],
  ])('%s %j: %s', (at, value, wanted) => {
    expect(holdsSecret(at, value)).toBe(wanted);
  });
});

describe('what a person is shown', () => {
  it('has a line for each member, and marks those that change', () => {
    expect(settingDiff('/audit', { on: true, host: '', port: 514 }, { on: true, host: 'siem', port: 514 })).toBe(
      '   /audit/on: true\n-  /audit/host: ""\n+  /audit/host: "siem"\n   /audit/port: 514\n',
    );
    expect(changedPlaces('/audit', { on: true, host: '' }, { on: true, host: 'siem' })).toEqual(['/audit/host']);
    expect(changedPlaces('', { web: { port: 1 } }, { web: { port: 2 } })).toEqual(['/web/port']);
  });

  it('knows a certificate however its lines are wrapped', async () => {
    const { roots } = await createPracticeCa({ now: new Date('2026-01-01T00:00:00Z') });
    const one = roots.hospital;
    const wrapped = one.replace(
      /(?<=-\n)[^-]+/,
      (body) =>
        `${body
          .replaceAll('\n', '')
          .match(/.{1,76}/g)
          ?.join('\r\n')}\r\n`,
    );
    expect(wrapped).not.toBe(one);
    expect(sameSetting({ pem: one }, { pem: wrapped })).toBe(true);
    expect(sameSetting(one, roots.engineer)).toBe(false);
    // Two in one text are not the one.
    expect(sameSetting(one, one + roots.engineer)).toBe(false);
    expect(settingDiff('/pem', roots.engineer, one)).toMatch(
      /^- {2}\/pem: certificate of .*Engineer Root CA, until 20\d\d-\d\d-\d\d, SHA-256 [0-9a-f]{64}\n\+ {2}\/pem: certificate of .*Hospital Root CA.*\n$/,
    );
  });
});
