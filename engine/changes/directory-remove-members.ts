import { directoryRemoveMembers as declaration } from '../../core/changes/directory-remove-members.ts';
import { membershipChange } from './membership.ts';

/** See core/changes. */
export const directoryRemoveMembers = membershipChange(declaration, 'delete');
