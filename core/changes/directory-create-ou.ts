import { z } from 'zod';
import { declareChange, descriptionSchema, leafSchema } from './declaration.ts';

/** `directory.create-ou`: a new, empty organizational unit. Its undo deletes it, as long as nothing lies in it. */
export const directoryCreateOu = declareChange({
  id: 'directory.create-ou',
  title: 'Create an organizational unit',
  version: 1,
  params: z.strictObject({
    name: leafSchema.describe('Name of the new organizational unit'),
    description: descriptionSchema.optional().describe('Description of the organizational unit'),
    container: z.string().min(3).max(1024).optional().describe('DN of what it lies in; default: the base DN'),
  }),
  visible: ({ name }) => [
    `One bind with the write credential and the creation of the organizational unit ${name}: on Windows event 5137.`,
  ],
  rights: 'create organizational units in the container (a delegated right)',
});
