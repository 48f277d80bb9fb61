import { directoryAddMembers as declaration } from '../../core/changes/directory-add-members.ts';
import type { Change } from './change.ts';
import {
  applyMembership,
  membershipPowershell,
  planMembership,
  planUndoMembership,
  readBackMembership,
} from './membership.ts';

const { id } = declaration;

/** See core/changes; what it does is membership's. */
export const directoryAddMembers: Change<typeof declaration.params> = {
  declaration,
  plan: (params, context) => planMembership(id, 'add', params, context),
  apply: (plan, credential, context) => applyMembership(id, plan, credential, context),
  readBack: (plan, context) => readBackMembership(id, plan, context),
  planUndo: (plan, state, context) => planUndoMembership(id, plan, state, context),
  powershell: (plan) => membershipPowershell(id, plan),
};
