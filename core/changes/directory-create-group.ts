import { z } from 'zod';
import { declareChange } from './declaration.ts';

/** `directory.create-group`: a new, empty security group. Its undo deletes it, as long as nobody was put in. */
export const directoryCreateGroup = declareChange({
  id: 'directory.create-group',
  title: 'Create a directory group',
  version: 1,
  params: z.strictObject({
    group: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[^\p{Cc}"/\\[\]:;|=,+*?<>@]+$/u, 'a group name cannot hold " / \\ [ ] : ; | = , + * ? < > @')
      .regex(/^[^\s.].*$|^\S$/u, 'a group name cannot begin with a space or a dot')
      .regex(/[^\s.]$/u, 'a group name cannot end with a space or a dot')
      .describe('sAMAccountName and cn of the new group'),
    scope: z.enum(['global', 'universal']).default('global').describe('Where the group counts'),
    kind: z.literal('security').default('security').describe('Only security groups are created'),
    description: z.string().min(1).max(1024).optional().describe('Description of the group'),
    container: z
      .string()
      .min(3)
      .max(1024)
      .optional()
      .describe('DN of the container; default: CN=Users below the base DN'),
  }),
  visible: ({ group }) => [
    `One bind with the write credential and the creation of the group ${group}: on Windows events 4727 or 4754.`,
  ],
  rights: 'create group objects in the container (for example an account operator, or a delegated right)',
});
