import { z } from 'zod';
import { keyIdSchema } from '../people/key-id.ts';
import { declareProbe } from './declaration.ts';
import { personSchema, pseudonymSchema, walkedGroupSchema } from './people.ts';

const groupSchema = z.strictObject({
  dn: z.string().describe('Distinguished name'),
  name: z.string().describe('sAMAccountName, or cn where there is none'),
  sid: z.string().optional().describe('Security identifier, S-1-…'),
  kind: z.enum(['security', 'distribution']).optional().describe('Whether rights can be given to it'),
  scope: z.enum(['global', 'universal', 'domain-local', 'builtin-local']).optional().describe('Where it counts'),
  description: z.string().optional().describe('Its description; absent when it has none'),
  protected: z
    .boolean()
    .optional()
    .describe(
      'Protected from accidental deletion: everyone is denied Delete on it, and deleting children of what it lies in',
    ),
  managed: z.boolean().describe('managedBy is set'),
  managedBy: z
    .strictObject({
      type: z.enum(['group', 'person', 'other']).describe('What the manager is'),
      name: z.string().optional().describe('Name, for a group'),
      pseudonym: pseudonymSchema.optional().describe('HMAC of a person under the key of the site'),
    })
    .optional()
    .describe('Who manages it; absent when nobody does'),
});

const writerSchema = z.strictObject({
  type: z.enum(['group', 'person', 'well-known', 'unresolved']).describe('What the principal is'),
  name: z
    .string()
    .optional()
    .describe('Name of a group or well-known principal, or the SID when it could not be resolved'),
  pseudonym: pseudonymSchema.optional().describe('HMAC of a person under the key of the site'),
  rights: z.array(z.string()).describe('GenericAll, GenericWrite, WriteDacl, WriteOwner, WriteMember, AddSelf, Owner'),
  privileged: z.boolean().describe('A built-in administrator of the domain, who has such rights on every group'),
});

const count = () => z.int().optional();

const effectiveSchema = z.strictObject({
  how: z
    .enum(['walk', 'in-chain'])
    .optional()
    .describe("How members were read: by their names, or by the directory's own in-chain matching"),
  why: z.string().optional().describe('Why that way'),
  count: count().describe('User accounts that are members directly or through nested groups and primary groups'),
  computers: count().describe('Computer accounts likewise'),
  disabled: count().describe('Of the user accounts: disabled'),
  expired: count().describe('Of the user accounts: past their account expiry'),
  locked: count().describe('Of the user accounts: locked out now'),
  stale: count().describe(
    'Of the enabled user accounts: created, given a password and last logged on before staleAfter (logon times lag up to 14 days)',
  ),
  neverLoggedOn: count().describe('Of the enabled user accounts: no logon recorded'),
  serviceAccounts: count().describe(
    'User accounts with a service principal name, and managed service accounts; the latter count among the computers',
  ),
  broad: z
    .array(z.string())
    .optional()
    .describe(
      'The group itself or nested principals that hold more or less everybody: Domain Users, Everyone, Authenticated Users …',
    ),
  foreign: z
    .array(z.string())
    .optional()
    .describe('Other domains that have members in it, by name or SID, each with how many'),
  hidden: z.array(z.string()).optional().describe('Groups whose members the bind account has no right to read'),
  groups: z
    .array(walkedGroupSchema)
    .optional()
    .describe('The group and all nested ones, each with the shortest path to it and how many people it names'),
  depth: count().describe('Longest chain of nesting; 0 when no group is nested'),
  cycles: z.array(z.string()).optional().describe('Groups that contain themselves through others'),
  people: z
    .array(personSchema)
    .optional()
    .describe('The user accounts, sorted by id, with the groups they are in; absent without the key of the site'),
});

/** `directory.group`: one group of the directory and everybody who is in it, however deep. */
export const directoryGroup = declareProbe({
  id: 'directory.group',
  title: 'Directory group and its effective members',
  version: 2,
  params: z.strictObject({
    group: z.string().min(1).max(256).describe('sAMAccountName, cn or DN of the group'),
    staleAfter: z.iso.duration().optional().describe('ISO 8601 duration: nobody should be idle longer, e.g. P180D'),
    names: z
      .boolean()
      .default(false)
      .describe('Ask for the names of people; they are recorded only where the operator agrees'),
    maximum: z
      .int()
      .min(1)
      .max(200_000)
      .default(50_000)
      .describe('Stop counting after this many entries; the counts are then absent'),
  }),
  facts: z.strictObject({
    keyId: keyIdSchema
      .optional()
      .describe('Id of the site key under which people are recorded; absent where they are not recorded'),
    exists: z.boolean().describe('The group is in the directory'),
    nearMatches: z
      .array(z.string())
      .describe(
        'Names of groups that are spelt much like it, nearest first; none are looked for when the group is there',
      ),
    group: groupSchema.optional().describe('The group; absent when there is none'),
    direct: z
      .strictObject({
        people: z.int().describe('User accounts that are members directly, those with it as primary group included'),
        groups: z.array(z.string()).describe('Names of groups that are members directly'),
        computers: z.int().describe('Computer accounts that are members directly'),
        other: z.int().describe('Other members: contacts, those of other domains, entries that could not be read'),
      })
      .optional()
      .describe('Members that the group names itself'),
    effective: effectiveSchema.optional().describe('Everybody the group lets in'),
    writers: z
      .strictObject({
        principals: z
          .array(writerSchema)
          .describe('Who the access control list lets change the membership; deny entries are not subtracted'),
        nested: z
          .array(writerSchema.omit({ privileged: true }).extend({ groups: z.array(z.string()) }))
          .optional()
          .describe('Who else lets people in by changing a nested group, without built-in administrators'),
        delegated: z
          .array(z.string())
          .optional()
          .describe(
            'Names of all of them that are not built-in administrators, nested groups included (people without key: "person")',
          ),
      })
      .optional()
      .describe('Who can change the membership'),
  }),
  visible: ({ group }) => [
    `One bind of the bind account and searches for the group ${group}, its nested groups and their members, in pages.`,
  ],
  rights: 'an ordinary domain user; the access control list may need more',
  deadlineMs: 120_000,
});
