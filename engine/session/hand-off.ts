import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { psComment } from '../changes/powershell.ts';
import { changeOfKind } from './change-parts.ts';
import { shownPlan } from './changes.ts';
import { saveFile } from './save-file.ts';
import type { Session } from './session.ts';

/** A plan that was shown in this run, by its step and number. */
export type HandedOver = { readonly key: string; readonly change: string };

const RULE = '-'.repeat(72);

/**
 * Plans as one text for those who have the right: what and why, the plan as LDIF, the same as a PowerShell script, and what
 * will be checked afterwards. Holds no secret. Errors: `session.state` (not shown in this run), `change.refused` (not for a
 * directory team).
 */
export function exportHandOff(session: Session, plans: readonly HandedOver[]): Result<string> {
  const steps: string[] = [];
  const ldif: string[] = [];
  const script: string[] = [];
  for (const [index, { key, change }] of plans.entries()) {
    const pending = shownPlan(session, key, change);
    if (!pending.ok) return pending;
    const { item, plan } = pending.value;
    const powershell = changeOfKind(plan.kind)?.powershell?.(plan);
    if (powershell === undefined)
      return fail('change.refused', 'This is not a change of the directory, so the directory team cannot make it.', {
        place: key,
      });
    if (!powershell.ok) return powershell;
    const probes = [...new Set(item.checks.map(({ probe }) => titleOf(probe)))];
    steps.push(
      `${index + 1}. ${oneLine(plan.summary)}`,
      `   For:     ${oneLine(item.control.title)} (${item.control.id}), ${oneLine(item.target.name)}`,
      `   Why:     ${oneLine(item.control.why)}`,
      `   Checked: ${probes.length === 0 ? 'by a person' : probes.join(', ')}, as the guide expects it`,
      '',
    );
    ldif.push(plan.diff.trimEnd(), '');
    script.push(psComment(`${index + 1}. ${oneLine(plan.summary)}`), ...powershell.value, '');
  }
  const { site, guide } = session.plan;
  return ok(
    [
      `Changes for the directory team of ${oneLine(site.name)}`,
      ...(site.practice ? ['PRACTICE: this is about a practice hospital, which does not exist.'] : []),
      '',
      `Whoever hardens ${oneLine(guide.product.name)} by the guide ${guide.guide} ${guide.version} has no right to make these changes.`,
      'Please make them, by part A or by part B, whichever you like better. Both do the same; neither holds a password.',
      '',
      ...steps,
      'How: look at each line first. If one does not fit your directory, leave it out and say so.',
      '  Part A: save what is between the lines as change.ldif, then: ldifde -i -k -f change.ldif',
      '          (on Linux: ldapmodify -H ldaps://YOUR-SERVER -D YOUR-ACCOUNT -W -f change.ldif)',
      '  Part B: save what is between the lines as change.ps1 and run it where the ActiveDirectory module is installed.',
      '          It stops at the first error, and asks before it deletes or takes anything out.',
      'Afterwards tell whoever sent you this. Lockstep runs the steps again and records what it then finds.',
      '',
      `${RULE} part A: change.ldif`,
      'version: 1',
      '',
      ...ldif,
      `${RULE} part B: change.ps1`,
      '#Requires -Modules ActiveDirectory',
      "$ErrorActionPreference = 'Stop'",
      '',
      ...script,
      `${RULE} end`,
      '',
    ].join('\n'),
  );
}

/**
 * Writes the hand-off to `path` and records for each step that it is left to the hospital. When the team has done it, the
 * step is simply run again. Errors: those of `exportHandOff`, `journal.write`.
 * @param name what the journal calls the file; the folder is nobody's business
 */
export async function handOff(
  session: Session,
  plans: readonly HandedOver[],
  path: string,
  name: string,
): Promise<Result<void>> {
  const text = exportHandOff(session, plans);
  if (!text.ok) return text;
  const saved = await saveFile(path, text.value);
  if (!saved.ok) return saved;
  for (const { key, change } of plans) {
    const note = `Handed to the directory team as ${name} (${change}).`;
    const recorded = await session.journal.append('deferred', { key, to: 'hospital', note });
    if (!recorded.ok) return recorded;
  }
  return ok(undefined);
}

function titleOf(probe: string): string {
  return PROBE_DECLARATIONS.find((candidate) => candidate.id === probe)?.title ?? probe;
}

/** Text from elsewhere must not be able to look like another part of the file. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
