import { describe, expect, it } from 'vitest';
import { renderCalendar } from '../../../core/report/calendar.ts';
import { REPORTS } from '../../../core/report/index.ts';
import { seenCertificates } from '../../../core/report/seen-certificates.ts';
import type { Plan } from '../../../core/guide/plan.ts';
import type { ReportModel } from '../../../core/report/model.ts';
import type { CheckOutcome } from '../../../core/verdict/judge.ts';
import { everyStanding, HOSTILE, hostileItems, reportItem, reportModel } from '../../support/report-model.ts';

type Property = { readonly name: string; readonly parameters: string; readonly value: string };
type Component = { readonly name: string; readonly properties: Property[]; readonly components: Component[] };

/** Reads iCalendar as strictly as RFC 5545 writes it: CRLF, 75 octets, folds that keep UTF-8 whole, nested BEGIN and END. */
function parseCalendar(ics: string): Component {
  const bytes = Buffer.from(ics);
  if (!ics.endsWith('\r\n')) throw new Error('the last line has no CRLF');
  const physical: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf('\r\n', from);
    const line = bytes.subarray(from, end);
    if (line.length > 75) throw new Error(`a line of ${line.length} octets`);
    if (line.includes(0x0a) || line.includes(0x0d)) throw new Error('a bare line break');
    physical.push(new TextDecoder('utf-8', { fatal: true }).decode(line));
    from = end + 2;
  }
  const lines: string[] = [];
  for (const line of physical) {
    if (!line.startsWith(' ')) lines.push(line);
    else lines[lines.length - 1] += line.slice(1);
  }
  const root: Component = { name: '', properties: [], components: [] };
  const open = [root];
  for (const line of lines) {
    const match = /^([A-Z][A-Z-]*)((?:;[A-Z-]+=[^":;,\u0000-\u001f]+)*):(.*)$/u.exec(line);
    if (match === null) throw new Error(`not a content line: ${line}`);
    const [, name = '', parameters = '', value = ''] = match;
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) throw new Error('a control character');
    const top = open.at(-1) as Component;
    if (name === 'BEGIN') {
      const component = { name: value, properties: [], components: [] };
      top.components.push(component);
      open.push(component);
    } else if (name === 'END') {
      if (open.pop()?.name !== value) throw new Error(`END:${value} closes something else`);
    } else top.properties.push({ name, parameters, value });
  }
  const [calendar] = root.components;
  if (open.length !== 1 || root.components.length !== 1 || calendar?.name !== 'VCALENDAR')
    throw new Error('not exactly one calendar');
  return calendar;
}

/** A TEXT value as it was before it was escaped; throws for what section 3.3.11 does not allow. */
function unescape(value: string): string {
  if (/(?<!\\)(?:\\\\)*[;,]/.test(value)) throw new Error(`bare ; or , in ${value}`);
  return value.replace(/\\(.)/g, (_, character: string) => {
    if (!'\\;,nN'.includes(character)) throw new Error(`\\${character}`);
    return character.toLowerCase() === 'n' ? '\n' : character;
  });
}

const value = (component: Component, name: string): string => {
  const found = component.properties.filter((property) => property.name === name);
  if (found.length !== 1) throw new Error(`${found.length} times ${name} in ${component.name}`);
  return found[0]?.value ?? '';
};
const events = (model: ReportModel) => parseCalendar(renderCalendar(model)).components;
const textOf = (component: Component, name: string) => unescape(value(component, name));

const CERTIFICATE = {
  sha256: 'ab'.repeat(32),
  subject: 'O=Hospital, CN=gateway.hospital.example',
  notAfter: '2026-11-28T23:59:59.000Z',
  seen: ['Each device shows a certificate issued by the hospital, Gateway 1'],
};

describe('the calendar of what runs out', () => {
  it('is a report like the others', () => {
    expect(REPORTS.find(({ id }) => id === 'ics')?.render).toBe(renderCalendar);
  });

  it('has every certificate, evidence and waiver on its day, with the reminders that the guide wants', () => {
    const model = reportModel(
      [
        ...everyStanding(),
        reportItem({
          id: 'waived.step',
          waiver: { reason: 'Old; tired', compensating: 'A firewall', until: '2027-01-01T00:00:00.000Z' },
        }),
      ],
      { certificates: [CERTIFICATE], reminders: ['P60D', 'P2W'] },
    );
    const calendar = parseCalendar(renderCalendar(model));
    expect(value(calendar, 'VERSION')).toBe('2.0');
    expect(value(calendar, 'PRODID')).not.toBe('');
    const found = calendar.components.map((one) => [value(one, 'DTSTART'), textOf(one, 'SUMMARY')]);
    expect(found).toEqual([
      ['20261123', 'PRACTICE: Evidence runs out: Only nurses (Example hospital)'],
      ['20261128', `PRACTICE: Certificate ends: ${CERTIFICATE.subject} (Example hospital)`],
      ['20270101', 'PRACTICE: Waiver ends: Only nurses, Nurse (Example hospital)'],
      ['20270201', 'PRACTICE: Evidence runs out: Only nurses (Example hospital)'],
    ]);
    for (const one of calendar.components) {
      expect(one.name).toBe('VEVENT');
      expect(one.properties.find(({ name }) => name === 'DTSTART')?.parameters).toBe(';VALUE=DATE');
      expect(value(one, 'DTSTAMP')).toBe('20261123T110000Z');
      expect(value(one, 'UID')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
      expect(one.components.map((alarm) => [alarm.name, value(alarm, 'ACTION'), value(alarm, 'TRIGGER')])).toEqual([
        ['VALARM', 'DISPLAY', '-P60D'],
        ['VALARM', 'DISPLAY', '-P2W'],
      ]);
    }
    expect(new Set(calendar.components.map((one) => value(one, 'UID'))).size).toBe(4);
    expect(textOf(calendar.components[1] as Component, 'DESCRIPTION')).toContain(`SHA-256: ${CERTIFICATE.sha256}`);
    expect(textOf(calendar.components[2] as Component, 'DESCRIPTION')).toContain('Reason: Old; tired');
  });

  it('moves what it knows already in the calendar of a later session', () => {
    const item = (goodUntil: string) => [reportItem({ id: 'a.b', verdict: 'pass', goodUntil })];
    const [first] = events(reportModel(item('2027-01-01T00:00:00.000Z')));
    const later = reportModel(item('2027-06-01T00:00:00.000Z'));
    const session = { ...later.session, id: crypto.randomUUID(), lastAt: '2027-03-01T00:00:00.000Z' };
    const [second] = events({ ...later, session });
    if (first === undefined || second === undefined) throw new Error('no entry');
    expect(value(second, 'UID')).toBe(value(first, 'UID'));
    expect(Number(value(second, 'SEQUENCE'))).toBeGreaterThan(Number(value(first, 'SEQUENCE')));
    expect([value(first, 'DTSTART'), value(second, 'DTSTART')]).toEqual(['20270101', '20270601']);
    const elsewhere = events({ ...later, site: { ...later.site, id: 'other' } })[0];
    expect(value(elsewhere as Component, 'UID')).not.toBe(value(first, 'UID'));
  });

  it('lists the evidence of a control once, on the day of its first target', () => {
    const at = (id: string, goodUntil: string) =>
      reportItem({
        id: 'a.b',
        key: `a.b@role:${id}`,
        target: { kind: 'role', id, name: id },
        verdict: 'pass',
        goodUntil,
      });
    const found = events(reportModel([at('x', '2027-02-01T00:00:00.000Z'), at('y', '2027-01-01T00:00:00.000Z')]));
    expect(found).toHaveLength(1);
    expect(value(found[0] as Component, 'DTSTART')).toBe('20270101');
    expect(textOf(found[0] as Component, 'DESCRIPTION')).toContain('x: good until 2027-02-01');
  });

  it('promises nothing for what never passed, and is a calendar without any entry too', () => {
    const failed = reportItem({ verdict: 'fail', goodUntil: '2027-01-01T00:00:00.000Z' });
    const found = events(reportModel([failed]));
    expect(found.map(({ name }) => name)).toEqual(['VJOURNAL']);
    expect(value(found[0] as Component, 'UID')).not.toBe('');
  });

  it.each(HOSTILE)('keeps %j from being anything but text', (hostile) => {
    const items = hostileItems(hostile).map((item) => ({ ...item, goodUntil: '2027-01-01T00:00:00.000Z' }));
    const model = reportModel(
      items.map((item) => ({ ...item, verdict: 'pass' as const })),
      {
        site: { id: 'site', name: hostile.repeat(9), sha256: 'b'.repeat(64) },
        certificates: [{ ...CERTIFICATE, subject: `${hostile}\r\nEND:VEVENT`, seen: [hostile] }],
      },
    );
    for (const one of events(model)) {
      expect(one.name).toBe('VEVENT');
      expect(one.components).toHaveLength(2);
      textOf(one, 'SUMMARY');
      textOf(one, 'DESCRIPTION');
    }
  });
});

describe('certificates in the facts', () => {
  const plan = {
    items: ['a', 'b'].map((id) => ({ key: id, control: { title: `Step ${id}` }, target: { name: 'Device' } })),
  } as unknown as Plan;
  const facts = (value: unknown): CheckOutcome => ({ facts: { facts: value } }) as unknown as CheckOutcome;
  const certificate = { ...CERTIFICATE, issuer: 'x' };

  it('are found wherever they lie, each once, with the steps that saw it', () => {
    const outcomes = new Map([
      ['a', new Map([[0, facts({ certificates: [certificate] })]])],
      [
        'b',
        new Map([
          [
            0,
            facts({
              servers: [{ channel: { certificate } }],
              presented: { ...certificate, sha256: 'cd'.repeat(32), notAfter: '2026-01-01T00:00:00Z' },
            }),
          ],
        ]),
      ],
    ]);
    expect(seenCertificates(plan, outcomes)).toEqual([
      {
        sha256: 'cd'.repeat(32),
        subject: CERTIFICATE.subject,
        notAfter: '2026-01-01T00:00:00.000Z',
        seen: ['Step b, Device'],
      },
      { ...CERTIFICATE, seen: ['Step a, Device', 'Step b, Device'] },
    ]);
  });

  it('are not what merely looks like one, and probes that failed hold none', () => {
    const outcomes = new Map<string, Map<number, CheckOutcome>>([
      ['a', new Map([[0, facts({ sha256: 'ab', subject: 'x', notAfter: '2026-01-01T00:00:00Z' })]])],
      ['b', new Map([[0, { error: { code: 'tcp.refused', message: 'x', fixBy: 'hospital' } } as CheckOutcome]])],
    ]);
    expect(seenCertificates(plan, outcomes)).toEqual([]);
  });
});
