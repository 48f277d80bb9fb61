import { html, type Markup, NOTHING } from './markup.ts';
import type { ReportModel } from './model.ts';
import { day, LENGTH, strip, when } from './pictures.ts';
import { standingOf } from './standing.ts';

const DAY_MS = 86_400_000;
/** Days that the picture looks ahead. Roots live for decades, and would leave no length for what ends soon. */
const AHEAD = 400;

/** More targets of one control than these are counted, not named. */
const NAMED = 3;

type End = {
  readonly at: string;
  readonly what: 'Evidence' | 'Certificate' | 'Waiver';
  readonly title: string;
  readonly target?: string;
};

/** What runs out, by the day: evidence that counts, certificates that were seen, waivers. Nothing where nothing does. */
export function expiry(model: ReportModel): Markup {
  const from = Date.parse(model.session.lastAt);
  const left = (at: string) => Math.floor((Date.parse(at.slice(0, 10)) - from) / DAY_MS) + 1;
  const ends = endsOf(model).filter(({ at, what }) => left(at) >= 0 && (what !== 'Certificate' || left(at) <= AHEAD));
  if (ends.length === 0) return NOTHING;
  const days = [...new Set(ends.map(({ at }) => at.slice(0, 10)))].sort();
  const most = Math.max(1, ...days.map(left));
  const rows = days.map((end) => {
    const here = ends.filter(({ at }) => at.startsWith(end));
    const width = Math.max(2, (left(end) / most) * LENGTH).toFixed(1);
    const fill = here.some(({ what }) => what === 'Evidence') ? 'pass' : 'moment';
    const lines = (['Evidence', 'Certificate', 'Waiver'] as const).flatMap((what) => {
      const named = inWords(here.filter((each) => each.what === what));
      return named === '' ? [] : [html`<strong>${what}:</strong> ${named}<br>`];
    });
    return html`<tr><th scope="row">${day(end)}</th><td class="bar">${strip([html`<rect class="fill-${fill}" x="0" y="0" width="${width}" height="12"/>`])}</td><td class="number">${left(end)}</td><td>${lines}</td></tr>\n`;
  });
  return html`<h2 id="expiry">Expiry ahead</h2>
<table class="picture">
<caption>What runs out, counted in days from ${when(model.session.lastAt)}; certificates that end within ${AHEAD} days</caption>
<thead><tr><th scope="col">Good until</th><td></td><th scope="col" class="number">Days</th><th scope="col">What</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

function inWords(ends: readonly End[]): string {
  const targets = new Map<string, string[]>();
  for (const { title, target } of ends)
    targets.set(title, [...(targets.get(title) ?? []), ...(target === undefined ? [] : [target])]);
  return [...targets]
    .map(([title, names]) =>
      names.length === 0 ? title : `${title}: ${names.length > NAMED ? `${names.length} targets` : names.join(', ')}`,
    )
    .join('; ');
}

function endsOf(model: ReportModel): readonly End[] {
  const items = model.items.flatMap((item): End[] => {
    const about = { title: item.control.title, target: item.target.name };
    const { goodUntil, waiver, verdict } = item;
    return [
      ...(goodUntil !== undefined && standingOf(item, model) === 'pass'
        ? [{ at: goodUntil, what: 'Evidence' as const, ...about }]
        : []),
      ...(waiver !== undefined && verdict === 'fail' ? [{ at: waiver.until, what: 'Waiver' as const, ...about }] : []),
    ];
  });
  const certificates = model.certificates.map(
    ({ notAfter, subject }): End => ({ at: notAfter, what: 'Certificate', title: subject }),
  );
  return [...items, ...certificates];
}
