import { z } from 'zod';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { nameOf } from '../wire/ldap-lookup.ts';
import { escapeFilterValue, ldifModify, normalizeDn } from '../wire/ldap-names.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { domainOf, parseNumber, relativeId } from '../wire/ldap-values.ts';
import type { ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { guardAdministrators, isAdministrators, upwards } from './lockout-guard.ts';
import { psComment, psList, psText } from './powershell.ts';
import { findPrincipal, findTargetGroup, type Principal, referenceOf } from './principal.ts';
import { stateForUndo } from './undo.ts';

type Way = 'add' | 'delete';

const groupSchema = z.strictObject({ dn: z.string(), guid: z.string(), sid: z.string() });

/** Which of the members that the change is about are in the group. Other members come and go, and nothing here hangs on them. */
const stateSchema = z.strictObject({ group: groupSchema, present: z.record(z.string(), z.boolean()) });
type State = z.output<typeof stateSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.strictObject({
  do: z.enum(['add', 'delete']),
  group: groupSchema,
  members: z.array(
    z.strictObject({
      sid: z.string(),
      /** DN, or `<SID=…>` where the DN would be a person's name. */
      reference: z.string(),
      /** As the guide or the site names it. */
      label: z.string(),
    }),
  ),
});
type Operations = z.output<typeof operationsSchema>;
type Member = Operations['members'][number];

const WORDS = { add: { do: 'Put', to: 'into' }, delete: { do: 'Take', to: 'out of' } } as const;

/** Plans to put members into a group, or to take them out. Those who are there (or gone) already are left out. */
export async function planMembership(
  kind: string,
  way: Way,
  params: { group: string; members: readonly string[] },
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  return withDirectory(context, async (directory) => {
    if (directory.root.kind !== 'active-directory')
      return fail('change.refused', 'Members are only changed in Active Directory.');
    const group = await findTargetGroup(directory, params.group);
    if (!group.ok) return group;
    const members: Member[] = [];
    const leaving: Principal[] = [];
    for (const label of params.members) {
      const found = await findPrincipal(directory, label);
      if (!found.ok) return found;
      const member = found.value;
      if (member === undefined) {
        if (way === 'delete') continue;
        return fail('change.refused', `There is no account or group ${label} in the directory.`);
      }
      const present = await isDirectMember(directory, group.value.dn, member.dn);
      if (!present.ok) return present;
      if (way === 'delete' && !present.value && hasAsPrimary(member, group.value.sid))
        return fail(
          'change.refused',
          `${label} has ${nameOf(group.value.entry)} as its primary group. Choose another primary group for it first.`,
        );
      if (present.value === (way === 'add') || members.some(({ sid }) => sid === member.sid)) continue;
      members.push({ sid: member.sid, reference: referenceOf(member), label });
      leaving.push(member);
    }
    const name = nameOf(group.value.entry);
    if (members.length === 0)
      return fail(
        'change.refused',
        way === 'add' ? `All of them are in ${name} already.` : `None of them is a direct member of ${name}.`,
      );
    const allowed =
      way === 'add'
        ? await mayJoin(directory, group.value, leaving)
        : await mayLeave(directory, group.value, leaving, context);
    if (!allowed.ok) return allowed;
    const target = { dn: group.value.dn, guid: group.value.guid, sid: group.value.sid };
    return ok(planOf(kind, { do: way, group: target, members }, name, false));
  });
}

function planOf(kind: string, operations: Operations, name: string, undo: boolean): ChangePlan {
  const { do: way, group, members } = operations;
  const labels = members.map(({ label }) => label).join(', ');
  const preImage: State = { group, present: Object.fromEntries(members.map(({ sid }) => [sid, way === 'delete'])) };
  const notes = members
    .filter(({ reference }) => reference.startsWith('<'))
    .map(({ sid, label }) => `${sid} is ${label}`);
  const values = members.map(({ reference }) => reference);
  return {
    kind,
    summary: `${WORDS[way].do} ${labels} ${WORDS[way].to} the group ${name}${undo ? ' again' : ''}.`,
    diff: ldifModify(group.dn, [{ do: way, attribute: 'member', values }], { notes }),
    operations,
    preImage,
    undo,
  };
}

/** Nothing is added to administrators, and no group is put into itself. */
async function mayJoin(
  directory: SiteDirectory,
  group: Principal,
  members: readonly Principal[],
): Promise<Result<void>> {
  const administrators = await isAdministrators(directory, group.entry);
  if (!administrators.ok) return administrators;
  if (administrators.value)
    return fail('change.refused', `${nameOf(group.entry)} makes administrators. Lockstep never adds to such a group.`);
  const above = await upwards(directory, group.entry);
  if (!above.ok) return above;
  const keys = new Set(above.value.map((entry) => normalizeDn(entry.dn)));
  const circular = members.find((member) => keys.has(normalizeDn(member.dn)));
  return circular === undefined
    ? ok(undefined)
    : fail(
        'change.refused',
        `${nameOf(circular.entry)} contains ${nameOf(group.entry)}: nesting it would make a circle.`,
      );
}

function mayLeave(
  directory: SiteDirectory,
  group: Principal,
  members: readonly Principal[],
  context: ProbeContext,
): Promise<Result<void>> {
  const bind = context.site.directory?.bindAccount;
  const accounts = [...(bind === undefined ? [] : [bind]), directory.user];
  return guardAdministrators(directory, { group: group.entry, members: members.map(({ dn }) => dn) }, accounts);
}

function hasAsPrimary(member: Principal, groupSid: string): boolean {
  const primary = parseNumber(member.entry.text('primaryGroupID'));
  return primary === relativeId(groupSid) && domainOf(member.sid) === domainOf(groupSid);
}

async function isDirectMember(directory: SiteDirectory, group: string, member: string): Promise<Result<boolean>> {
  const filter = `(member=${escapeFilterValue(member)})`;
  const found = await directory.session.search({ base: group, scope: 'base', filter, attributes: ['1.1'] });
  return found.ok ? ok(found.value.entries.length > 0) : found;
}

/** Writes the plan; every member is found again by SID, and the state must still be the plan's pre-image. */
export async function applyMembership(
  kind: string,
  change: ChangePlan,
  credential: WriteCredential,
  context: ProbeContext,
): Promise<Result<void>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const { do: way, group, members } = operations.value;
  return withDirectory(
    context,
    async (directory) => {
      const now = await look(directory, operations.value);
      if (!now.ok) return now;
      const difference = differenceOf(stateSchema.parse(change.preImage), now.value.state);
      if (difference !== undefined) return differs(difference, group.dn);
      const found = members.flatMap(({ sid }) => now.value.principals.get(sid) ?? []);
      if (now.value.target === undefined || found.length < members.length)
        return differs('A member of the plan is no longer in the directory.', group.dn);
      if (way === 'delete') {
        const allowed = await mayLeave(directory, now.value.target, found, context);
        if (!allowed.ok) return allowed;
      }
      const values = found.map(({ dn }) => dn);
      const done = await directory.session.modify(now.value.target.dn, [{ do: way, attribute: 'member', values }]);
      return done.ok ? done : { ok: false, error: withoutNames(done.error, found) };
    },
    credential,
  );
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

/** Reads back which of the members are in the group now. */
export async function readBackMembership(
  kind: string,
  change: ChangePlan,
  context: ProbeContext,
): Promise<Result<ReadBack>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const { do: way, members } = operations.value;
  return withDirectory(context, async (directory) => {
    const now = await look(directory, operations.value);
    if (!now.ok) return now;
    const { state } = now.value;
    const differences = members
      .filter(({ sid }) => state.present[sid] !== (way === 'add'))
      .map(({ label }) => (way === 'add' ? `${label} is not in the group.` : `${label} is still in the group.`));
    if (state.group.guid === '') differences.push('The group is gone.');
    return ok({ asPlanned: differences.length === 0, differences, state });
  });
}

/** Plans the way back; refused where the group was replaced or one of these members has come or gone since. */
export async function planUndoMembership(
  kind: string,
  change: ChangePlan,
  state: unknown,
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const then = stateForUndo(change, state, stateSchema);
  if (!then.ok) return then;
  return withDirectory(context, async (directory) => {
    const now = await look(directory, operations.value);
    if (!now.ok) return now;
    const difference = differenceOf(then.value, now.value.state);
    if (difference !== undefined) return differs(difference, operations.value.group.dn);
    const { target, principals } = now.value;
    if (target === undefined) return differs('The group is gone.', operations.value.group.dn);
    const way: Way = operations.value.do === 'add' ? 'delete' : 'add';
    if (way === 'delete') {
      const allowed = await mayLeave(directory, target, [...principals.values()], context);
      if (!allowed.ok) return allowed;
    }
    const back: Operations = { ...operations.value, group: now.value.state.group, do: way };
    return ok(planOf(kind, back, nameOf(target.entry), true));
  });
}

type Look = {
  readonly state: State;
  readonly target: (Principal & { guid: string }) | undefined;
  readonly principals: ReadonlyMap<string, Principal>;
};

/** The group, found by SID so that it may have been moved, and which of the members are in it. A missing group has no GUID. */
async function look(directory: SiteDirectory, { group, members }: Operations): Promise<Result<Look>> {
  const there = await findPrincipal(directory, group.sid);
  if (!there.ok) return there;
  const principals = new Map<string, Principal>();
  if (there.value === undefined) {
    const present = Object.fromEntries(members.map(({ sid }) => [sid, false]));
    return ok({ state: { group: { ...group, guid: '' }, present }, target: undefined, principals });
  }
  const target = await findTargetGroup(directory, group.sid);
  if (!target.ok) return target;
  const present: Record<string, boolean> = {};
  for (const { sid } of members) {
    const member = await findPrincipal(directory, sid);
    if (!member.ok) return member;
    const inside =
      member.value === undefined ? ok(false) : await isDirectMember(directory, target.value.dn, member.value.dn);
    if (!inside.ok) return inside;
    if (member.value !== undefined) principals.set(sid, member.value);
    present[sid] = inside.value;
  }
  const { dn, guid, sid } = target.value;
  return ok({ state: { group: { dn, guid, sid }, present }, target: target.value, principals });
}

function differenceOf(then: State, now: State): string | undefined {
  if (now.group.guid === '') return 'The group is gone.';
  if (now.group.guid !== then.group.guid) return 'Another group stands in its place.';
  const changed = Object.keys(then.present).filter((sid) => now.present[sid] !== then.present[sid]);
  return changed.length === 0
    ? undefined
    : `Somebody has changed the membership since: ${changed.join(', ')} ${changed.length === 1 ? 'has' : 'have'} come or gone.`;
}

function differs(message: string, place: string): Result<never> {
  return fail('change.state-differs', message, { place });
}

function readOperations(kind: string, change: ChangePlan): Result<Operations> {
  const parsed = operationsSchema.safeParse(change.operations);
  if (change.kind === kind && parsed.success && stateSchema.safeParse(change.preImage).success) return ok(parsed.data);
  return fail('change.refused', 'The plan is not one that this change has made.');
}

/** The same by the ActiveDirectory module. Principals outside the domain are named by the DN of their stand-in. */
export function membershipPowershell(kind: string, change: ChangePlan): Result<readonly string[]> {
  const operations = readOperations(kind, change);
  if (!operations.ok) return operations;
  const { do: way, group, members } = operations.value;
  const domain = domainOf(group.sid);
  const own = members.filter(({ sid }) => sid.startsWith('S-1-5-32-') || domainOf(sid) === domain);
  const foreign = members.filter((member) => !own.includes(member));
  const verb = way === 'add' ? 'Add' : 'Remove';
  return ok([
    ...members.map(({ sid, label }) => psComment(`${sid} is ${label}`)),
    ...(own.length === 0
      ? []
      : [`${verb}-ADGroupMember -Identity ${psText(group.guid)} -Members ${psList(own.map(({ sid }) => sid))}`]),
    ...(foreign.length === 0
      ? []
      : [
          `Set-ADGroup -Identity ${psText(group.guid)} -${verb} @{ member = ${psList(foreign.map(({ reference }) => reference))} }`,
        ]),
  ]);
}
