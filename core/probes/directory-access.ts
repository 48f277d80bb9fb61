import { z } from 'zod';
import { accessChangesSchema } from '../people/access-changes.ts';
import { compareAccess } from '../people/compare-access.ts';
import { keyIdSchema } from '../people/key-id.ts';
import { idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';
import { personSchema, pseudonymSchema, walkedGroupSchema } from './people.ts';

const VERSION = 2;

const grantorSchema = z.strictObject({
  type: z.enum(['group', 'person', 'well-known', 'unresolved']).describe('What it is'),
  name: z.string().optional().describe('Name of a group or well-known principal, else the SID; absent for a person'),
  id: pseudonymSchema.optional().describe('HMAC of a person under the key of the site; absent without the key'),
  rights: z.array(z.string()).describe('GenericAll, GenericWrite, WriteDacl, WriteOwner, WriteMember, AddSelf, Owner'),
  groups: z.array(z.string()).describe('Groups of the walk that it can change'),
});

const roleSchema = z.strictObject({
  id: z.string().describe('Id of the role in the site file'),
  group: z.string().describe('Group that gives the role, as the site names it'),
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
  groups: z
    .array(walkedGroupSchema)
    .optional()
    .describe('The group and the nested ones, each of which gives the role, with how many people each names'),
  broad: z
    .array(z.string())
    .optional()
    .describe('Principals among them that stand for more or less everybody, or come from another domain'),
  people: z
    .array(
      personSchema.extend({
        canLogIn: z.boolean().optional().describe('Neither disabled nor expired; absent where that is not known'),
      }),
    )
    .optional()
    .describe('The holders, sorted by id, with the groups they are in; absent without the key of the site'),
  grantors: z
    .array(grantorSchema)
    .optional()
    .describe('Who, besides built-in administrators, can give the role by changing its group or a nested one'),
});

const overlapSchema = z.strictObject({
  roles: z.array(z.string()).length(2).describe('Ids of the two roles'),
  count: z.int().describe('User accounts that hold both'),
  people: z
    .array(personSchema.pick({ id: true, name: true }))
    .optional()
    .describe('Who, sorted by id; absent without the key of the site'),
});

const factsSchema = z.strictObject({
  keyId: keyIdSchema
    .optional()
    .describe('Id of the site key under which people are recorded; absent where they are not recorded'),
  roles: z.array(roleSchema).describe('One entry per role, in the order of the guide'),
  everyone: z.int().optional().describe('User accounts that hold at least one role, each counted once'),
  keptApart: z
    .array(overlapSchema)
    .optional()
    .describe('For each pair that is to be kept apart: who holds both; absent unless every pair could be decided'),
  holdTwo: z.int().optional().describe('User accounts that hold both roles of at least one such pair'),
  grantors: z
    .array(grantorSchema.omit({ rights: true, groups: true }).extend({ roles: z.array(z.string()) }))
    .optional()
    .describe('Who, besides built-in administrators, can give at least one role, and which'),
  changed: accessChangesSchema
    .optional()
    .describe('What is otherwise than in the earlier bundle that the session is compared with'),
});
export type AccessFacts = z.output<typeof factsSchema>;

/** `directory.access`: everybody who can log in to the product, under all of its roles at once. */
export const directoryAccess = declareProbe({
  id: 'directory.access',
  title: 'Access to the product under all roles',
  version: VERSION,
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
    names: z
      .boolean()
      .default(false)
      .describe('Ask for the names of people; they are recorded only where the operator agrees'),
    maximum: z
      .int()
      .min(1)
      .max(200_000)
      .default(50_000)
      .describe('Stop counting a role after this many entries; its counts are then absent'),
  }),
  facts: factsSchema,
  visible: ({ roles }) => [
    `One bind of the bind account and searches for ${roles.length} groups, their nested groups, members and access control lists, in pages.`,
  ],
  rights: 'an ordinary domain user; the access control lists may need more',
  deadlineMs: 240_000,
  compare: (facts, earlier) => {
    const unknown = (reason: string) => ({ facts, absent: [{ path: 'changed', reason }] });
    if ('reason' in earlier) return unknown(earlier.reason);
    const { since, facts: file } = earlier;
    if (file.notApplicable !== undefined) return unknown(`the earlier bundle says: ${file.notApplicable}`);
    const before = file.version === VERSION ? factsSchema.safeParse(file.facts) : undefined;
    if (before?.success !== true)
      return unknown(`the earlier bundle has version ${file.version} of these facts, this session version ${VERSION}`);
    const { changed, absent } = compareAccess(facts, before.data, { ...since, at: file.finishedAt });
    return { facts: { ...facts, changed }, absent };
  },
});
