import type { ReportItem, ReportModel } from './model.ts';
import { markdownText } from './plain-text.ts';
import { isExpired, needsAction, STANDING_MEANS, STANDING_WORDS, STANDINGS, standingOf } from './standing.ts';

export type Party = 'hospital' | 'manufacturer';

/**
 * What one party still has to do, in Markdown (CommonMark): what is open among its own and the shared controls, and
 * what was left to it or only it can mend; waivers to be decided; what runs out next. The same model gives the same
 * bytes.
 */
export function renderOpenItems(model: ReportModel, party: Party): string {
  const open = model.items
    .filter((item) => needsAction(item, model) && concerns(item, party))
    .toSorted((a, b) => rank(a, model) - rank(b, model));
  const waivers = party === 'hospital' ? model.items.filter(({ waiver, verdict }) => waiver && verdict === 'fail') : [];
  const ahead = model.items
    .filter((item) => standingOf(item, model) === 'pass' && item.goodUntil !== undefined && concerns(item, party))
    .toSorted((a, b) => ((a.goodUntil ?? '') < (b.goodUntil ?? '') ? -1 : 1));
  const parts = [
    `# Open items for the ${party}`,
    ...(model.practice
      ? ['**PRACTICE: this comes from a practice hospital and proves nothing about a real one.**']
      : []),
    `${markdownText(model.title)}, guide ${markdownText(`${model.guide.id} ${model.guide.version}`)}, at ${markdownText(model.site.name)}. As of ${day(model.session.lastAt)}, session ${model.session.id}.`,
    `## To do (${open.length})`,
    ...(open.length === 0 ? ['Nothing is open.'] : []),
    ...sections(open, party).flatMap(([title, items]) => [
      `### ${title} (${items.length})`,
      items.map((item) => entry(item, model)).join('\n'),
    ]),
  ];
  if (waivers.length > 0)
    parts.push(
      `## Waivers to decide (${waivers.length})`,
      'A waiver is a request until the countersignature accepts it.',
      waivers
        .map(
          ({ control, target, waiver, key }) =>
            `- ${markdownText(`${control.title}, ${target.name}`)} (\`${code(key)}\`), until ${day(waiver?.until ?? '')}\n  - Reason: ${markdownText(waiver?.reason ?? '')}\n  - Instead: ${markdownText(waiver?.compensating ?? '')}`,
        )
        .join('\n'),
    );
  if (ahead.length > 0)
    parts.push(
      `## Runs out next (${ahead.length})`,
      ahead
        .map(
          ({ control, target, goodUntil }) =>
            `- ${day(goodUntil ?? '')}: ${markdownText(`${control.title}, ${target.name}`)}`,
        )
        .join('\n'),
    );
  return `${parts.join('\n\n')}\n`;
}

/** Its own, a shared one, one that was left to it, or one that it alone can mend. */
function concerns(item: ReportItem, party: Party): boolean {
  return (
    item.control.owner === party ||
    item.control.owner === 'shared' ||
    item.deferred?.to === party ||
    item.findings.some((found) => found.fixBy === party)
  );
}

/** What a party can do alone comes first. */
function sections(open: readonly ReportItem[], party: Party): readonly (readonly [string, readonly ReportItem[]])[] {
  const other = party === 'hospital' ? 'manufacturer' : 'hospital';
  const all = [
    [`For the ${party}`, open.filter(({ control }) => control.owner === party)],
    [`Together with the ${other}`, open.filter(({ control }) => control.owner === 'shared')],
    [`The ${other}'s, where the ${party} is asked for help`, open.filter(({ control }) => control.owner === other)],
  ] as const;
  return all.filter(([, items]) => items.length > 0);
}

function rank(item: ReportItem, model: ReportModel): number {
  return STANDINGS.indexOf(standingOf(item, model));
}

function entry(item: ReportItem, model: ReportModel): string {
  const standing = standingOf(item, model);
  const details = [
    ...item.findings.map(
      (found) =>
        `${markdownText(found.sentence)}${found.fixBy === undefined ? '' : ` (can be fixed by: ${markdownText(found.fixBy)})`}`,
    ),
    ...(isExpired(item, model) ? [`The evidence ran out on ${day(item.goodUntil ?? '')}.`] : []),
    ...(item.deferred === undefined
      ? []
      : [`Left to ${markdownText(item.deferred.to)}: ${markdownText(item.deferred.note)}`]),
    `Why it matters: ${markdownText(item.control.why)}`,
  ];
  return [
    `- [ ] **${markdownText(`${item.control.title}, ${item.target.name}`)}** (\`${code(item.key)}\`): ${STANDING_WORDS[standing]}: ${STANDING_MEANS[standing]}.`,
    ...details.map((detail) => `  - ${detail}`),
  ].join('\n');
}

function day(iso: string): string {
  return iso.slice(0, 10);
}

/** A code span ends at the first backtick. */
function code(text: string): string {
  return text.replace(/[`\s]/g, ' ');
}
