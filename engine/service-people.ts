import { ok, type Result } from '../core/result.ts';
import type { ServiceInputs, ServiceMethod } from './service-contract.ts';
import { useBaseline } from './session/baseline.ts';
import { agreeToNames, useSiteKey } from './session/people.ts';
import type { Session } from './session/session.ts';

type PeopleMethod = Extract<ServiceMethod, `people.${string}` | `baseline.${string}`>;
type Handlers = { readonly [M in PeopleMethod]: (input: ServiceInputs[M]) => Promise<Result<unknown>> };

/**
 * What the desktop's engine does about people: the site key, the consent to names, and the bundle that is compared with.
 * @param inSession runs its work on the open session
 */
export function peopleHandlers(
  inSession: (work: (open: Session) => Promise<Result<unknown>>) => Promise<Result<unknown>>,
): Handlers {
  return {
    'people.key': ({ text }) => inSession((open) => useSiteKey(open, text)),
    'people.names': ({ agreed }) =>
      inSession(async (open) => {
        const recorded = await agreeToNames(open, agreed);
        return recorded.ok ? ok(null) : recorded;
      }),
    'baseline.choose': ({ path, trust }) =>
      inSession(async (open) => {
        const chosen = await useBaseline(open, path, trust);
        return chosen.ok ? ok(null) : chosen;
      }),
  };
}
