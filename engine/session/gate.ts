import { satisfies, valid, coerce } from 'semver';
import type { Plan } from '../../core/guide/plan.ts';
import { evaluateParams } from '../../core/guide/plan.ts';
import type { EventData, FactsFile } from '../../core/session/events.ts';
import { evaluate } from '../../core/verdict/evaluate.ts';
import type { Result } from '../../core/result.ts';

/** How the product's version became known. */
export type GateInput = { readonly typed?: string; readonly overrideReason?: string };

/**
 * Decides whether the guide fits the product in front of us. The observed version counts; a typed one is used only where
 * nothing can be observed, and is marked so. Outside the range the operator's reason is recorded, or nothing runs.
 * @param observe runs the guide's observing probe with these parameters
 */
export async function checkGate(
  plan: Plan,
  input: GateInput,
  observe: (probe: string, params: Record<string, unknown>) => Promise<Result<FactsFile>>,
): Promise<EventData<'gate.checked'>> {
  const range = plan.guide.product.versions;
  const seen = await observeVersion(plan, observe);
  const basis = seen.version !== undefined ? 'observed' : input.typed !== undefined ? 'typed' : 'unknown';
  const version = seen.version ?? input.typed;
  const inRange = version !== undefined && isInRange(version, range);
  const overridden = !inRange && input.overrideReason !== undefined;
  const reason = [seen.reason, overridden ? input.overrideReason : undefined]
    .filter((part) => part !== undefined)
    .join(' Operator: ');
  return {
    basis,
    range,
    inRange,
    overridden,
    ...(version === undefined ? {} : { version }),
    ...(reason === '' ? {} : { reason }),
  };
}

/** Devices write versions freely ("3.3", "v3.3.1 build 7"): semver where it is one, else its leading numbers. */
function isInRange(version: string, range: string): boolean {
  const exact = valid(version) ?? coerce(version)?.version;
  return exact !== undefined && satisfies(exact, range, { includePrerelease: true });
}

async function observeVersion(
  plan: Plan,
  observe: (probe: string, params: Record<string, unknown>) => Promise<Result<FactsFile>>,
): Promise<{ version?: string; reason?: string }> {
  const how = plan.guide.product.observe;
  if (how === undefined) return {};
  const params = evaluateParams(how.with, plan.values);
  if (!params.ok) return { reason: params.error.message };
  const facts = await observe(how.probe, params.value);
  if (!facts.ok) return { reason: facts.error.message };
  const version = evaluate(how.version, { ...plan.values, facts: facts.value.facts }, { facts: facts.value.absent });
  if (!version.ok) return { reason: version.error.message };
  if (typeof version.value !== 'string' || version.value.length > 100)
    return { reason: `The product's version is not a text: ${JSON.stringify(version.value)?.slice(0, 100)}.` };
  return { version: version.value };
}
