import { z } from 'zod';
import { declareChange, groupSchema, membersSchema } from './declaration.ts';

/** `directory.add-members`: puts accounts or groups into a group; a group in a group is nesting. Its undo takes them out again. */
export const directoryAddMembers = declareChange({
  id: 'directory.add-members',
  title: 'Put members into a directory group',
  version: 2,
  params: z.strictObject({ group: groupSchema, members: membersSchema.describe('Accounts and groups to put in') }),
  visible: ({ group }) => [
    `One bind with the write credential and new members of the group ${group}: on Windows events 4728, 4732 or 4756.`,
  ],
  rights: 'write the members of the group (for example its manager with that right, or a delegated right)',
});
