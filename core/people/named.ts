import { personSchema } from '../probes/people.ts';

const person = personSchema.pick({ id: true, name: true });

/** Whether somebody is named anywhere in facts: an object with a person's code and a name. */
export function namesSomebody(facts: unknown): boolean {
  if (typeof facts !== 'object' || facts === null) return false;
  if (!Array.isArray(facts) && 'name' in facts && 'id' in facts) {
    const { id, name } = facts as { id: unknown; name: unknown };
    if (person.safeParse({ id, name }).success && name !== undefined) return true;
  }
  return Object.values(facts).some(namesSomebody);
}
