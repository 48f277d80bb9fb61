import { z } from 'zod';
import { pseudonymSchema } from '../probes/people.ts';
import { sinceSchema } from './earlier.ts';

const role = { role: z.string().describe('Id of the role') };
const held = { id: pseudonymSchema, name: z.string().optional().describe('Only where the facts have names') };
const roles = z.array(z.string()).describe('Ids of roles');
const groupSchema = z.strictObject({ ...role, group: z.string().describe('Group that gives the role') });
const grantorSchema = z.strictObject({
  ...role,
  type: z.enum(['group', 'person', 'well-known', 'unresolved']),
  name: z.string().optional().describe('Absent for a person'),
  id: pseudonymSchema.optional(),
});

/** What is otherwise than in an earlier bundle. */
export const accessChangesSchema = z.strictObject({
  since: sinceSchema,
  sentence: z.string().describe('What changed, in one line'),
  joined: z
    .array(z.strictObject({ ...held, roles }))
    .optional()
    .describe('Who holds a role now and held none then'),
  left: z
    .array(z.strictObject({ id: pseudonymSchema, roles }))
    .optional()
    .describe('Who held a role then and holds none now'),
  moved: z
    .array(z.strictObject({ ...held, from: roles, to: roles }))
    .optional()
    .describe('Who holds other roles than then'),
  enabled: z
    .array(z.strictObject({ ...held, roles }))
    .optional()
    .describe('Who held a role then and now, and can log in now but could not then'),
  disabled: z
    .array(z.strictObject({ ...held, roles }))
    .optional()
    .describe('Who held a role then and now, and could log in then but cannot now'),
  counts: z
    .array(z.strictObject({ ...role, before: z.int(), now: z.int() }))
    .describe('Holders of each role, then and now, where both are known'),
  regrouped: z
    .array(z.strictObject({ ...role, before: z.string(), now: z.string() }))
    .describe('Roles that another group gives than then'),
  groupsAdded: z.array(groupSchema).optional().describe('Nested groups that give a role now and did not then'),
  groupsRemoved: z.array(groupSchema).optional().describe('Nested groups that gave a role then and do not now'),
  grantorsAdded: z.array(grantorSchema).optional().describe('Who can give a role now and could not then'),
  grantorsRemoved: z.array(grantorSchema).optional().describe('Who could give a role then and cannot now'),
});
export type AccessChanges = z.output<typeof accessChangesSchema>;

/** What changed in one line: "3 people joined and 1 left since 2026-10-01; 1 more group gives a role." */
export function sentenceOf(changed: Omit<AccessChanges, 'sentence'>): string {
  const { joined, left, moved, counts, regrouped } = changed;
  const day = changed.since.at.slice(0, 10);
  const told: string[] = [];
  if (joined !== undefined && left !== undefined && moved !== undefined) {
    const parts = [
      ...(joined.length > 0 ? [`${people(joined.length)} joined`] : []),
      ...(left.length > 0 ? [`${joined.length > 0 ? left.length : people(left.length)} left`] : []),
      ...(moved.length > 0 ? [`${people(moved.length)} changed roles`] : []),
    ];
    told.push(`${parts.length === 0 ? 'Nobody joined or left' : listed(parts)} since ${day}`);
  } else {
    const other = counts.filter((count) => count.before !== count.now);
    told.push(
      `Who joined or left since ${day} cannot be told${other.length === 0 ? '' : `; ${other.map(({ role, before, now }) => `${role} had ${people(before)}, now ${now}`).join(', ')}`}`,
    );
  }
  const more = (list: readonly unknown[] = [], words: (count: number) => string) => {
    if (list.length > 0) told.push(words(list.length));
  };
  more(changed.enabled, (count) => `${people(count)} who could not log in then can now`);
  more(changed.disabled, (count) => `${people(count)} who could then cannot now`);
  more(regrouped, (count) => `${count === 1 ? '1 role is' : `${count} roles are`} given by another group`);
  more(
    changed.groupsAdded,
    (count) => `${count} more ${count === 1 ? 'nested group gives' : 'nested groups give'} a role`,
  );
  more(
    changed.groupsRemoved,
    (count) => `${count} nested ${count === 1 ? 'group no longer gives' : 'groups no longer give'} a role`,
  );
  more(changed.grantorsAdded, (count) => `${count} more can give a role`);
  more(changed.grantorsRemoved, (count) => `${count} can no longer give a role`);
  return `${told.join('; ')}.`;
}

function people(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
