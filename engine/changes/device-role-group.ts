import { z } from 'zod';
import { deviceRoleGroup as declaration } from '../../core/changes/device-role-group.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { withDirectory } from '../wire/ldap-site.ts';
import type { Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { sendToDevice } from '../wire/device-http.ts';
import { countEnabled } from './lockout-guard.ts';
import { findTargetGroup } from './principal.ts';
import { stateForUndo } from './undo.ts';

type Params = z.output<typeof declaration.params>;

const groupsSchema = z.record(z.string(), z.string());
/** Group by role, of the roles that the change is about. */
const stateSchema = z.strictObject({ url: z.string(), groups: groupsSchema });
type State = z.output<typeof stateSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.strictObject({
  do: z.literal('put'),
  url: z.url({ protocol: /^https$/ }),
  anchors: z.array(z.string()).optional(),
  credential: z.strictObject({ user: z.string(), secret: z.string() }).optional(),
  groups: groupsSchema,
});
type Operations = z.output<typeof operationsSchema>;
type Reach = Pick<Operations, 'url' | 'anchors' | 'credential'>;

const settingsSchema = z.object({ directory: z.object({ roleGroups: groupsSchema }) });

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  const { roles, ...reach } = params;
  const now = await readGroups(reach, undefined, context);
  if (!now.ok) return now;
  const groups: Record<string, string> = {};
  for (const { id, group } of roles) {
    const present = now.value[id];
    if (present === undefined) return fail('change.refused', `The device has no role ${id}.`, { place: params.url });
    if (present !== group) groups[id] = group;
  }
  if (Object.keys(groups).length === 0) return fail('change.refused', 'Every role has its group already.');
  const allowed = await somebodyIsIn(Object.entries(groups), context);
  if (!allowed.ok) return allowed;
  const before = pick(now.value, groups);
  return ok(planOf({ do: 'put', ...reach, groups }, { url: params.url, groups: before }, false));
}

function planOf(operations: Operations, preImage: State, undo: boolean): ChangePlan {
  const { url, groups } = operations;
  const ids = Object.keys(groups).sort();
  const lines = ids.flatMap((id) => [
    `-  directory.roleGroups.${id}: ${JSON.stringify(preImage.groups[id])}`,
    `+  directory.roleGroups.${id}: ${JSON.stringify(groups[id])}`,
  ]);
  const summary = undo
    ? `Give the roles ${ids.join(', ')} their former groups again.`
    : `Set the directory group of ${ids.join(', ')} on ${new URL(url).host}.`;
  return { kind: declaration.id, summary, diff: `PUT ${url}\n${lines.join('\n')}\n`, operations, preImage, undo };
}

/** A role whose group is missing or empty lets nobody in, its administrators included: that would lock people out. */
async function somebodyIsIn(
  groups: readonly (readonly [role: string, group: string])[],
  context: ProbeContext,
): Promise<Result<void>> {
  if (context.site.directory === undefined)
    return fail('change.refused', 'The site names no directory, so nobody can tell whether this locks people out.');
  return withDirectory(context, async (directory) => {
    for (const [role, name] of groups) {
      const group = await findTargetGroup(directory, name);
      if (!group.ok) return group;
      const people = await countEnabled(directory, group.value.entry);
      if (!people.ok) return people;
      if (people.value === 0)
        return fail(
          'change.refused',
          `Nobody who can log in is in ${name}: the role ${role} would lock everybody out.`,
        );
    }
    return ok(undefined);
  });
}

async function apply(change: ChangePlan, credential: WriteCredential, context: ProbeContext): Promise<Result<void>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations, preImage } = parts.value;
  const now = await readGroups(operations, credential, context);
  if (!now.ok) return now;
  const difference = differenceOf(preImage.groups, now.value);
  if (difference !== undefined) return difference;
  // All of them: a device may take the map for the whole of it.
  const body = JSON.stringify({ directory: { roleGroups: { ...now.value, ...operations.groups } } });
  const answer = await sendToDevice({ url: operations.url, method: 'PUT', body }, operations, credential, context);
  if (!answer.ok) return answer;
  const { status } = answer.value;
  return status >= 200 && status < 300
    ? ok(undefined)
    : fail('change.failed', `The device answered the change with status ${status}.`, {
        place: operations.url,
        fixBy: 'manufacturer',
      });
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations } = parts.value;
  const now = await readGroups(operations, undefined, context);
  if (!now.ok) return now;
  const groups = pick(now.value, operations.groups);
  const differences = Object.entries(operations.groups)
    .filter(([id, group]) => groups[id] !== group)
    .map(([id]) => `The role ${id} has the group ${groups[id] ?? 'none'}.`);
  const state: State = { url: operations.url, groups };
  return ok({ asPlanned: differences.length === 0, differences, state });
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const then = stateForUndo(change, state, stateSchema);
  if (!then.ok) return then;
  const { operations, preImage } = parts.value;
  const now = await readGroups(operations, undefined, context);
  if (!now.ok) return now;
  const difference = differenceOf(then.value.groups, now.value);
  if (difference !== undefined) return difference;
  return ok(planOf({ ...operations, groups: preImage.groups }, then.value, true));
}

/** `change.state-differs` where one of the roles has another group than then. */
function differenceOf(
  then: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Result<never> | undefined {
  const changed = Object.keys(then).filter((id) => now[id] !== then[id]);
  return changed.length === 0
    ? undefined
    : fail('change.state-differs', `Somebody has changed the group of ${changed.join(', ')} since.`);
}

function pick(
  groups: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(wanted).flatMap((id) => (groups[id] === undefined ? [] : [[id, groups[id]] as const])),
  );
}

async function readGroups(
  reach: Reach,
  who: WriteCredential | undefined,
  context: ProbeContext,
): Promise<Result<Record<string, string>>> {
  const answer = await sendToDevice({ url: reach.url, method: 'GET' }, reach, who, context);
  if (!answer.ok) return answer;
  const place = reach.url;
  const { status, body } = answer.value;
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    json = undefined;
  }
  const settings = settingsSchema.safeParse(json);
  return status === 200 && settings.success
    ? ok(settings.data.directory.roleGroups)
    : fail('http.protocol', `The device does not show its role groups (status ${status}).`, { place });
}

function readPlan(change: ChangePlan): Result<{ operations: Operations; preImage: State }> {
  const operations = operationsSchema.safeParse(change.operations);
  const preImage = stateSchema.safeParse(change.preImage);
  return change.kind === declaration.id && operations.success && preImage.success
    ? ok({ operations: operations.data, preImage: preImage.data })
    : fail('change.refused', 'The plan is not one that this change has made.');
}

/** Sets the directory group of roles on a device; see core/changes. */
export const deviceRoleGroup: Change<typeof declaration.params> = { declaration, plan, apply, readBack, planUndo };
