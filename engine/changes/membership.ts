import type { z } from 'zod';
import type { ChangeDeclaration } from '../../core/changes/declaration.ts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { domainOf } from '../wire/ldap-values.ts';
import type { Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { planMembership, planOf } from './membership-plan.ts';
import { type Leaving, mayLeave } from './membership-rules.ts';
import { differs, lookAtGroups, type Operations, readOperations, sameAsThen, stateSchema } from './membership-state.ts';
import { psComment, psList, psText } from './powershell.ts';
import { type Principal, referenceOf } from './principal.ts';
import { stateForUndo } from './undo.ts';

/** The change that puts members into a group, or takes them out. */
export function membershipChange<P extends z.ZodType<{ group: string; members: string[]; nested?: boolean }>>(
  declaration: ChangeDeclaration<P>,
  way: Operations['do'],
): Change<P> {
  const { id } = declaration;
  return {
    declaration,
    plan: (params, context) => planMembership(id, way, params, context),
    apply: (plan, credential, context) => apply(id, plan, credential, context),
    readBack: (plan, context) => readBack(id, plan, context),
    planUndo: (plan, state, context) => planUndo(id, plan, state, context),
    powershell: (plan) => powershell(id, plan),
  };
}

/** Writes the plan; every member is found again by SID, and the state must still be the plan's pre-image. */
async function apply(
  kind: string,
  change: ChangePlan,
  credential: WriteCredential,
  context: ProbeContext,
): Promise<Result<void>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const { do: way } = operations.value;
  return withDirectory(
    context,
    async (directory) => {
      const looks = await lookAtGroups(directory, operations.value);
      if (!looks.ok) return looks;
      const same = sameAsThen(stateSchema.parse(change.preImage), looks.value);
      if (!same.ok) return same;
      const writes: { group: Principal; members: Principal[] }[] = [];
      for (const { edit, target, principals } of looks.value) {
        const found = edit.members.flatMap(({ sid }) => principals.get(sid) ?? []);
        if (target === undefined || found.length < edit.members.length)
          return differs('A member of the plan is no longer in the directory.', edit.group.dn);
        writes.push({ group: target, members: found });
      }
      const allowed = way === 'delete' ? await mayLeave(directory, writes, context) : ok(undefined);
      return allowed.ok ? write(directory, way, writes) : allowed;
    },
    credential,
  );
}

/** One request per group. After the first, an error leaves the plan half done, which only reading back can tell. */
async function write(
  { session }: SiteDirectory,
  way: Operations['do'],
  writes: readonly Leaving[],
): Promise<Result<void>> {
  for (const [index, { group, members }] of writes.entries()) {
    const values = members.map(({ dn }) => dn);
    const done = await session.modify(group.dn, [{ do: way, attribute: 'member', values }]);
    if (done.ok) continue;
    const error = withoutNames(done.error, members);
    if (index === 0) return { ok: false, error };
    return fail('change.failed', `Only ${index} of ${writes.length} groups could be changed: ${error.message}`, {
      fixBy: error.fixBy,
      ...(error.place === undefined ? {} : { place: error.place }),
    });
  }
  return ok(undefined);
}

/** Errors go to the journal: a server's words may quote the DN, and so the name, of a person. */
function withoutNames(error: AppError, principals: readonly Principal[]): AppError {
  const clean = (text: string) =>
    principals.reduce((left, principal) => left.replaceAll(principal.dn, referenceOf(principal)), text);
  return {
    ...error,
    message: clean(error.message),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause) }),
    ...(error.place === undefined ? {} : { place: clean(error.place) }),
  };
}

/** Reads back which of the members are in the groups now. */
async function readBack(kind: string, change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const { do: way, edits } = operations.value;
  return withDirectory(context, async (directory) => {
    const looks = await lookAtGroups(directory, operations.value);
    if (!looks.ok) return looks;
    const differences = looks.value.flatMap(({ edit, state }) => {
      const where = edits.length === 1 ? 'the group' : edit.name;
      if (state.group.guid === '') return [`${where === 'the group' ? 'The group' : where} is gone.`];
      return edit.members
        .filter(({ sid }) => state.present[sid] !== (way === 'add'))
        .map(({ label }) => `${label} is ${way === 'add' ? 'not' : 'still'} in ${where}.`);
    });
    return ok({ asPlanned: differences.length === 0, differences, state: looks.value.map(({ state }) => state) });
  });
}

/** Plans the way back; refused where a group was replaced or one of these members has come or gone since. */
async function planUndo(
  kind: string,
  change: ChangePlan,
  state: unknown,
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const then = stateForUndo(change, state, stateSchema);
  if (!then.ok) return then;
  const way = operations.value.do === 'add' ? 'delete' : 'add';
  return withDirectory(context, async (directory) => {
    const looks = await lookAtGroups(directory, operations.value);
    if (!looks.ok) return looks;
    const same = sameAsThen(then.value, looks.value);
    if (!same.ok) return same;
    const leaving = looks.value.flatMap(({ target, principals }) =>
      target === undefined ? [] : { group: target, members: [...principals.values()] },
    );
    const allowed = way === 'delete' ? await mayLeave(directory, leaving, context) : ok(undefined);
    if (!allowed.ok) return allowed;
    // A plan that was cut off half-way has done only a part of what there is to undo.
    const edits = looks.value.flatMap(({ edit, state: now }) => {
      const members = edit.members.filter(({ sid }) => now.present[sid] === (way === 'delete'));
      return members.length === 0 ? [] : [{ ...edit, group: now.group, members }];
    });
    return edits.length === 0
      ? fail('change.refused', 'Nothing of it was done, so there is nothing to undo.')
      : ok(planOf(kind, { do: way, edits }, true));
  });
}

/** The same by the ActiveDirectory module. Principals outside the domain are named by the DN of their stand-in. */
function powershell(kind: string, change: ChangePlan): Result<readonly string[]> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const verb = operations.value.do === 'add' ? 'Add' : 'Remove';
  return ok(
    operations.value.edits.flatMap(({ group, members, path }) => {
      const domain = domainOf(group.sid);
      const own = members.filter(({ sid }) => sid.startsWith('S-1-5-32-') || domainOf(sid) === domain);
      const foreign = members.filter((member) => !own.includes(member)).map(({ reference }) => reference);
      const lines = members.map(({ sid, label }) => psComment(`${sid} is ${label}`));
      if (path !== undefined) lines.unshift(psComment(path.join(' > ')));
      const sids = psList(own.map(({ sid }) => sid));
      if (own.length > 0) lines.push(`${verb}-ADGroupMember -Identity ${psText(group.guid)} -Members ${sids}`);
      if (foreign.length > 0)
        lines.push(`Set-ADGroup -Identity ${psText(group.guid)} -${verb} @{ member = ${psList(foreign)} }`);
      return lines;
    }),
  );
}
