import { z } from 'zod';

/** HMAC-SHA-256 of a person's stable id under the key of the site, in hex. */
export const pseudonymSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('HMAC-SHA-256 of the person under the key of the site, in hex');

/**
 * One person of a walk. With the groups of the walk it gives every path: each of `via`, then upwards by `parents`. Groups
 * go by name, or by DN where two of a walk share a name.
 */
export const personSchema = z.strictObject({
  id: pseudonymSchema,
  name: z.string().optional().describe('Only where the guide asks for names and the operator agreed'),
  via: z
    .array(z.string())
    .describe('Groups of the walk that the person is in without another between, the one with the shortest path first'),
  primaryGroup: z.string().optional().describe('Which of these is in `via` as primary group and does not name them'),
});

/** One group of a walk, the root included. Groups are not people: they keep their names. */
export const walkedGroupSchema = z.strictObject({
  name: z.string().describe('sAMAccountName or cn; the DN where another group of the walk has that name'),
  dn: z.string().optional().describe('Distinguished name'),
  parents: z
    .array(z.string())
    .describe('Groups of the walk that name this one, that of the shortest path first; none for a root in no cycle'),
  depth: z.int().describe('Steps of the shortest path from the root to it, 0 for the root itself'),
  path: z
    .array(z.string())
    .optional()
    .describe('Shortest path from the root to this group, both included; left out when very long (follow `parents`)'),
  people: z.int().describe('User accounts that this group names'),
  primaryGroup: z.int().optional().describe('User accounts that have it as primary group and that it does not name'),
});

export type Person = z.output<typeof personSchema>;
export type WalkedGroup = z.output<typeof walkedGroupSchema>;

/**
 * The shortest path for each of the groups that a person is in: names of groups from the root down. Paths that only a
 * cycle makes are not among them.
 */
export function pathsTo({ via }: Pick<Person, 'via'>, groups: readonly WalkedGroup[]): string[][] {
  const byName = new Map(groups.map((group) => [group.name, group]));
  return via.flatMap((name) => {
    const path: string[] = [];
    for (
      let group = byName.get(name);
      group !== undefined && path.length < groups.length;
      group = byName.get(group.parents[0] ?? '')
    ) {
      path.unshift(group.name);
      if (group.depth === 0) return [path];
    }
    return [];
  });
}
