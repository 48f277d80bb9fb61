import { makePlan, type Plan, type SessionFrame } from '../../core/guide/plan.ts';
import { fail, type Result } from '../../core/result.ts';
import type { LoadedGuide } from './load-guide.ts';
import type { LoadedSite } from './load-site.ts';

/** The plan of a guide at a site. Error: `site.invalid` with everything that is missing in the cause. */
export function planOf(guide: LoadedGuide, site: LoadedSite, session?: SessionFrame): Result<Plan> {
  const plan = makePlan(guide.guide, site.sealed, session);
  if (plan.ok) return plan;
  const causes = plan.error.map((error) => `${error.place ?? ''}: ${error.message}`);
  return fail('site.invalid', 'The site does not give what the guide needs.', {
    place: site.path,
    cause: causes.join('\n'),
  });
}
