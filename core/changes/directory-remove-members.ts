import { z } from 'zod';
import { declareChange, groupSchema, membersSchema } from './declaration.ts';

/**
 * `directory.remove-members`: takes accounts or groups out of a group; those that are not in it are left alone. Refused where
 * it would lock somebody out. Its undo puts them back.
 */
export const directoryRemoveMembers = declareChange({
  id: 'directory.remove-members',
  title: 'Take members out of a directory group',
  version: 1,
  params: z.strictObject({
    group: groupSchema,
    members: membersSchema.describe('Accounts and groups to take out, where they are direct members'),
  }),
  visible: ({ group }) => [
    `One bind with the write credential and fewer members of the group ${group}: on Windows events 4729, 4733 or 4757.`,
  ],
  rights: 'write the members of the group (for example its manager with that right, or a delegated right)',
});
