import type { Finding } from '../session/events.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import type { ReportItem, ReportModel } from './model.ts';
import { OWNERS, standingBadge, standingBar, when } from './pictures.ts';
import {
  isExpired,
  needsAction,
  type Standing,
  STANDING_MEANS,
  STANDING_SIGNS,
  STANDINGS,
  standingOf,
  trueUntil,
} from './standing.ts';

const WORDS = {
  hardened: {
    word: 'Hardened',
    standing: 'pass',
    means: 'Everything that the guide asks was proved at the time of this session.',
  },
  open: { word: 'Open', standing: 'fail', means: 'Something does not meet the guide.' },
  undecided: {
    word: 'Undecided',
    standing: 'error',
    means: 'Nothing was found to fail, but not everything could be proved.',
  },
} as const;
const SEVERITIES = ['high', 'medium', 'low'];
/** Of more items of one control that stand alike, only these are named in one line. */
const NAMED = 3;

/** What was proved, what was not, who must act, and until when it is true. */
export function summary(model: ReportModel): Markup {
  const { total, waived, expired } = model.summary;
  const { word, standing, means } = WORDS[model.summary.word];
  const counts = countStandings(model.items, model);
  const undecided = counts.error + counts['not-reviewed'] + counts.expired;
  const rows = STANDINGS.filter((each) => each !== 'expired' || counts[each] > 0).map(
    (each) =>
      html`<tr><th scope="row">${standingBadge(each)}</th><td class="number">${counts[each]}</td><td>${STANDING_MEANS[each]}</td></tr>\n`,
  );
  return html`<h2 id="summary">Summary</h2>
<div class="word is-${standing}"><p class="verdict ${standing}">${STANDING_SIGNS[standing]} ${word}</p><p>${means}</p>${standingBar(model.items, model)}</div>
<dl class="glance">
<dt>Proved</dt><dd>${counts.pass} of ${total} items${counts['not-applicable'] > 0 ? `; ${counts['not-applicable']} more ${counts['not-applicable'] === 1 ? 'is' : 'are'} not asked here` : ''}</dd>
<dt>Not proved</dt><dd>${notProved(counts)}</dd>
<dt>Who must act</dt><dd>${actors(model)}</dd>
<dt>True until</dt><dd>${trueUntilWhen(model, counts.pass)}</dd>
</dl>
<table>
<caption>Items: each control at each of its targets</caption>
<thead><tr><th scope="col">Verdict</th><th scope="col" class="number">Count</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
${undecided > 0 ? html`<p><strong>Incomplete</strong>: ${undecided} ${undecided === 1 ? 'item is' : 'items are'} undecided.</p>\n` : NOTHING}
${waived.length > 0 ? html`<p>${waived.length} failing ${waived.length === 1 ? 'item has' : 'items have'} a waiver that is in date. A waiver is a request until the hospital's countersignature accepts it.</p>\n` : NOTHING}
${expired.length > 0 ? html`<p><strong>${expired.length} ${expired.length === 1 ? 'piece' : 'pieces'} of evidence had expired</strong> by ${when(model.session.lastAt)}; what rests on them counts as undecided.</p>\n` : NOTHING}`;
}

function countStandings(items: readonly ReportItem[], model: ReportModel): Readonly<Record<Standing, number>> {
  const counts: Record<Standing, number> = {
    fail: 0,
    error: 0,
    'not-reviewed': 0,
    expired: 0,
    pass: 0,
    'not-applicable': 0,
  };
  for (const item of items) counts[standingOf(item, model)] += 1;
  return counts;
}

function notProved(counts: Readonly<Record<Standing, number>>): string {
  const parts = (
    [
      ['fail', 'not met'],
      ['error', 'could not be found out'],
      ['not-reviewed', 'not looked at yet'],
      ['expired', 'run out'],
    ] as const
  ).flatMap(([standing, words]) => (counts[standing] === 0 ? [] : [`${counts[standing]} ${words}`]));
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function actors(model: ReportModel): Markup {
  const parts = (Object.keys(OWNERS) as (keyof typeof OWNERS)[]).flatMap((owner) => {
    const open = model.items.filter((item) => item.control.owner === owner && needsAction(item, model)).length;
    return open === 0 ? [] : [`${OWNERS[owner]} (${open})`];
  });
  return parts.length === 0 ? html`nobody` : html`<a href="#act">${parts.join(', ')}</a>`;
}

/** Until when what is said above stays true: that of an open session is only what was proved in it. */
function trueUntilWhen(model: ReportModel, proved: number): Markup {
  if (proved === 0) return html`nothing was proved`;
  const until = trueUntil(model);
  if (until === undefined) return html`nothing that was proved runs out`;
  return model.summary.word === 'hardened'
    ? html`<strong>${when(until)}</strong>, when the <a href="#expiry">first evidence</a> runs out`
    : html`${when(until)} for what was proved, when the <a href="#expiry">first evidence</a> runs out`;
}

/** What each owner has to do, the worst first, with what was found. */
export function whoMustAct(model: ReportModel): Markup {
  const groups = (Object.keys(OWNERS) as (keyof typeof OWNERS)[]).map((owner) => {
    const items = model.items
      .filter((item) => item.control.owner === owner && needsAction(item, model))
      .toSorted((a, b) => STANDINGS.indexOf(standingOf(a, model)) - STANDINGS.indexOf(standingOf(b, model)));
    if (items.length === 0) return NOTHING;
    const lines = alike(items, model).flatMap((group) =>
      group.length > NAMED ? [todo(group, model)] : group.map((item) => todo([item], model)),
    );
    return html`<h3>${OWNERS[owner]} (${items.length})</h3>\n<ul class="todo">\n${lines}</ul>\n`;
  });
  const none = model.items.some((item) => needsAction(item, model)) ? NOTHING : html`<p>Nobody: no item is open.</p>`;
  return html`<h2 id="act">Who must act</h2>\n${groups}${none}`;
}

/** Items of one control that stand alike, in the order in which they came. */
function alike(items: readonly ReportItem[], model: ReportModel): readonly (readonly ReportItem[])[] {
  const groups = new Map<string, ReportItem[]>();
  for (const item of items) {
    const key = `${item.control.id} ${standingOf(item, model)} ${isExpired(item, model)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** One line: an item, or many that stand alike, with what was found at the first. */
function todo(group: readonly ReportItem[], model: ReportModel): Markup {
  const [first] = group;
  if (first === undefined) return NOTHING;
  const { title } = first.control;
  const names = group.slice(0, NAMED).map((item) => item.target.name);
  const where = group.length > NAMED ? `${names.join(', ')} and ${group.length - NAMED} more` : names.join(', ');
  const example = group.length > 1 ? `At ${first.target.name}: ` : '';
  return html`<li>${itemBadge(first, model)} <a href="#${anchor(first)}">${title}, ${where}</a>${fixers(group.flatMap((item) => item.findings))}${worst(first.findings, example)}</li>\n`;
}

/** The finding that weighs most; the others stand with the control. */
function worst(findings: readonly Finding[], where: string): Markup {
  const rank = ({ verdict, severity }: Finding) =>
    STANDINGS.indexOf(verdict) * SEVERITIES.length + SEVERITIES.indexOf(severity);
  const [first] = findings.toSorted((a, b) => rank(a) - rank(b));
  if (first === undefined) return NOTHING;
  const more = findings.length === 1 ? '' : ` And ${findings.length - 1} more.`;
  return html`<br><span class="quiet">${where}${first.sentence}${more}</span>`;
}

function fixers(findings: readonly Finding[]): Markup {
  const names = [...new Set(findings.flatMap((finding) => finding.fixBy ?? []))];
  return names.length === 0 ? NOTHING : html` (can be fixed by: ${names.join(', ')})`;
}

/** An expired item never shows as a pass. */
export function itemBadge(item: ReportItem, model: ReportModel): Markup {
  if (!isExpired(item, model)) return standingBadge(item.verdict);
  const mark = standingBadge('expired');
  return item.verdict === 'pass'
    ? html`${mark} <span class="quiet">(was pass)</span>`
    : html`${standingBadge(item.verdict)}, ${mark}`;
}

/** Keys hold characters that mean something in a fragment. */
export function anchor(item: ReportItem): string {
  return `item-${item.key.replace(/[^A-Za-z0-9.-]/g, '_')}`;
}
