import { LINK_PICTURE, LINK_WORDS, linkMeans, linkProofs, linkState, PADLOCK } from './link-picture.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import type { Lane, ReportItem, ReportModel } from './model.ts';
import { type Standing, STANDING_SIGNS, STANDING_WORDS, STANDINGS, standingOf } from './standing.ts';

/** Bars are drawn on a line this long; the style sheet stretches it. */
export const LENGTH = 600;
const BINS = 60;

export const OWNERS = {
  manufacturer: 'Manufacturer',
  hospital: 'Hospital',
  shared: 'Manufacturer and hospital together',
} as const;

/** A point in time in words. UTC, because the report is read in other time zones. */
export function when(iso: string): Markup {
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

/** Its day alone. */
export function day(iso: string): Markup {
  return html`<time datetime="${iso}">${iso.slice(0, 10)}</time>`;
}

/** The same to the second, because a walk may be over within a minute. */
function moment(iso: string): Markup {
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
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
  return html`<tr>${head}<td class="bar">${standingBar(items, model)}</td>${counts.map((count) => html`<td class="number${count === 0 ? ' quiet' : ''}">${count}</td>`)}</tr>\n`;
}

/** How many items stand where, as one bar. */
export function standingBar(items: readonly ReportItem[], model: ReportModel): Markup {
  let at = 0;
  const parts = STANDINGS.map((standing) => {
    const share = items.filter((item) => standingOf(item, model) === standing).length / Math.max(1, items.length);
    const width = share * LENGTH;
    const part =
      width === 0
        ? NOTHING
        : html`<rect class="fill-${standing}" x="${at.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="12"/>`;
    at += width;
    return part;
  });
  return strip(parts);
}

/** Each link that the guide judges: its two ends, and who proved what. Nothing where the guide judges none. */
export function links(model: ReportModel): Markup {
  const items = model.items.filter((item) => item.link !== undefined);
  if (items.length === 0) return NOTHING;
  return html`<h2 id="links">Links: who proved what</h2>\n${items.map((item) => link(item, model))}`;
}

function link(item: ReportItem, model: ReportModel): Markup {
  if (item.link === undefined) return NOTHING;
  const proofs = linkProofs(item.link);
  const state = linkState(item.link);
  const { width, height, middle, box, boxes, wire, radius } = LINK_PICTURE;
  const ends = boxes.map(
    ({ x, name }) =>
      html`<rect class="end" x="${x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="6"/><text x="${x + box.width / 2}" y="${middle.y + 4.5}">${name}</text>`,
  );
  const lock =
    state === 'undecided'
      ? html`<text x="0" y="4.5">?</text>`
      : html`<path class="lock-body" d="${PADLOCK.body}"/><path d="${state === 'clear' ? PADLOCK.open : PADLOCK.shut}"/>`;
  const marks = proofs.map(
    ({ status, mark, x }) =>
      html`<circle class="proof proof-${status}" cx="${x}" cy="${middle.y}" r="${radius}"/><text x="${x}" y="${middle.y + 4.5}">${mark}</text>`,
  );
  const lists = boxes.map(({ name }) => {
    const lines = proofs.flatMap(({ at, status, mark, statement, required, sentence }) =>
      at === name.toLowerCase()
        ? html`<li><strong class="proof-${status}">${mark} ${statement}.</strong> ${sentence}${required ? NOTHING : html` <span class="quiet">The guide does not ask for it.</span>`}</li>\n`
        : [],
    );
    return html`<div><strong class="quiet">${name}</strong>\n<ul>\n${lines}</ul></div>\n`;
  });
  return html`<figure class="link">
<figcaption><strong>${item.target.name}: ${LINK_WORDS[state]}</strong> ${standingBadge(standingOf(item, model))}</figcaption>
<p>${linkMeans(item.link)}</p>
<svg viewBox="0 0 ${width} ${height}" aria-hidden="true" focusable="false"><path class="wire wire-${state}" d="${wire}"/>${ends}<g class="lock lock-${state}" transform="translate(${middle.x} ${middle.y})"><circle r="${radius}"/>${lock}</g>${marks}</svg>
<div class="ends">
${lists}</div>
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
      html`<tr><th scope="row">${title}</th><td class="bar">${strip(marks)}</td><td class="number">${times.length}</td><td>${moment(first)}</td><td>${moment(last)}</td></tr>\n`,
    ];
  });
  if (rows.length === 0) return NOTHING;
  return html`<h2 id="timeline">Timeline of the session</h2>
<table class="picture">
<caption>From ${moment(model.session.openedAt)} (left) to ${moment(model.session.lastAt)} (right), UTC</caption>
<thead><tr><th scope="col">What</th><td></td><th scope="col" class="number">Count</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

/** A bar on the ground that shows how long it could be. */
export function strip(parts: readonly Markup[]): Markup {
  return html`<svg viewBox="0 0 ${LENGTH} 12" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="ground" x="0" y="0" width="${LENGTH}" height="12"/>${parts}</svg>`;
}
