import type { ReportItem, ReportModel } from './model.ts';
import { visible } from './plain-text.ts';
import { standingOf } from './standing.ts';
import { uuidOf } from './uuid.ts';

/** RFC 5545 section 3.1: octets of a line without its line break. */
const MAX_OCTETS = 75;

type Entry = {
  /** What the entry is about, the same in every session, so that a newer calendar moves it instead of adding one. */
  readonly about: string;
  /** ISO 8601; the entry is on that day, UTC. */
  readonly ends: string;
  readonly summary: string;
  readonly description: string;
  readonly category: 'Certificate' | 'Evidence' | 'Waiver';
};

/**
 * What runs out, for anybody's calendar (iCalendar, RFC 5545): every certificate that was seen, the evidence of every step,
 * every waiver, each with the reminders that the guide wants. The same thing has the same UID in every session of the site;
 * SEQUENCE and DTSTAMP grow with the session's time. The same model gives the same bytes.
 */
export function renderCalendar(model: ReportModel): string {
  const entries = [...certificates(model), ...evidence(model), ...waivers(model)].sort(
    (a, b) => compare(a.ends, b.ends) || compare(a.about, b.about),
  );
  const mark = model.practice ? 'PRACTICE: ' : '';
  const components = entries.map((entry) => event(entry, model, mark));
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Lockstep//Expiry calendar//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${text(`${mark}What runs out at ${model.site.name}`)}`,
    // A calendar without any component is not one (section 3.6).
    ...(components.length === 0 ? nothing(model, mark) : components.flat()),
    'END:VCALENDAR',
  ]
    .map((line) => `${fold(line)}\r\n`)
    .join('');
}

function certificates(model: ReportModel): Entry[] {
  return model.certificates.map(({ sha256, subject, notAfter, seen }) => ({
    about: `certificate/${sha256}`,
    ends: notAfter,
    summary: `Certificate ends: ${subject}`,
    description: `Seen by: ${seen.join('; ')}\nEnds: ${notAfter}\nSHA-256: ${sha256}`,
    category: 'Certificate',
  }));
}

/** One entry per control, on the day on which the first of its targets runs out: a calendar of every target is not read. */
function evidence(model: ReportModel): Entry[] {
  const controls = new Map<string, (ReportItem & { goodUntil: string })[]>();
  for (const item of model.items) {
    const { goodUntil } = item;
    const counted = ['pass', 'expired', 'not-applicable'].includes(standingOf(item, model));
    if (goodUntil === undefined || !counted) continue;
    controls.set(item.control.id, [...(controls.get(item.control.id) ?? []), { ...item, goodUntil }]);
  }
  return [...controls].map(([id, items]) => {
    const ends = items.map((item) => item.goodUntil).sort();
    return {
      about: `evidence/${model.guide.id}/${id}`,
      ends: ends[0] ?? '',
      summary: `Evidence runs out: ${items[0]?.control.title ?? id}`,
      description: [
        `Run the step ${id} again.`,
        ...items.map((item) => `${item.target.name}: good until ${item.goodUntil}`),
      ].join('\n'),
      category: 'Evidence',
    };
  });
}

function waivers(model: ReportModel): Entry[] {
  return model.items.flatMap(({ key, control, target, waiver }) =>
    waiver === undefined
      ? []
      : [
          {
            about: `waiver/${model.guide.id}/${key}`,
            ends: waiver.until,
            summary: `Waiver ends: ${control.title}, ${target.name}`,
            description: `Reason: ${waiver.reason}\nMeanwhile: ${waiver.compensating}`,
            category: 'Waiver' as const,
          },
        ],
  );
}

function event(entry: Entry, model: ReportModel, mark: string): string[] {
  const day = entry.ends.slice(0, 10).replaceAll('-', '');
  const summary = text(`${mark}${entry.summary} (${model.site.name})`);
  return [
    'BEGIN:VEVENT',
    ...identity(entry.about, model),
    `DTSTART;VALUE=DATE:${day}`,
    `SUMMARY:${summary}`,
    `DESCRIPTION:${text(entry.description)}`,
    `CATEGORIES:${entry.category}`,
    'TRANSP:TRANSPARENT',
    ...model.reminders.flatMap((before) => [
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      `TRIGGER:-${before}`,
      `DESCRIPTION:${summary}`,
      'END:VALARM',
    ]),
    'END:VEVENT',
  ];
}

function nothing(model: ReportModel, mark: string): string[] {
  return [
    'BEGIN:VJOURNAL',
    ...identity('nothing', model),
    `SUMMARY:${text(`${mark}Nothing runs out that was seen at ${model.site.name}`)}`,
    'END:VJOURNAL',
  ];
}

function identity(about: string, model: ReportModel): string[] {
  const at = new Date(model.session.lastAt);
  const stamp = `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  return [
    `UID:${uuidOf(`calendar/${model.site.id}/${about}`)}`,
    `DTSTAMP:${stamp}`,
    `LAST-MODIFIED:${stamp}`,
    `SEQUENCE:${Math.floor(at.getTime() / 60_000)}`,
  ];
}

/** TEXT of section 3.3.11. */
function text(value: string): string {
  return visible(value)
    .replace(/[\\;,]/g, (character) => `\\${character}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replaceAll('\t', ' ');
}

/** Cuts a line between characters, never inside one, so that each piece is UTF-8 by itself. */
function fold(line: string): string {
  const pieces: string[] = [];
  let piece = '';
  let octets = 0;
  for (const character of line) {
    const size = new TextEncoder().encode(character).length;
    if (octets + size > MAX_OCTETS) {
      pieces.push(piece);
      piece = ' ';
      octets = 1;
    }
    piece += character;
    octets += size;
  }
  return [...pieces, piece].join('\r\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
