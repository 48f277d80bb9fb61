import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { evaluateParams, type Plan, type PlanItem } from '../../core/guide/plan.ts';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';

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

/** What the hospital's monitoring will see of the change of a step; empty where the step has none. */
export function visibleOfChange(item: PlanItem): readonly string[] {
  const { change } = item.control;
  const declaration = CHANGE_DECLARATIONS.find((candidate) => candidate.id === change?.kind);
  if (change === undefined || declaration === undefined) return [];
  const values = evaluateParams(change.with, item.values);
  const params = declaration.params.safeParse(values.ok ? values.value : undefined);
  return params.success ? declaration.visible(params.data) : [];
}
