import { type AccessChanges, accessChangesSchema } from '../people/access-changes.ts';
import type { CheckOutcome } from '../verdict/judge.ts';
import { html, type Markup, NOTHING } from './markup.ts';
import type { ReportItem, ReportModel } from './model.ts';
import { when } from './pictures.ts';

/** People that are listed one by one; of more only the number is said, as the facts have them all. */
const MOST_LISTED = 40;
/** Digits of a code that are printed: enough to find it in the facts. */
const CODE_DIGITS = 12;

/** What changed since the earlier bundle, from the first check of an item that compared; undefined where none did. */
export function changedOf(outcomes: ReadonlyMap<number, CheckOutcome> | undefined): AccessChanges | undefined {
  for (const outcome of outcomes?.values() ?? []) {
    const facts = 'facts' in outcome ? outcome.facts.facts : undefined;
    const changed = accessChangesSchema.safeParse((facts as { changed?: unknown } | undefined)?.changed);
    if (changed.success) return changed.data;
  }
  return undefined;
}

/** What changed, with who: by name where the facts have names, else by the beginning of their code. */
export function sinceLast({ changed }: ReportItem): Markup {
  if (changed === undefined) return NOTHING;
  const who = (people: readonly { id: string; name?: string | undefined }[]) => {
    const listed = people.slice(0, MOST_LISTED).map(({ id, name }) => name ?? id.slice(0, CODE_DIGITS));
    const rest = people.length - listed.length;
    return html`<code>${listed.join(', ')}</code>${rest > 0 ? html` and ${rest} more, in the facts` : NOTHING}`;
  };
  const groups = (list: AccessChanges['groupsAdded'] = []) => list.map(({ group, role }) => `${group} (${role})`);
  const grantors = (list: AccessChanges['grantorsAdded'] = []) =>
    list.map(({ name, id, type, role }) => `${name ?? id?.slice(0, CODE_DIGITS) ?? type} (${role})`);
  const line = (head: string, list: readonly unknown[] | undefined, body: Markup | string) =>
    list === undefined || list.length === 0 ? NOTHING : html`<li>${head}: ${body}</li>\n`;
  const { since, sentence, joined, left, moved, regrouped } = changed;
  return html`<h4>Since the bundle of ${when(since.at)}</h4>
<p>${sentence}${since.provisional ? ' That bundle lacks a signature.' : ''}</p>
<ul>
${line('Joined', joined, who(joined ?? []))}${line('Left', left, who(left ?? []))}${line('Changed roles', moved, who(moved ?? []))}${line('Can log in now', changed.enabled, who(changed.enabled ?? []))}${line('Cannot log in now', changed.disabled, who(changed.disabled ?? []))}${line('Given by another group', regrouped, regrouped.map(({ role, before, now }) => `${role} (${before}, now ${now})`).join(', '))}${line('More nested groups', changed.groupsAdded, groups(changed.groupsAdded).join(', '))}${line('No longer nested', changed.groupsRemoved, groups(changed.groupsRemoved).join(', '))}${line('Can give a role now', changed.grantorsAdded, grantors(changed.grantorsAdded).join(', '))}${line('Can no longer give a role', changed.grantorsRemoved, grantors(changed.grantorsRemoved).join(', '))}</ul>
`;
}

/** How people were recorded, and what the session was compared with: entries of a list of terms. */
export function peopleTerms({ people, baseline }: ReportModel): Markup {
  const recorded =
    people === undefined
      ? NOTHING
      : html`<dt>People</dt><dd>${people.keyId === undefined ? 'counted only: no site key was given' : html`as codes under the site key <code>${people.keyId}</code>, which only the hospital holds`}${people.namesAgreed === undefined ? NOTHING : people.namesAgreed ? '; by name where the guide asks for it, as the operator agreed' : '; the operator did not agree to names'}</dd>\n`;
  const compared =
    baseline === undefined
      ? NOTHING
      : html`<dt>Compared with</dt><dd>a bundle of ${when(baseline.lastAt)}, guide ${baseline.guide}, ${baseline.provisional ? 'which the engineer and the hospital have not both signed' : 'signed by the engineer and the hospital'}<br><code>SHA-256 ${baseline.bundle}</code></dd>\n`;
  return html`${recorded}${compared}`;
}
