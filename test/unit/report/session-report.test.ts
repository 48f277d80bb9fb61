import { describe, expect, it } from 'vitest';
import { makePlan, type Plan } from '../../../core/guide/plan.ts';
import { guideSchema } from '../../../core/guide/schema.ts';
import { renderHtmlReport } from '../../../core/report/html.ts';
import { sessionReport } from '../../../core/report/session-report.ts';
import type { EventData, EventType, JournalEvent } from '../../../core/session/events.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import type { CheckOutcome } from '../../../core/verdict/judge.ts';

const expectation = (severity: string) => ({ that: 'facts.ok == true', else: 'no', severity });
const control = (id: string, more: Record<string, unknown>) => ({
  id,
  revision: 2,
  title: id,
  owner: 'shared',
  why: 'w',
  ...more,
});

function plan(): Plan {
  const guide = guideSchema.parse({
    guide: 'g',
    version: '1.0.0',
    title: 'G',
    publisher: { name: 'P', contact: 'c' },
    product: { vendor: 'V', name: 'N', versions: '1.x' },
    controls: [
      control('link.emr', {
        checks: [{ probe: 'tls.endpoint' }, { probe: 'tls.client-authentication' }],
        expect: [{ that: 'link.state == "encrypted-and-authenticated"', else: 'x' }],
        requires: ['server', 'client'],
      }),
      control('web.low', {
        group: 'other',
        checks: [{ probe: 'p', expect: [expectation('low'), expectation('medium')] }],
      }),
      control('web.low-only', { checks: [{ probe: 'p', expect: [expectation('low')] }] }),
      control('people.asked', { manual: { question: 'q', answers: { a: 'pass', b: 'fail' } } }),
    ],
  });
  const made = makePlan(guide, siteSchema.parse({ site: 'ward', name: 'Ward' }));
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

const facts = (value: unknown): CheckOutcome => ({
  facts: {
    probe: 'p',
    version: 1,
    params: {},
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    runtime: {},
    connections: 1,
    facts: value,
    absent: [],
  },
});

let n = 0;
const event = <T extends EventType>(type: T, data: EventData<T>) =>
  ({ n: n++, at: `2026-01-01T00:00:0${n}.000Z`, prev: '0'.repeat(64), by: 'e', type, data }) as unknown as JournalEvent;

const KEY = 'link.emr@site:ward';
const events = [
  event('session.opened', {
    format: 'lockstep-journal/2',
    session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
    lockstep: '0.1.0',
    guide: { id: 'g', version: '1.0.0', sha256: 'a'.repeat(64), trust: 'unsigned' },
    site: { id: 'ward', name: 'Ward', sha256: 'b'.repeat(64), practice: false },
    operator: { id: 'e', name: 'E' },
    runtime: {},
  }),
  event('facts.recorded', { key: KEY, check: 0, probe: 'tls.endpoint', file: 'facts/1.json', sha256: 'c'.repeat(64) }),
  event('facts.recorded', { key: KEY, check: 1, probe: 'x', file: 'facts/2.json', sha256: 'd'.repeat(64) }),
  event('answered', { key: 'people.asked@site:ward', answer: 'a', note: '', attachments: [] }),
];
const server = {
  speaksTls: true,
  chain: { trusted: true },
  name: { matches: true },
  validity: { valid: true },
  plaintextAccepted: false,
};
const outcomes = (insists: boolean) =>
  new Map([
    [
      KEY,
      new Map([
        [0, facts(server)],
        [1, facts({ insists })],
      ] as const),
    ],
  ]);

describe('what reports show of a session', () => {
  it('says who proved what on a link, from the facts and not from the verdict', () => {
    const [link] = sessionReport(plan(), events, 'f'.repeat(64), outcomes(false)).items;
    expect(link?.link).toMatchObject({
      state: 'encrypted-only',
      requires: ['server', 'client'],
      ends: { server: { status: 'observed' }, client: { status: 'refuted' }, device: { status: 'not-tested' } },
    });
    expect(link?.facts).toEqual(['facts/1.json', 'facts/2.json']);
    const page = renderHtmlReport(sessionReport(plan(), events, 'f'.repeat(64), outcomes(false)));
    expect(page).toContain('Ward: Encrypted only');
    expect(page).toContain('wire-encrypted-only');
    expect(page).toMatch(/class="proof-refuted">2✗ It does not check the device\./);
    expect(page).toMatch(
      /class="proof-not-tested">1\? Not tested: whether it checks the server\.[^\n]*The guide does not ask for it\./,
    );
    const [proved] = sessionReport(plan(), events, 'f'.repeat(64), outcomes(true)).items;
    expect(proved?.link?.ends.client.status).toBe('observed');
  });

  it('says nothing about a link of which no facts were given', () => {
    const report = sessionReport(plan(), events, 'f'.repeat(64));
    expect(report.items[0]?.link).toBeUndefined();
    expect(renderHtmlReport(report)).not.toContain('id="links"');
  });

  it('takes the severity from the worst expectation, and the group from the guide or the id', () => {
    const { items } = sessionReport(plan(), events, 'f'.repeat(64));
    expect(items.map(({ control: { id, severity, group, revision } }) => [id, severity, group, revision])).toEqual([
      ['link.emr', 'high', 'link', 2],
      ['web.low', 'medium', 'other', 2],
      ['web.low-only', 'low', 'web', 2],
      ['people.asked', 'high', 'people', 2],
    ]);
  });

  it('puts what happened on a timeline, in its order', () => {
    const { timeline } = sessionReport(plan(), events, 'f'.repeat(64));
    expect(timeline.map((moment) => moment.lane)).toEqual(['checks', 'checks', 'answers']);
  });
});
