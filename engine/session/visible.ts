import type { ChangeDeclaration } from '../../core/changes/declaration.ts';
import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { evaluateParams, type Plan, type PlanItem } from '../../core/guide/plan.ts';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Site } from '../../core/site/schema.ts';

/** What the hospital's monitoring will see of one check. */
export function visibleOf(item: PlanItem, check: number): readonly string[] {
  const planned = item.checks[check];
  if (planned === undefined || !planned.params.ok) return [];
  const declaration = PROBE_DECLARATIONS.find((candidate) => candidate.id === planned.probe);
  const params = declaration?.params.safeParse(planned.params.value);
  return declaration !== undefined && params?.success === true ? declaration.visible(params.data) : [];
}

/** What the hospital's monitoring will see of the whole walk, each sentence once, in the order of the plan. */
export function visibleItems(plan: Plan): readonly string[] {
  const sentences = plan.items
    .filter((item) => item.applies.kind === 'yes')
    .flatMap((item) => item.checks.flatMap((_, check) => visibleOf(item, check)));
  const heartbeats = plan.site.devices
    .filter(({ heartbeat }) => heartbeat !== undefined)
    .map(({ name }) => `One heartbeat connection to ${name} before the first check that touches it and after each.`);
  return [...new Set([...sentences, ...heartbeats])];
}

/** The change that a step offers: what monitoring will see of it, or what the site file lacks for it. */
export type OfferedChange = {
  readonly declaration: ChangeDeclaration;
  readonly visible: readonly string[];
  readonly lacks?: string;
};

/** The change of a step at this site; undefined where the step has none. */
export function offeredChange(item: PlanItem, site: Site): OfferedChange | undefined {
  const declaration = CHANGE_DECLARATIONS.find((candidate) => candidate.id === item.control.change?.kind);
  if (declaration === undefined) return undefined;
  const params = paramsOfChange(item, declaration, site);
  return params.ok
    ? { declaration, visible: declaration.visible(params.value) }
    : { declaration, visible: [], lacks: params.error.message };
}

/**
 * The parameters of the change of a step. Error: `change.refused` where the site file does not give what it takes, so that nothing can
 * be done here and other steps can go on.
 */
export function paramsOfChange(item: PlanItem, declaration: ChangeDeclaration, site: Site): Result<unknown> {
  const values = evaluateParams(item.control.change?.with ?? {}, item.values);
  if (!values.ok) {
    const { code, place = '' } = values.error;
    if (code !== 'expression.absent') return values;
    const name = place.split(': ').at(-1);
    return fail('change.refused', `The site file gives no value for ${name}, which this change takes.`, {
      place: item.key,
      fixBy: 'hospital',
    });
  }
  const parsed = declaration.params.safeParse(values.value);
  const lacks = parsed.success
    ? declaration.lacks?.(parsed.data, site)
    : `This change does not fit the site file: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`;
  return lacks === undefined ? ok(parsed.data) : fail('change.refused', lacks, { place: item.key, fixBy: 'hospital' });
}
