import { describe, expect, it } from 'vitest';
import { diffLines } from '../../renderer/lib/diff-lines.ts';
import { appError } from '../../core/result.ts';
import { faultsOf } from '../../renderer/lib/faults.ts';
import { showDuration, showName, showTimesIn } from '../../renderer/lib/format.ts';
import { opensslLines } from '../../renderer/lib/openssl.ts';
import { joinPlaces } from '../../renderer/lib/visible.ts';

const faults = (cause: string) => faultsOf(appError('site.invalid', 'The site file has faults.', { cause }));

describe('the faults that an error carries', () => {
  it('have line, column, path and words, on every system', () => {
    expect(faults('/home/a b/site.yaml:12:5 devices.0.host: a host name')).toEqual([
      { line: 12, column: 5, path: 'devices.0.host', text: 'a host name' },
    ]);
    expect(faults('C:\\sites\\site.yaml:3:1 unknown key "x"')).toEqual([
      { line: 3, column: 1, text: 'unknown key "x"' },
    ]);
    expect(faults('7:2 links: expected array')).toEqual([
      { line: 7, column: 2, path: 'links', text: 'expected array' },
    ]);
  });

  it('lose no line that has no position', () => {
    expect(faults('site.yaml:1:1 one\nsomething else')).toEqual([
      { line: 1, column: 1, text: 'one' },
      { text: 'something else' },
    ]);
  });

  it('are none where the cause is one sentence', () => {
    expect(faults('connect ECONNREFUSED 127.0.0.1')).toEqual([]);
    expect(faultsOf(appError('internal', 'x'))).toEqual([]);
  });
});

describe('names and times for people', () => {
  it('are words', () => {
    expect(showName('clockOffsetSeconds')).toBe('Clock offset seconds');
    expect(showName('tls10')).toBe('TLS 1.0');
    expect(showName('dn')).toBe('DN');
    expect(showDuration('P90D')).toBe('90 days');
    expect(showDuration('P1Y6M')).toBe('1 year 6 months');
    expect(showDuration('PT5M')).toBe('PT5M');
  });
});

describe('the stock commands', () => {
  it('survive a name with a quote, and name one signature while provisional', () => {
    expect(opensslLines("St. Anne's.asice", false)).toContain("unzip -q 'St. Anne'\\''s.asice'");
    expect(opensslLines('a.asice', false)).not.toContain('signature002');
    expect(opensslLines('a.asice', true)).toContain('signature002.p7s');
  });
});

describe('the lines of a plan', () => {
  const kinds = (text: string) =>
    diffLines(text)
      .map(({ kind }) => kind[0])
      .join('');

  it('tells what is written from what goes, in LDIF and in plain diffs', () => {
    expect(kinds('dn: CN=G\nchangetype: add\nobjectClass: group\ndescription:: AAA\n AAA\n')).toBe('aawww');
    expect(kinds('dn: CN=G\nchangetype: delete\n')).toBe('ar');
    expect(kinds('# S-1 is N\ndn: CN=G\nchangetype: modify\ndelete: member\nmember: CN=A\n-\n')).toBe('aaaara');
    expect(kinds('dn: O\nchangetype: modify\nreplace: description\n-\nadd: member\nmember: A\n-\n')).toBe('aaaaawa');
    expect(kinds('PUT https://x\n-  a: "1"\n+  a: "2"\n')).toBe('arw');
  });
});

describe('times in a sentence', () => {
  it('are said as everywhere else, and nothing else is touched', () => {
    expect(showTimesIn('It ends on 2026-12-08T15:43:07.000Z (8 days), not on 2026-12-09.')).toBe(
      'It ends on 8 Dec 2026, 15:43 UTC (8 days), not on 2026-12-09.',
    );
  });
});

describe('what monitoring will see', () => {
  it('is said once for all places where it is done alike', () => {
    const one = (place: string) => `Up to 60 connections to ${place}, one at a time.`;
    expect(joinPlaces([one('dc1.x.test:636'), 'A ping.', one('emr.x.test:2575'), one('dc1.x.test:636')])).toEqual([
      'Up to 60 connections to each of dc1.x.test:636 and emr.x.test:2575, one at a time.',
      'A ping.',
    ]);
    expect(joinPlaces([one('dc1.x.test:636'), one('dc1.x.test:636')])).toEqual([one('dc1.x.test:636')]);
  });

  it('keeps apart what is done otherwise, and what names more than one place', () => {
    const both = ['From a:1 to b:2.', 'From a:1 to b:3.', 'A search at a:1.'];
    expect(joinPlaces(both)).toEqual(both);
  });
});
