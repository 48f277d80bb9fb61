import type { Plan, PlanItem } from '../../core/guide/plan.ts';
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
  return [...new Set(sentences)];
}
