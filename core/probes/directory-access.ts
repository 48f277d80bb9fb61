import { z } from 'zod';
import { idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

const pseudonym = z.string().regex(/^[0-9a-f]{64}$/);
const people = z
  .array(pseudonym)
  .optional()
  .describe('HMACs of these user accounts under the key of the site, sorted; absent without the key');

const roleSchema = z.strictObject({
  id: z.string().describe('Id of the role in the site file'),
  group: z.string().describe('Group that grants the role, as the site names it'),
  exists: z.boolean().describe('The group is in the directory'),
  holders: z.int().optional().describe('User accounts that hold the role, whether they can log in or not'),
  canLogIn: z.int().optional().describe('Of these: neither disabled nor expired'),
  paths: z
    .strictObject({
      direct: z.int().describe('Holders that the group itself names'),
      nested: z.int().describe('Holders that a nested group names'),
      primaryGroup: z.int().describe('Holders whose primary group is the group or a nested one'),
    })
    .optional()
    .describe('How many holders come in by each kind of path; who comes in by two counts twice'),
  through: z.array(z.string()).optional().describe('Names of the nested groups, each of which gives the role'),
  broad: z
    .array(z.string())
    .optional()
    .describe('Principals among them that stand for more or less everybody, or come from another domain'),
  people,
  grantors: z
    .array(z.string())
    .optional()
    .describe(
      'Who, besides built-in administrators, can give the role by changing its group or a nested one (people without key: "person")',
    ),
});

const overlapSchema = z.strictObject({
  roles: z.array(z.string()).length(2).describe('Ids of the two roles'),
  count: z.int().describe('User accounts that hold both'),
  people,
});

/** `directory.access`: everybody who can log in to the product, under all of its roles at once. */
export const directoryAccess = declareProbe({
  id: 'directory.access',
  title: 'Access to the product under all roles',
  version: 1,
  params: z.strictObject({
    roles: z
      .array(z.strictObject({ id: idSchema, name: z.string().optional(), group: z.string().min(1).max(256) }))
      .min(1)
      .max(50)
      .describe('Every role of the product with its group, e.g. $site.roles'),
    keepApart: z
      .array(z.array(idSchema).length(2))
      .max(200)
      .default([])
      .describe('Pairs of role ids that nobody may hold together'),
    maximum: z
      .int()
      .min(1)
      .max(200_000)
      .default(50_000)
      .describe('Stop counting a role after this many entries; its counts are then absent'),
  }),
  facts: z.strictObject({
    roles: z.array(roleSchema).describe('One entry per role, in the order of the guide'),
    everyone: z.int().optional().describe('User accounts that hold at least one role, each counted once'),
    keptApart: z
      .array(overlapSchema)
      .optional()
      .describe('For each pair that is to be kept apart: who holds both; absent unless every pair could be decided'),
    holdTwo: z.int().optional().describe('User accounts that hold both roles of at least one such pair'),
    grantors: z
      .array(z.string())
      .optional()
      .describe('Who, besides built-in administrators, can give at least one role'),
  }),
  visible: ({ roles }) => [
    `One bind of the bind account and searches for ${roles.length} groups, their nested groups, members and access control lists, in pages.`,
  ],
  rights: 'an ordinary domain user; the access control lists may need more',
  deadlineMs: 240_000,
});
