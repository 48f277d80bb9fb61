import { html, type Markup, NOTHING } from './markup.ts';
import type { Lane, ReportItem, ReportModel } from './model.ts';
import { type Standing, STANDING_SIGNS, STANDING_WORDS, STANDINGS, standingOf, trueUntil } from './standing.ts';

/** Bars are drawn on a line this long; the style sheet stretches it. */
const LENGTH = 600;
const BINS = 60;
const DAY = 86_400_000;

export const OWNERS = {
  manufacturer: 'Manufacturer',
  hospital: 'Hospital',
  shared: 'Manufacturer and hospital together',
} as const;

/** A day in words, with the hour where `precise`. */
export function when(iso: string): Markup {
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

/** What stands for an item, as a sign, a word and a colour. */
export function standingBadge(standing: Standing): Markup {
  return html`<span class="verdict ${standing}">${STANDING_SIGNS[standing]} ${STANDING_WORDS[standing]}</span>`;
}

// Every picture is a table with a bar in each row: the numbers stand beside it, so that nothing hangs on colour, on
// sight, or on a printer.

/** How far each owner has got, in all and per group of the guide. */
export function coverage(model: ReportModel): Markup {
  const bodies = (Object.keys(OWNERS) as (keyof typeof OWNERS)[]).map((owner) => {
    const items = model.items.filter((item) => item.control.owner === owner);
    if (items.length === 0) return NOTHING;
    const groups = [...new Set(items.map((item) => item.control.group))];
    const rows = groups.map((group) =>
      coverageRow(
        html`<th scope="row" class="inner">${group}</th>`,
        items.filter((item) => item.control.group === group),
        model,
      ),
    );
    return html`<tbody>\n${coverageRow(html`<th scope="rowgroup">${OWNERS[owner]}</th>`, items, model)}${rows}</tbody>\n`;
  });
  const heads = STANDINGS.map((standing) => html`<th scope="col" class="number">${STANDING_WORDS[standing]}</th>`);
  return html`<h2 id="coverage">Coverage by owner and group</h2>
<table class="picture">
<caption>How many items of each owner and group stand where</caption>
<thead><tr><th scope="col">Owner, group</th><td></td>${heads}</tr></thead>
${bodies}</table>
`;
}

function coverageRow(head: Markup, items: readonly ReportItem[], model: ReportModel): Markup {
  const counts = STANDINGS.map((standing) => items.filter((item) => standingOf(item, model) === standing).length);
  let at = 0;
  const parts = STANDINGS.map((standing, index) => {
    const width = ((counts[index] ?? 0) / items.length) * LENGTH;
    const part =
      width === 0
        ? NOTHING
        : html`<rect class="fill-${standing}" x="${at.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="12"/>`;
    at += width;
    return part;
  });
  return html`<tr>${head}<td class="bar">${strip(parts)}</td>${counts.map((count) => html`<td class="number">${count}</td>`)}</tr>\n`;
}

const STATES = {
  'encrypted-and-authenticated': 'Encrypted and authenticated',
  'encrypted-only': 'Encrypted only',
  clear: 'Clear text',
  undecided: 'Not decided',
} as const;
const ENDS = [
  ['device', "The device insists on the server's certificate", 118],
  ['client', "The server insists on the device's certificate", 188],
  ['server', 'The server proves itself', 222],
] as const;
const SIGNS = { observed: '✓', refuted: '✗', 'not-tested': '?' } as const;
const PROOFS = { observed: 'seen', refuted: 'refuted', 'not-tested': 'not tested' } as const;

/** Each link that the guide judges: its two ends, and who proved what. Nothing where the guide judges none. */
export function links(model: ReportModel): Markup {
  const items = model.items.filter((item) => item.link !== undefined);
  if (items.length === 0) return NOTHING;
  return html`<h2 id="links">Links: who proved what</h2>\n${items.map((item) => link(item, model))}`;
}

function link(item: ReportItem, model: ReportModel): Markup {
  if (item.link === undefined) return NOTHING;
  const { ends, requires } = item.link;
  const state = item.link.state ?? 'undecided';
  const marks = ENDS.map(
    ([end, , x], index) =>
      html`<circle class="proof proof-${ends[end].status}" cx="${x}" cy="30" r="13"/><text class="proof-text" x="${x}" y="34.5">${index + 1}${SIGNS[ends[end].status]}</text>`,
  );
  const lines = ENDS.map(
    ([end, title]) =>
      html`<li><span class="verdict proof-${ends[end].status}">${SIGNS[ends[end].status]} ${PROOFS[ends[end].status]}</span> ${title}${requires.includes(end) ? NOTHING : html` <span class="quiet">(the guide does not ask for it)</span>`}: ${ends[end].sentence}</li>\n`,
  );
  return html`<figure class="link">
<figcaption><strong>${item.target.name}: ${STATES[state]}</strong> ${standingBadge(standingOf(item, model))}</figcaption>
<svg viewBox="0 0 340 60" aria-hidden="true" focusable="false"><path class="wire wire-${state}" d="M80 30H260"/><rect class="end" x="1" y="10" width="80" height="40" rx="4"/><text x="41" y="34.5">device</text><rect class="end" x="259" y="10" width="80" height="40" rx="4"/><text x="299" y="34.5">server</text>${marks}</svg>
<ol>
${lines}</ol>
</figure>
`;
}

const LANES: readonly (readonly [Lane, string])[] = [
  ['checks', 'Checks'],
  ['answers', 'Answers and attachments'],
  ['changes', 'Changes'],
  ['waivers', 'Waivers asked for'],
  ['signatures', "Operator's signatures"],
];

/** What happened when, as strips over the time of the session. */
export function timeline(model: ReportModel): Markup {
  const [from, to] = [Date.parse(model.session.openedAt), Date.parse(model.session.lastAt)];
  const rows = LANES.flatMap(([lane, title]) => {
    const times = model.timeline.filter((moment) => moment.lane === lane).map((moment) => moment.at);
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined) return [];
    const bins = Array.from({ length: BINS }, () => 0);
    for (const time of times) {
      const share = to > from ? (Date.parse(time) - from) / (to - from) : 0;
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor(share * BINS)));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const most = Math.max(...bins);
    const marks = bins.map((count, bin) => {
      const height = Math.max(3, (count / most) * 12);
      return count === 0
        ? NOTHING
        : html`<rect class="fill-moment" x="${(bin * LENGTH) / BINS + 1}" y="${(12 - height).toFixed(1)}" width="${LENGTH / BINS - 2}" height="${height.toFixed(1)}"/>`;
    });
    return [
      html`<tr><th scope="row">${title}</th><td class="bar">${strip(marks)}</td><td class="number">${times.length}</td><td>${when(first)}</td><td>${when(last)}</td></tr>\n`,
    ];
  });
  if (rows.length === 0) return NOTHING;
  return html`<h2 id="timeline">Timeline of the session</h2>
<table class="picture">
<caption>From ${when(model.session.openedAt)} (left) to ${when(model.session.lastAt)} (right)</caption>
<thead><tr><th scope="col">What</th><td></td><th scope="col" class="number">Count</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

/** What was proved and will run out, by the day. Nothing where no evidence ages. */
export function expiry(model: ReportModel): Markup {
  const first = trueUntil(model);
  if (first === undefined) return NOTHING;
  const ends = new Map<string, ReportItem[]>();
  for (const item of model.items) {
    if (item.goodUntil === undefined || standingOf(item, model) !== 'pass') continue;
    const day = item.goodUntil.slice(0, 10);
    ends.set(day, [...(ends.get(day) ?? []), item]);
  }
  const days = [...ends.keys()].sort();
  const left = (day: string) => Math.max(0, Math.floor((Date.parse(day) - Date.parse(model.session.lastAt)) / DAY) + 1);
  const most = Math.max(1, ...days.map(left));
  const rows = days.map((day) => {
    const items = ends.get(day) ?? [];
    const width = Math.max(2, (left(day) / most) * LENGTH).toFixed(1);
    return html`<tr><th scope="row"><time datetime="${day}">${day}</time></th><td class="bar">${strip([html`<rect class="fill-pass" x="0" y="0" width="${width}" height="12"/>`])}</td><td class="number">${left(day)}</td><td>${items.map((item) => `${item.control.title}, ${item.target.name}`).join('; ')}</td></tr>\n`;
  });
  return html`<h2 id="expiry">Expiry ahead</h2>
<table class="picture">
<caption>When evidence runs out, counted in days from ${when(model.session.lastAt)}</caption>
<thead><tr><th scope="col">Good until</th><td></td><th scope="col" class="number">Days</th><th scope="col">Items</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

function strip(parts: readonly Markup[]): Markup {
  return html`<svg viewBox="0 0 ${LENGTH} 12" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="ground" x="0" y="0" width="${LENGTH}" height="12"/>${parts}</svg>`;
}
