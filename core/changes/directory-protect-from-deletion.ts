import { z } from 'zod';
import { declareChange, principalSchema } from './declaration.ts';

/**
 * `directory.protect-from-deletion`: nobody deletes the object by accident, as the box of that name in the Windows tools
 * does it: everyone is denied deleting it, and deleting children of what it lies in. Its undo takes both denials away.
 */
export const directoryProtectFromDeletion = declareChange({
  id: 'directory.protect-from-deletion',
  title: 'Protect from accidental deletion',
  version: 1,
  params: z.strictObject({
    object: principalSchema.describe('sAMAccountName, cn, DN or SID of a group, or the DN of an organizational unit'),
  }),
  visible: ({ object }) => [
    `One bind with the write credential and new access control lists of ${object} and what it lies in: on Windows event 5136.`,
  ],
  rights: 'write the access control lists of the object and of what it lies in (WriteDacl on both)',
});
