import { certificateEnroll } from './certificate-enroll.ts';
import type { Change } from './change.ts';
import { deviceRoleGroup } from './device-role-group.ts';
import { directoryAddMembers } from './directory-add-members.ts';
import { directoryCreateGroup } from './directory-create-group.ts';
import { directoryCreateOu } from './directory-create-ou.ts';
import { directoryProtectFromDeletion } from './directory-protect-from-deletion.ts';
import { directoryRemoveMembers } from './directory-remove-members.ts';
import { directorySetAttributes } from './directory-set-attributes.ts';

/** Every change that can be made, one line each. */
export const CHANGES: readonly Change[] = [
  certificateEnroll,
  directoryCreateOu,
  directoryCreateGroup,
  directoryAddMembers,
  directoryRemoveMembers,
  directorySetAttributes,
  directoryProtectFromDeletion,
  deviceRoleGroup,
] as unknown as readonly Change[];
