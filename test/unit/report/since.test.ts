import { describe, expect, it } from 'vitest';
import type { AccessChanges } from '../../../core/people/access-changes.ts';
import { renderHtmlReport } from '../../../core/report/html.ts';
import type { ReportModel } from '../../../core/report/model.ts';
import { changedOf } from '../../../core/report/since.ts';
import { reportItem, reportModel } from '../../support/report-model.ts';

const id = (digit: string) => digit.repeat(64);
const CHANGED: AccessChanges = {
  since: {
    at: '2026-10-01T08:00:00.000Z',
    bundle: 'b'.repeat(64),
    session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
    provisional: false,
  },
  sentence: '3 people joined and 1 left since 2026-10-01.',
  joined: [
    { id: id('1'), roles: ['clinical'] },
    { id: id('2'), name: 'A <Nurse>', roles: ['clinical'] },
  ],
  left: [{ id: id('3'), roles: ['biomed'] }],
  moved: [],
  counts: [],
  regrouped: [{ role: 'biomed', before: 'Old', now: 'New' }],
  groupsAdded: [{ role: 'clinical', group: 'Ward-7' }],
  grantorsAdded: [{ role: 'clinical', type: 'person' }],
};
const report = (changed: AccessChanges, more: Partial<ReportModel> = {}) =>
  renderHtmlReport({ ...reportModel([reportItem({ changed })]), ...more });

describe('what changed since an earlier bundle, in the report', () => {
  it('is a sentence, and who it was: by name where there is one, else by the beginning of the code', () => {
    const page = report(CHANGED);
    expect(page).toContain('<p>3 people joined and 1 left since 2026-10-01.</p>');
    expect(page).toContain(`Joined: <code>${'1'.repeat(12)}, A &#60;Nurse&#62;</code>`);
    expect(page).toContain(`Left: <code>${'3'.repeat(12)}</code>`);
    expect(page).toContain('Given by another group: biomed (Old, now New)');
    expect(page).toContain('More nested groups: Ward-7 (clinical)');
    expect(page).toContain('Can give a role now: person (clinical)');
    for (const none of ['Changed roles', 'No longer nested', 'lacks a signature']) expect(page).not.toContain(none);
    expect(report({ ...CHANGED, since: { ...CHANGED.since, provisional: true } })).toContain('lacks a signature');
  });

  it('lists some of very many', () => {
    const joined = Array.from({ length: 45 }, () => ({ id: id('4'), roles: ['clinical'] }));
    expect(report({ ...CHANGED, joined })).toContain('and 5 more, in the facts');
  });

  it('says under which key people appear, and what the session was compared with', () => {
    const baseline = {
      bundle: 'b'.repeat(64),
      session: CHANGED.since.session,
      guide: '3.2.0',
      lastAt: CHANGED.since.at,
      provisional: true,
      facts: 'c'.repeat(64),
    };
    const page = report(CHANGED, { people: { keyId: 'a'.repeat(16), namesAgreed: false }, baseline });
    expect(page).toContain(`under the site key <code>${'a'.repeat(16)}</code>`);
    expect(page).toContain('the operator did not agree to names');
    expect(page).toContain('have not both signed');
    expect(page).toContain(`SHA-256 ${'b'.repeat(64)}`);
    expect(report(CHANGED, { people: { namesAgreed: true } })).toContain('counted only: no site key was given');
  });

  it('is read from whichever check compared', () => {
    const file = { probe: 'p', version: 1, params: {}, startedAt: '', finishedAt: '', runtime: {}, connections: 0 };
    const facts = (value: unknown) => ({ facts: { ...file, facts: value, absent: [] } });
    const outcomes = new Map([
      [0, facts({ changed: 'nonsense' })],
      [1, facts({ changed: CHANGED })],
    ] as const);
    expect(changedOf(outcomes)).toEqual(CHANGED);
    expect(changedOf(undefined)).toBeUndefined();
  });
});
