import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileEditSchema } from '../../../core/changes/ssh-file.ts';
import { touchesOwnWay } from '../../../engine/changes/auto-revert.ts';
import { applyEdits, type Values } from '../../../engine/changes/file-edits.ts';
import { makeHider } from '../../../engine/changes/hidden-values.ts';
import { readJson, setInJson, valueOf } from '../../../engine/changes/json-text.ts';
import { unifiedDiff } from '../../../engine/changes/unified-diff.ts';

const edit = (text: string | undefined, edits: readonly object[], values: Values = {}) => {
  const parsed = edits.map((one) => fileEditSchema.parse(one));
  const done = applyEdits(text, parsed, values);
  if (!done.ok) return done.error.code;
  // Whether an edit is in effect is seen by doing it again.
  expect(applyEdits(done.value, parsed, values)).toEqual(done);
  return done.value;
};

const COMMENTED = `{
  /* general { */
  "Name" : "Orthanc", // "not" a member
  "Nested" : { "a" : [ 1, 2 ] },
  "Empty" : {
  },
  "Users" : {
    // "alice" : "a"
  },
  "One" : { // one
  }
}
`;

describe('edits of a file', () => {
  it.each([
    ['/Name', 'X', '"Name" : "Orthanc"', '"Name" : "X"'],
    ['/Name', { '{{ a }}': '{{ b }}' }, '"Orthanc"', '{\n    "1": "x"\n  }'],
    ['/Nested/a', [3], '[ 1, 2 ]', '[\n    3\n  ]'],
    ['/Nested/b', true, '{ "a" : [ 1, 2 ] }', '{\n    "b": true,\n    "a" : [ 1, 2 ] }'],
    ['/Empty/x', 1, '{\n  }', '{\n    "x": 1\n  }'],
    ['/Users/x', 1, ' {\n    // "alice"', ' {\n    "x": 1\n    // "alice"'],
    ['/One/x', 1, '{ // one', '{\n    "x": 1\n    // one'],
    ['/New/deep', null, '{\n  /* general', '{\n  "New": {\n    "deep": null\n  },\n  /* general'],
  ])('sets %s in JSON and leaves comments and the rest alone', (json, value, from, to) => {
    expect(edit(COMMENTED, [{ json, value }], { a: 1, b: 'x' })).toBe(COMMENTED.replace(from, to));
  });

  it('leaves a member alone that has the value, however it is written', () => {
    expect(edit(COMMENTED, [{ json: '/Nested', value: { a: [1, 2] } }])).toBe(COMMENTED);
  });

  it.each([
    ['no JSON', 'mode = 1', '/a', 'input.malformed'],
    ['a key that stands twice', '{"a":1,"a":2}', '/a', 'input.malformed'],
    ['a comma too many', '{"a":1,}', '/a', 'input.malformed'],
    ['a way through a number', '{"a":1}', '/a/b', 'change.refused'],
    ['bottomless brackets', '['.repeat(100_000), '/a', 'input.malformed'],
  ])('refuses %s', (_, text, json, code) => {
    expect(edit(text, [{ json, value: 1 }])).toBe(code);
  });

  it('reads what JSON.stringify writes, and sets any member of it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string(),
        fc.jsonValue(),
        fc.nat(4),
        (object, key, value, space) => {
          const text = JSON.stringify(object, null, space);
          const read = readJson(text);
          const plain: unknown = JSON.parse(text);
          expect(read.ok && valueOf(read.value)).toEqual(plain);
          const pointer = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
          const set = setInJson(text, pointer, value);
          if (!set.ok) throw new Error(set.error.message);
          expect((JSON.parse(set.value) as Record<string, unknown>)[key]).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a value', 'Port 22\nX yes\n', { key: 'port', value: '23' }, 'port 23\nX yes\n'],
    [
      'what is missing, before Match',
      '#c\nMatch User a\n  X y\n',
      { key: 'X', value: 'n' },
      'X n\n#c\nMatch User a\n  X y\n',
    ],
    [
      'a key in its section',
      '[a]\nk=1\n[b]\nk = 1\n',
      { key: 'k', value: '2', separator: ' = ', section: 'b' },
      '[a]\nk=1\n[b]\nk = 2\n',
    ],
    ['a section that is missing', 'x=1', { key: 'k', value: '2', separator: '=', section: 'b' }, 'x=1\n\n[b]\nk=2\n'],
    ['a line, with its indent', 'a {\n  b;\n}\n', { line: 'b;', with: 'c;\nd;' }, 'a {\n  c;\n  d;\n}\n'],
    ['a line that goes', 'a\nb\n', { line: 'a', with: '' }, 'b\n'],
    ['a line that stays beside a new one', 'a\nb\n', { line: 'a', with: 'a\nc' }, 'a\nc\nb\n'],
    ['lines of Windows', 'k=1\r\nj=2\r\n', { key: 'j', value: '3', separator: '=' }, 'k=1\r\nj=3\r\n'],
    ['not what has the value', 'k  =  1\n', { key: 'k', value: '1', separator: '=' }, 'k  =  1\n'],
    ['the whole', undefined, { whole: '{{ a }} {{b}}' }, '1 x'],
  ] as const)('sets %s', (_, text, one, wanted) => {
    expect(edit(text, [one], { a: 1, b: 'x' })).toBe(wanted);
  });

  it.each([
    ['a key that stands twice', 'k 1\nk 2\n', { key: 'k', value: '3' }, 'change.refused'],
    ['a line that is not there', 'a\n', { line: 'b', with: 'c' }, 'change.refused'],
    ['a line that stands twice', 'a\na\n', { line: 'a', with: 'c' }, 'change.refused'],
    ['a file that is not there', undefined, { key: 'a', value: 'c' }, 'change.refused'],
    ['a value that brings a line of its own', 'k 1\n', { key: 'k', value: '{{ evil }}' }, 'change.refused'],
    ['a name that nobody gave', 'k 1\n', { key: 'k', value: '{{ secret.x }}' }, 'guide.invalid'],
  ] as const)('refuses %s', (_, text, one, code) => {
    expect(edit(text, [one], { evil: 'a\nb' })).toBe(code);
  });
});

describe('secrets in files', () => {
  const hide = (text: string, keys: string[] = [], secrets: string[] = []) => makeHider(keys, secrets)()(text);

  it.each([
    ['password=abc', 'password=‹hidden 1›'],
    ['# rocommunity public 10.0.0.0/8', '# rocommunity ‹hidden 1›'],
    ['"apiToken": "abc",', '"apiToken": ‹hidden 1›'],
    ['PasswordAuthentication no', 'PasswordAuthentication no'],
    ['  proxy_pass http://127.0.0.1:8042;', '  proxy_pass http://127.0.0.1:8042;'],
    ['  proxy_pass http://a:b@127.0.0.1:8042;', '  proxy_pass ‹hidden 1›'],
    ['smtp_pass abc;', 'smtp_pass ‹hidden 1›'],
    [
      '{"RegisteredUsers": {\n// "a": "b"\n"c": "d" /* once "e" */}}',
      '{"RegisteredUsers": {\n// ‹hidden 1›\n"c": ‹hidden 2› /* ‹hidden 3› */}}',
    ],
    [
      '{ /* "password": "b", "x": "//" */ "url": "a//b", // "Token" : 5\n"y": 1}',
      '{ /* "password": ‹hidden 1›, "x": "//" */ "url": "a//b", // "Token" : ‹hidden 2›\n"y": 1}',
    ],
    ['{ // "password": true, the password is: none\n}', '{ // "password": true, the password is: none\n}'],
    ['url = ldap://svc:abc@dc1/', 'url = ldap://svc:‹hidden 1›@dc1/'],
    [
      '{"RegisteredUsers": {"a": "b", "c": "b"}, "Port": 1}',
      '{"RegisteredUsers": {"a": ‹hidden 1›, "c": ‹hidden 1›}, "Port": 1}',
    ],
    [
      '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----',
      '-----BEGIN EC PRIVATE KEY-----‹hidden 1›-----END EC PRIVATE KEY-----',
    ],
    ['port 80', 'port 80'],
    ['{"TlsPrivateKey": "/etc/x/key.pem"}', '{"TlsPrivateKey": "/etc/x/key.pem"}'],
    ['private_key = ab/cd', 'private_key = ‹hidden 1›'],
  ])('in %s', (text, shown) => {
    expect(hide(text).text).toBe(shown);
    expect(hide(text).hidden > 0).toBe(text !== shown);
  });

  it('that the guide names, and those that are put in, wherever they stand', () => {
    expect(hide('pin 1234', ['PIN']).text).toBe('pin ‹hidden 1›');
    expect(hide('x y"z z', [], ['y"z']).text).toBe('x ‹hidden 1› z');
    expect(hide('{"x": "y\\"z"}', [], ['y"z']).text).toBe('{"x": "‹hidden 1›"}');
  });

  it('have the same mark on both sides of a diff only where they are the same', () => {
    const both = makeHider([], [])();
    expect([both('password a').text, both('password b').text, both('password a').text]).toEqual([
      'password ‹hidden 1›',
      'password ‹hidden 2›',
      'password ‹hidden 1›',
    ]);
  });
});

describe('a diff', () => {
  it('is written as diff -u does', () => {
    const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', ''].join('\n');
    expect(unifiedDiff(before, before.replace('3\n', 'x\n').replace('9\n', ''), '/f')).toBe(
      [
        '--- /f',
        '+++ /f',
        '@@ -1,5 +1,5 @@',
        ' 1',
        ' 2',
        '-3',
        '+x',
        ' 4',
        ' 5',
        '@@ -7,3 +7,2 @@',
        ' 7',
        ' 8',
        '-9',
        '',
      ].join('\n'),
    );
    expect(unifiedDiff('', 'a\n', '/f')).toBe('--- /f\n+++ /f\n@@ -0,0 +1,1 @@\n+a\n');
    expect(unifiedDiff('a', 'a\n', '/f')).toContain('no newline at the end');
    expect(unifiedDiff('a', 'a', '/f')).toBe('');
  });

  it('holds every line of both sides', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (old, now) => {
        const shown = unifiedDiff(
          old.map((line) => `${line}\n`).join(''),
          now.map((line) => `${line}\n`).join(''),
          '/f',
        );
        const count = (sign: string) =>
          shown.split('\n').filter((line) => line.startsWith(sign) && !/^(?:---|\+\+\+) /.test(line)).length;
        expect(count('+') - count('-')).toBe(now.length - old.length);
      }),
    );
  });
});

describe('a change of the own way', () => {
  it.each([
    ['/etc/ssh/sshd_config', undefined, true],
    ['/etc/nftables.conf', undefined, true],
    ['/opt/x.conf', 'systemctl restart ssh', true],
    ['/opt/x.conf', 'netplan apply', true],
    ['/etc/orthanc/orthanc.json', 'systemctl restart orthanc', false],
    ['/etc/nginx/nginx.conf', undefined, false],
  ])('is seen: %s, %s', (path, restart, own) => {
    expect(touchesOwnWay(path, restart, [])).toBe(own);
  });
});
