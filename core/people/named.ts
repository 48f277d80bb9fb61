import { pseudonymSchema } from '../probes/people.ts';

/** Whether somebody is named anywhere in facts: an object with a person's code and a name. */
export function namesSomebody(facts: unknown): boolean {
  if (typeof facts !== 'object' || facts === null) return false;
  return isNamed(facts) || Object.values(facts).some(namesSomebody);
}

/** The same facts without the name of anybody. */
export function withoutNames(facts: unknown): unknown {
  if (Array.isArray(facts)) return facts.map(withoutNames);
  if (typeof facts !== 'object' || facts === null) return facts;
  const kept = Object.entries(facts).filter(([key]) => key !== 'name' || !isNamed(facts));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutNames(value)]));
}

function isNamed(facts: object): boolean {
  return (
    'name' in facts && typeof facts.name === 'string' && 'id' in facts && pseudonymSchema.safeParse(facts.id).success
  );
}
