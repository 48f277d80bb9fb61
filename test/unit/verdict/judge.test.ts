import { describe, expect, it } from 'vitest';
import { makePlan, type PlanItem } from '../../../core/guide/plan.ts';
import { guideSchema } from '../../../core/guide/schema.ts';
import type { FactsFile } from '../../../core/session/events.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { appError } from '../../../core/result.ts';
import { type CheckOutcome, judgeItem } from '../../../core/verdict/judge.ts';

const SITE = siteSchema.parse({
  site: 'ward',
  name: 'Ward',
  roles: [{ id: 'nurse', name: 'Nurse', group: 'MDIP-Nurse' }],
});

function item(control: Record<string, unknown>): PlanItem {
  const guide = guideSchema.parse({
    guide: 'g',
    version: '1.0.0',
    title: 'G',
    publisher: { name: 'P', contact: 'c' },
    product: { vendor: 'V', name: 'N', versions: '1.x' },
    controls: [{ id: 'c', revision: 1, title: 'C', owner: 'hospital', why: 'w', ...control }],
  });
  const plan = makePlan(guide, SITE);
  if (!plan.ok || plan.value.items[0] === undefined) throw new Error('no plan');
  return plan.value.items[0];
}

function facts(value: unknown, absent: FactsFile['absent'] = [], more: Partial<FactsFile> = {}): CheckOutcome {
  return {
    facts: {
      probe: 'p',
      version: 1,
      params: {},
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: '2026-01-01T00:00:01.000Z',
      runtime: {},
      connections: 1,
      facts: value,
      absent,
      ...more,
    },
  };
}
const outcomes = (...list: (CheckOutcome | undefined)[]): Map<number, CheckOutcome> =>
  new Map(list.flatMap((outcome, index) => (outcome === undefined ? [] : [[index, outcome] as const])));
const verdictOf = (control: Record<string, unknown>, ...list: (CheckOutcome | undefined)[]) =>
  judgeItem(item(control), outcomes(...list)).verdict;

const OK = { checks: [{ probe: 'p', expect: [{ that: 'facts.ok', else: 'not {{ facts.ok }}' }] }] };
const TWO = { checks: [...OK.checks, { probe: 'q', expect: [{ that: 'facts.n > 1', else: 'only {{ facts.n }}' }] }] };
const error = { error: appError('tcp.timeout', 'No answer.') };

describe('a control with checks', () => {
  it.each([
    ['holds', OK, [facts({ ok: true })], 'pass'],
    ['does not hold', OK, [facts({ ok: false })], 'fail'],
    ['has not run', OK, [], 'not-reviewed'],
    ['ended with an error', OK, [error], 'error'],
    ['lacks the fact', OK, [facts({})], 'error'],
    ['has null', OK, [facts({ ok: null })], 'error'],
    ['has a text', OK, [facts({ ok: 'true' })], 'error'],
    ['lists the fact as absent', OK, [facts({ ok: true }, [{ path: 'ok', reason: 'cut off' }])], 'error'],
    ['does not arise', OK, [facts(undefined, [], { notApplicable: 'no such thing here' })], 'not-applicable'],
    ['holds in part', TWO, [facts({ ok: true }), undefined], 'not-reviewed'],
    ['holds and fails', TWO, [facts({ ok: true }), facts({ n: 1 })], 'fail'],
    ['fails beside an error', TWO, [error, facts({ n: 1 })], 'fail'],
    ['holds beside an error', TWO, [facts({ ok: true }), error], 'error'],
    [
      'holds beside what does not arise',
      TWO,
      [facts({ ok: true }), facts(undefined, [], { notApplicable: 'x' })],
      'pass',
    ],
    ['expects nothing', { checks: [{ probe: 'p' }] }, [facts({ ok: true })], 'not-reviewed'],
  ] as const)('that %s', (_, control, list, verdict) => {
    expect(verdictOf(control as Record<string, unknown>, ...(list as readonly (CheckOutcome | undefined)[]))).toBe(
      verdict,
    );
  });

  it('tells what was found', () => {
    expect(judgeItem(item(TWO), outcomes(facts({ ok: true }), facts({ n: 1 }))).findings).toEqual([
      { verdict: 'fail', sentence: 'only 1', severity: 'high', check: 1 },
    ]);
  });

  it('is left open by no fact that cannot be there, and by every other that is unknown', () => {
    const both = {
      checks: [
        {
          probe: 'p',
          expect: [
            { that: 'facts.ok', else: 'no' },
            { that: 'facts.sid > 0', else: 'no' },
          ],
        },
      ],
    };
    const only = { checks: [{ probe: 'p', expect: [{ that: 'facts.sid > 0', else: 'no' }] }] };
    const there = { path: 'sid', reason: 'only Active Directory has it', notApplicable: true as const };
    expect(verdictOf(both, facts({ ok: true }, [there]))).toBe('pass');
    expect(verdictOf(both, facts({ ok: false }, [there]))).toBe('fail');
    expect(verdictOf(both, facts({}, [there, { path: 'ok', reason: 'cut off' }]))).toBe('error');
    expect(judgeItem(item(only), outcomes(facts({}, [there])))).toMatchObject({
      verdict: 'not-applicable',
      findings: [{ verdict: 'not-applicable', sentence: 'Does not arise here: sid. Only Active Directory has it.' }],
    });
    // One server that is another kind, and one that could not be asked: that is unknown.
    const mixed = { checks: [{ probe: 'p', expect: [{ that: 'facts.s.exists(e, e.sid > 0)', else: 'no' }] }] };
    const gaps = [
      { ...there, path: 's[].sid' },
      { path: 's[].sid', reason: 'dc2: down' },
    ];
    expect(verdictOf(mixed, facts({ s: [{}, {}] }, gaps))).toBe('error');
    // What is there and unknown wins over what cannot be there, in one expression too.
    const one = { checks: [{ probe: 'p', expect: [{ that: 'facts.sid > 0 && facts.ok', else: 'no' }] }] };
    expect(verdictOf(one, facts({}, [there, { path: 'ok', reason: 'cut off' }]))).toBe('error');
  });

  it('tells who can mend an error', () => {
    expect(judgeItem(item(OK), outcomes(error)).findings[0]).toMatchObject({ verdict: 'error', fixBy: 'hospital' });
  });
});

describe('what a control applies to', () => {
  it('does not apply', () => {
    expect(
      judgeItem(
        item({ ...OK, applies: { when: 'site.hasDirectory', else: 'No directory.' } }),
        outcomes(facts({ ok: false })),
      ),
    ).toMatchObject({
      verdict: 'not-applicable',
      findings: [{ sentence: 'No directory.' }],
    });
  });

  it('cannot be decided', () => {
    expect(
      verdictOf({ ...OK, applies: { when: 'site.directory.kind == "ldap"', else: 'x' } }, facts({ ok: true })),
    ).toBe('error');
  });

  it('is a parameter that the site does not give', () => {
    expect(
      verdictOf(
        { checks: [{ probe: 'p', with: { x: '$site.directory.baseDn' }, expect: OK.checks[0]?.expect }] },
        facts({ ok: true }),
      ),
    ).toBe('error');
  });
});

describe('a manual question', () => {
  const manual = {
    manual: {
      question: 'Is it?',
      evidence: ['file'],
      required: true,
      answers: { so: 'pass', not: 'fail', none: 'not-applicable' },
    },
  };
  it.each([
    [undefined, 'not-reviewed'],
    [{ answer: 'so', attachments: 0, at: '2026-01-01T00:00:00.000Z' }, 'not-reviewed'],
    [{ answer: 'so', attachments: 1, at: '2026-01-01T00:00:00.000Z' }, 'pass'],
    [{ answer: 'not', attachments: 0, at: '2026-01-01T00:00:00.000Z' }, 'fail'],
    [{ answer: 'none', attachments: 0, at: '2026-01-01T00:00:00.000Z' }, 'not-applicable'],
    [{ answer: 'perhaps', attachments: 1, at: '2026-01-01T00:00:00.000Z' }, 'error'],
    [{ answer: 'toString', attachments: 1, at: '2026-01-01T00:00:00.000Z' }, 'error'],
  ])('answered %j', (answer, verdict) => {
    expect(judgeItem(item(manual), new Map(), answer).verdict).toBe(verdict);
  });

  it('beside a check: both must hold', () => {
    const both = item({ ...OK, ...manual });
    const yes = { answer: 'so', attachments: 1, at: '2026-01-01T00:00:00.000Z' };
    expect(judgeItem(both, outcomes(facts({ ok: true })), yes).verdict).toBe('pass');
    expect(judgeItem(both, outcomes(facts({ ok: true }))).verdict).toBe('not-reviewed');
    expect(judgeItem(both, new Map(), yes).verdict).toBe('not-reviewed');
  });
});

describe('evidence ages from its oldest part', () => {
  it('of checks and answer', () => {
    const aged = item({ ...TWO, validFor: 'P30D' });
    const later = facts({ n: 2 }, [], { finishedAt: '2026-02-01T00:00:00.000Z' });
    expect(judgeItem(aged, outcomes(facts({ ok: true }), later)).goodUntil).toBe('2026-01-31T00:00:01.000Z');
    expect(judgeItem(aged, new Map()).goodUntil).toBeUndefined();
    expect(judgeItem(item(TWO), outcomes(later)).goodUntil).toBeUndefined();
  });
});

describe('a link', () => {
  const link = {
    checks: [{ probe: 'tls.endpoint' }, { probe: 'tls.client-authentication' }, { probe: 'tls.impostor' }],
    expect: [{ that: 'link.state == "encrypted-and-authenticated"', else: '{{ link.sentence }}' }],
  };
  const server = facts({
    speaksTls: true,
    chain: { trusted: true, reason: 'x' },
    name: { matches: true },
    validity: { valid: true },
  });
  const client = facts({ insists: true });
  const device = facts({ connected: true, refused: true });
  it.each([
    ['all three', [server, client, device], 'pass'],
    ['the device is not tested', [server, client, undefined], 'error'],
    ['the device fails', [server, client, facts({ connected: true, refused: false, applicationBytes: 3 })], 'fail'],
    ['the client fails and the device is not tested', [server, facts({ insists: false }), undefined], 'fail'],
    ['the server is not tested', [error, client, device], 'error'],
    ['nothing', [], 'not-reviewed'],
  ] as const)('%s', (_, list, verdict) => {
    expect(verdictOf(link, ...(list as readonly (CheckOutcome | undefined)[]))).toBe(verdict);
  });
});
