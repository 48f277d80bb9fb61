import { z } from 'zod';
import { directoryProtectFromDeletion as declaration } from '../../core/changes/directory-protect-from-deletion.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { DENIED, isDenied, withDenial, withoutDenial } from '../wire/ldap-acl.ts';
import { ldifModify, parentDn } from '../wire/ldap-names.ts';
import { readDeletionList } from '../wire/ldap-protection.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import type { Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { psComment, psText } from './powershell.ts';
import { findGroupOrUnit, guidOf } from './principal.ts';
import { stateForUndo } from './undo.ts';

type Params = z.output<typeof declaration.params>;
type Role = 'object' | 'parent';

const DACL = 4;
const MAX_SIBLINGS = 2_000;
const DACL_CONTROL = '1.2.840.113556.1.4.801 true:: MAMCAQQ=';
const ROLES: readonly Role[] = ['parent', 'object'];

/** One access control list: `dacl` is the descriptor's bytes in base64, which name nobody but by SID. */
const listSchema = z.strictObject({ dn: z.string(), guid: z.string(), dacl: z.base64(), denied: z.boolean() });
const stateSchema = z.strictObject({ object: listSchema, parent: listSchema });
type State = z.output<typeof stateSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. `lists` are those that change. */
const operationsSchema = z.strictObject({
  do: z.enum(['deny', 'allow']),
  object: z.string(),
  parent: z.string(),
  lists: z.array(z.enum(['object', 'parent'])).min(1),
});
type Operations = z.output<typeof operationsSchema>;

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  return withDirectory(context, async (directory) => {
    if (directory.root.kind !== 'active-directory')
      return fail('change.refused', 'Access control lists are only changed in Active Directory.');
    const object = await findGroupOrUnit(directory, params.object);
    if (!object.ok) return object;
    const parent = parentDn(object.value);
    if (parent === undefined) return fail('change.refused', `${object.value} lies in nothing.`);
    const state = await readState(directory, object.value, parent);
    if (!state.ok) return state;
    const lists = ROLES.filter((role) => !state.value[role].denied);
    if (lists.length === 0) return fail('change.refused', `${params.object} is protected already.`);
    return describe({ do: 'deny', object: object.value, parent, lists }, state.value);
  });
}

function describe(operations: Operations, state: State): Result<ChangePlan> {
  const parts: string[] = [];
  for (const role of operations.lists) {
    const after = rewrite(operations.do, role, state);
    if (after === undefined) return fail('change.refused', `The access control list of ${state[role].dn} is not one.`);
    const rights = role === 'object' ? 'Delete and DeleteTree' : 'DeleteChild';
    const note = `${operations.do === 'deny' ? 'Adds' : 'Takes away'}: Everyone (S-1-1-0) is denied ${rights}.`;
    const modification = { do: 'replace' as const, attribute: 'nTSecurityDescriptor', values: [after] };
    parts.push(ldifModify(state[role].dn, [modification], { notes: [note], control: DACL_CONTROL }));
  }
  const undo = operations.do === 'allow';
  return ok({
    kind: declaration.id,
    summary: undo
      ? `Take the protection from accidental deletion from ${operations.object} again.`
      : `Protect ${operations.object} from accidental deletion.`,
    diff: parts.join('\n'),
    operations,
    preImage: state,
    undo,
  });
}

function rewrite(way: Operations['do'], role: Role, state: State): Buffer | undefined {
  const before = Buffer.from(state[role].dacl, 'base64');
  return way === 'deny' ? withDenial(before, DENIED[role]) : withoutDenial(before, DENIED[role]);
}

async function readState(directory: SiteDirectory, object: string, parent: string): Promise<Result<State>> {
  const [one, above] = [await readList(directory, object, 'object'), await readList(directory, parent, 'parent')];
  if (!one.ok) return one;
  return above.ok ? ok({ object: one.value, parent: above.value }) : above;
}

async function readList(directory: SiteDirectory, dn: string, role: Role): Promise<Result<State[Role]>> {
  const read = await readDeletionList(directory, dn, role);
  if (!read.ok) return read;
  const { entry, dacl, denied } = read.value;
  const guid = guidOf(entry);
  return guid === undefined
    ? fail('ldap.no-right', `The objectGUID of ${dn} may not be read.`)
    : ok({ dn: entry.dn, guid, dacl: dacl.toString('base64'), denied });
}

async function apply(change: ChangePlan, credential: WriteCredential, context: ProbeContext): Promise<Result<void>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations, preImage } = parts.value;
  return withDirectory(
    context,
    async (directory) => {
      const now = await readState(directory, operations.object, operations.parent);
      if (!now.ok) return now;
      const difference = differenceOf(preImage, now.value);
      if (difference !== undefined) return difference;
      const written: Role[] = [];
      for (const role of operations.lists) {
        const after = rewrite(operations.do, role, now.value);
        if (after === undefined) return fail('change.refused', `The list of ${now.value[role].dn} cannot be changed.`);
        const done = await write(directory, now.value[role].dn, after);
        if (!done.ok) {
          // All or nothing: a denial on one of the two alone protects nobody and puzzles the next administrator.
          for (const before of written)
            await write(directory, preImage[before].dn, Buffer.from(preImage[before].dacl, 'base64'));
          return done;
        }
        written.push(role);
      }
      return ok(undefined);
    },
    credential,
  );
}

function write({ session }: SiteDirectory, dn: string, descriptor: Buffer): Promise<Result<void>> {
  return session.modify(dn, [{ do: 'replace', attribute: 'nTSecurityDescriptor', values: [descriptor] }], DACL);
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations } = parts.value;
  return withDirectory(context, async (directory) => {
    const state = await readState(directory, operations.object, operations.parent);
    if (!state.ok) return state;
    const wanted = operations.do === 'deny';
    const differences = operations.lists
      .filter((role) => state.value[role].denied !== wanted)
      .map((role) => `${state.value[role].dn} ${wanted ? 'does not deny it' : 'still denies it'}.`);
    return ok({ asPlanned: differences.length === 0, differences, state: state.value });
  });
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const then = stateForUndo(change, state, stateSchema);
  if (!then.ok) return then;
  const { operations } = parts.value;
  return withDirectory(context, async (directory) => {
    const now = await readState(directory, operations.object, operations.parent);
    if (!now.ok) return now;
    const difference = differenceOf(then.value, now.value);
    if (difference !== undefined) return difference;
    const needed = await othersNeed(directory, now.value);
    if (!needed.ok) return needed;
    const lists = operations.lists.filter((role) => role === 'object' || !needed.value);
    return lists.length === 0
      ? fail('change.refused', 'What it lies in holds others that are protected: nothing is taken away.')
      : describe({ ...operations, do: 'allow', lists }, now.value);
  });
}

/** Whether something else in the same place is protected, which rests on the same denial; so too where it cannot be told. */
async function othersNeed({ session }: SiteDirectory, { object, parent }: State): Promise<Result<boolean>> {
  const found = await session.search({
    base: parent.dn,
    scope: 'one',
    attributes: ['objectGUID', 'nTSecurityDescriptor'],
    securityDescriptor: DACL,
    limit: MAX_SIBLINGS,
  });
  if (!found.ok) return found;
  const protectedToo = found.value.entries.some((entry) => {
    const [descriptor] = entry.bytes('nTSecurityDescriptor');
    return guidOf(entry) !== object.guid && descriptor !== undefined && isDenied(descriptor, DENIED.object) === true;
  });
  return ok(protectedToo || !found.value.complete);
}

/** `change.state-differs` where an object was replaced or a list is not the same, byte for byte. */
function differenceOf(then: State, now: State): Result<never> | undefined {
  for (const role of ROLES) {
    const place = then[role].dn;
    if (then[role].guid !== now[role].guid)
      return fail('change.state-differs', 'Another object stands in its place.', { place });
    if (then[role].dacl !== now[role].dacl)
      return fail('change.state-differs', 'Somebody has changed the access control list since.', { place });
  }
  return undefined;
}

function readPlan(change: ChangePlan): Result<{ operations: Operations; preImage: State }> {
  const operations = operationsSchema.safeParse(change.operations);
  const preImage = stateSchema.safeParse(change.preImage);
  return change.kind === declaration.id && operations.success && preImage.success
    ? ok({ operations: operations.data, preImage: preImage.data })
    : fail('change.refused', 'The plan is not one that this change has made.');
}

function powershell(change: ChangePlan): Result<readonly string[]> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations, preImage } = parts.value;
  const on = operations.do === 'deny' ? '$true' : '$false';
  return ok([
    psComment(operations.object),
    `Set-ADObject -Identity ${psText(preImage.object.guid)} -ProtectedFromAccidentalDeletion ${on}`,
  ]);
}

/** Denies everyone deleting an object; see core/changes. */
export const directoryProtectFromDeletion: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply,
  readBack,
  planUndo,
  powershell,
};
