import { z } from 'zod';
import { fail, ok, type Result } from '../../core/result.ts';
import { escapeFilterValue } from '../wire/ldap-names.ts';
import type { SiteDirectory } from '../wire/ldap-site.ts';
import type { ChangePlan } from './change.ts';
import { findPrincipal, findTargetGroup, type Principal } from './principal.ts';

const groupSchema = z.strictObject({ dn: z.string(), guid: z.string(), sid: z.string() });

const memberSchema = z.strictObject({
  sid: z.string(),
  /** DN, or `<SID=…>` where the DN would be a person's name. */
  reference: z.string(),
  /** As the guide or the site names it. */
  label: z.string(),
});
export type Member = z.output<typeof memberSchema>;

const editSchema = z.strictObject({
  group: groupSchema,
  name: z.string(),
  members: z.array(memberSchema).min(1),
  /** Names of the groups from the one that the guide names down to this one, where that is another. */
  path: z.array(z.string()).optional(),
});
export type Edit = z.output<typeof editSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.strictObject({ do: z.enum(['add', 'delete']), edits: z.array(editSchema).min(1) });
export type Operations = z.output<typeof operationsSchema>;

/** Which of the members that the change is about are in each group. Others come and go, and nothing here hangs on them. */
export const stateSchema = z.array(z.strictObject({ group: groupSchema, present: z.record(z.string(), z.boolean()) }));
export type State = z.output<typeof stateSchema>;

/** A group of the plan as it is now; `target` is undefined where it is gone, which a GUID of no letters says in the state. */
export type Look = {
  readonly edit: Edit;
  readonly state: State[number];
  readonly target: (Principal & { guid: string }) | undefined;
  readonly principals: ReadonlyMap<string, Principal>;
};

/** What a plan of this kind does; `change.refused` where it is not one that this change has made. */
export function readOperations(kind: string, change: ChangePlan): Result<Operations> {
  const parsed = operationsSchema.safeParse(change.operations);
  if (change.kind === kind && parsed.success && stateSchema.safeParse(change.preImage).success) return ok(parsed.data);
  return fail('change.refused', 'The plan is not one that this change has made.');
}

/** Every group of the plan, found by SID so that it may have been moved, and which of its members are in it. */
export async function lookAtGroups(directory: SiteDirectory, { edits }: Operations): Promise<Result<Look[]>> {
  const looks: Look[] = [];
  for (const edit of edits) {
    const look = await lookAt(directory, edit);
    if (!look.ok) return look;
    looks.push(look.value);
  }
  return ok(looks);
}

async function lookAt(directory: SiteDirectory, edit: Edit): Promise<Result<Look>> {
  const { group, members } = edit;
  const there = await findPrincipal(directory, group.sid);
  if (!there.ok) return there;
  const principals = new Map<string, Principal>();
  const present: Record<string, boolean> = Object.fromEntries(members.map(({ sid }) => [sid, false]));
  if (there.value === undefined)
    return ok({ edit, state: { group: { ...group, guid: '' }, present }, target: undefined, principals });
  const target = await findTargetGroup(directory, group.sid);
  if (!target.ok) return target;
  for (const { sid } of members) {
    const member = await findPrincipal(directory, sid);
    if (!member.ok) return member;
    if (member.value === undefined) continue;
    const inside = await isDirectMember(directory, target.value.dn, member.value.dn);
    if (!inside.ok) return inside;
    principals.set(sid, member.value);
    present[sid] = inside.value;
  }
  const { dn, guid, sid } = target.value;
  return ok({ edit, state: { group: { dn, guid, sid }, present }, target: target.value, principals });
}

/** Whether the group itself names the member. */
export async function isDirectMember(
  directory: SiteDirectory,
  group: string,
  member: string,
): Promise<Result<boolean>> {
  const filter = `(member=${escapeFilterValue(member)})`;
  const found = await directory.session.search({ base: group, scope: 'base', filter, attributes: ['1.1'] });
  return found.ok ? ok(found.value.entries.length > 0) : found;
}

/** `change.state-differs` with the first group in which something is not as it was. */
export function sameAsThen(then: State, looks: readonly Look[]): Result<void> {
  for (const [index, { state, edit }] of looks.entries()) {
    const difference = differenceOf(then[index], state);
    if (difference !== undefined) return differs(difference, edit.group.dn);
  }
  return ok(undefined);
}

function differenceOf(then: State[number] | undefined, now: State[number]): string | undefined {
  if (now.group.guid === '') return 'The group is gone.';
  if (now.group.guid !== then?.group.guid) return 'Another group stands in its place.';
  const changed = Object.keys(then.present).filter((sid) => now.present[sid] !== then.present[sid]);
  return changed.length === 0
    ? undefined
    : `Somebody has changed the membership since: ${changed.join(', ')} ${changed.length === 1 ? 'has' : 'have'} come or gone.`;
}

export function differs(message: string, place: string): Result<never> {
  return fail('change.state-differs', message, { place });
}
