import type { ReportItem, ReportModel } from './model.ts';
import { visible } from './plain-text.ts';
import { standingOf } from './standing.ts';

type Column = readonly [string, (item: ReportItem, model: ReportModel) => string];

const COLUMNS: readonly Column[] = [
  ['key', (item) => item.key],
  ['control', (item) => item.control.id],
  ['revision', (item) => String(item.control.revision)],
  ['title', (item) => item.control.title],
  ['group', (item) => item.control.group],
  ['owner', (item) => item.control.owner],
  ['target kind', (item) => item.target.kind],
  ['target', (item) => item.target.id],
  ['target name', (item) => item.target.name],
  ['standing', standingOf],
  ['verdict as judged', (item) => item.verdict],
  ['severity', (item) => item.control.severity],
  ['judged at', (item) => item.judgedAt ?? ''],
  ['good until', (item) => item.goodUntil ?? ''],
  ['findings', (item) => lines(item.findings.map((found) => `${found.verdict}: ${found.sentence}`))],
  ['can be fixed by', (item) => lines([...new Set(item.findings.flatMap((found) => found.fixBy ?? []))])],
  ['answer', (item) => item.answer?.answer ?? ''],
  ['answered by', (item) => item.answer?.by ?? ''],
  ['answered at', (item) => item.answer?.at ?? ''],
  ['note', (item) => item.answer?.note ?? ''],
  ['waiver asked for', (item) => item.waiver?.reason ?? ''],
  ['compensating control', (item) => item.waiver?.compensating ?? ''],
  ['waiver until', (item) => item.waiver?.until ?? ''],
  ['left to', (item) => item.deferred?.to ?? ''],
  ['changes', (item) => lines(item.changes.map((change) => `${change.phase}: ${change.summary}`))],
  ['attachments', (item) => lines(item.attachments.map((file) => `${file.file} (${file.name})`))],
  ['facts', (item) => lines(item.facts)],
  [
    'references',
    (item) => lines(Object.entries(item.control.references).map(([id, refs]) => `${id}: ${refs.join(' ')}`)),
  ],
  ['guide', (_, model) => model.guide.id],
  ['guide version', (_, model) => model.guide.version],
  ['site', (_, model) => model.site.id],
  ['session', (_, model) => model.session.id],
  ['practice', (_, model) => (model.practice ? 'PRACTICE' : '')],
];

/** One row per control and target (RFC 4180, UTF-8, CRLF), safe to open in a spreadsheet. The same model gives the same bytes. */
export function renderCsvReport(model: ReportModel): string {
  const head = COLUMNS.map(([title]) => title);
  const rows = model.items.map((item) => COLUMNS.map(([, value]) => value(item, model)));
  return [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function lines(values: readonly string[]): string {
  return values.join('\n');
}

/** A leading apostrophe keeps a spreadsheet from taking the text for a formula, also after white space. */
function field(value: string): string {
  const text = visible(value);
  const safe = /^[\s'"]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
