import { certificateEnroll } from './certificate-enroll.ts';
import type { ChangeDeclaration } from './declaration.ts';
import { deviceRoleGroup } from './device-role-group.ts';
import { directoryAddMembers } from './directory-add-members.ts';
import { directoryCreateGroup } from './directory-create-group.ts';
import { directoryCreateOu } from './directory-create-ou.ts';
import { directoryProtectFromDeletion } from './directory-protect-from-deletion.ts';
import { directoryRemoveMembers } from './directory-remove-members.ts';
import { directorySetAttributes } from './directory-set-attributes.ts';
import { httpSetting } from './http-setting.ts';
import { sshFile } from './ssh-file.ts';

/** Every change that a guide may name. */
export const CHANGE_DECLARATIONS: readonly ChangeDeclaration[] = [
  certificateEnroll,
  directoryCreateOu,
  directoryCreateGroup,
  directoryAddMembers,
  directoryRemoveMembers,
  directorySetAttributes,
  directoryProtectFromDeletion,
  deviceRoleGroup,
  httpSetting,
  sshFile,
] as unknown as readonly ChangeDeclaration[];
