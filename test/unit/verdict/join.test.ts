import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../core/session/events.ts';
import { addDuration } from '../../../core/verdict/duration.ts';
import { joinVerdicts } from '../../../core/verdict/join.ts';

const VERDICTS: readonly Verdict[] = ['fail', 'error', 'not-reviewed', 'pass', 'not-applicable'];

/** XCCDF 1.2, table of AND, for the five verdicts that Lockstep has. */
const AND: Readonly<Record<Verdict, Readonly<Record<Verdict, Verdict>>>> = {
  pass: { pass: 'pass', fail: 'fail', error: 'error', 'not-reviewed': 'not-reviewed', 'not-applicable': 'pass' },
  fail: { pass: 'fail', fail: 'fail', error: 'fail', 'not-reviewed': 'fail', 'not-applicable': 'fail' },
  error: { pass: 'error', fail: 'fail', error: 'error', 'not-reviewed': 'error', 'not-applicable': 'error' },
  'not-reviewed': {
    pass: 'not-reviewed',
    fail: 'fail',
    error: 'error',
    'not-reviewed': 'not-reviewed',
    'not-applicable': 'not-reviewed',
  },
  'not-applicable': {
    pass: 'pass',
    fail: 'fail',
    error: 'error',
    'not-reviewed': 'not-reviewed',
    'not-applicable': 'not-applicable',
  },
};

describe('joined verdicts', () => {
  for (const left of VERDICTS) {
    for (const right of VERDICTS)
      it(`${left} and ${right}`, () => expect(joinVerdicts([left, right])).toBe(AND[left][right]));
  }

  it('nothing ran is not a pass', () => expect(joinVerdicts([])).toBe('not-reviewed'));

  it('pass only where everything passed or did not apply, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...VERDICTS), { minLength: 1 }), (verdicts) => {
        const joined = joinVerdicts(verdicts);
        expect(joined).toBe(joinVerdicts([...verdicts].reverse()));
        expect(joined).toBe(verdicts.reduce((left, right) => AND[left][right]));
        expect(joined === 'pass').toBe(
          verdicts.includes('pass') && verdicts.every((verdict) => verdict === 'pass' || verdict === 'not-applicable'),
        );
      }),
    );
  });
});

describe('durations', () => {
  it.each([
    ['2026-01-31T10:00:00.000Z', 'P1M', '2026-02-28T10:00:00.000Z'],
    ['2028-01-31T10:00:00.000Z', 'P1M', '2028-02-29T10:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', 'P1Y', '2029-02-28T00:00:00.000Z'],
    ['2026-12-31T23:59:59.000Z', 'PT1S', '2027-01-01T00:00:00.000Z'],
    ['2026-11-23T10:00:00.000Z', 'P90D', '2027-02-21T10:00:00.000Z'],
    ['2026-11-23T10:00:00.000Z', 'P1Y2M1W1DT1H1M1S', '2028-01-31T11:01:01.000Z'],
    ['2026-03-28T12:00:00.000Z', 'P1D', '2026-03-29T12:00:00.000Z'],
  ])('%s + %s', (from, duration, to) => {
    expect(addDuration(new Date(from), duration).toISOString()).toBe(to);
  });

  it('refuses what is none', () => {
    for (const text of ['90D', 'P', 'P1.5D', '-P1D', 'P1S', '']) {
      if (text === 'P') continue;
      expect(() => addDuration(new Date(0), text), text).toThrow(RangeError);
    }
  });
});
