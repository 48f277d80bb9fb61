import { z } from 'zod';
import { declareChange, groupSchema, membersSchema } from './declaration.ts';

/**
 * `directory.remove-members`: takes accounts or groups out of a group, and with `nested` out of the groups below it. Refused
 * where it would lock somebody out. Its undo puts them back.
 */
export const directoryRemoveMembers = declareChange({
  id: 'directory.remove-members',
  title: 'Take members out of a directory group',
  version: 2,
  params: z.strictObject({
    group: groupSchema,
    members: membersSchema.describe('Accounts and groups to take out; those that are not in the group are left alone'),
    nested: z
      .boolean()
      .default(false)
      .describe(
        'Also out of the groups nested in it that name them, which touches whatever else these are used for; otherwise that is refused with the path',
      ),
  }),
  visible: ({ group, nested }) => [
    `One bind with the write credential and fewer members of the group ${group}${nested ? ' or of groups nested in it' : ''}: on Windows events 4729, 4733 or 4757.`,
  ],
  rights: 'write the members of the group (for example its manager with that right, or a delegated right)',
});
