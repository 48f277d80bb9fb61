import { directoryAddMembers as declaration } from '../../core/changes/directory-add-members.ts';
import { membershipChange } from './membership.ts';

/** See core/changes. */
export const directoryAddMembers = membershipChange(declaration, 'add');
