import { z } from 'zod';
import { declareChange, descriptionSchema, principalSchema } from './declaration.ts';

/** `directory.set-attributes`: who manages a group or organizational unit, and what it is for. Its undo restores both. */
export const directorySetAttributes = declareChange({
  id: 'directory.set-attributes',
  title: 'Set manager and description',
  version: 1,
  params: z
    .strictObject({
      object: principalSchema.describe('sAMAccountName, cn, DN or SID of a group, or the DN of an organizational unit'),
      description: descriptionSchema.optional().describe('What it is for'),
      managedBy: principalSchema.optional().describe('Account or group that answers for it'),
    })
    .refine((params) => params.description !== undefined || params.managedBy !== undefined, 'give what is to be set'),
  visible: ({ object }) => [
    `One bind with the write credential and a change of ${object}: on Windows events 4735, 4737, 4755 or 5136.`,
  ],
  rights: 'write description and managedBy of the object (a delegated right)',
});
