import { z } from 'zod';
import { directoryCreateGroup as declaration } from '../../core/changes/directory-create-group.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { escapeDnValue, escapeFilterValue, isWithin, ldifChange, normalizeDn, parentDn } from '../wire/ldap-names.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { readGuid, relativeId } from '../wire/ldap-values.ts';
import { sidOf } from '../wire/ldap-lookup.ts';
import { attributeDifferences, sameValues } from './attributes.ts';
import type { Change, ChangePlan, ReadBack } from './change.ts';
import { psText } from './powershell.ts';

type Params = z.output<typeof declaration.params>;

const attributesSchema = z.record(z.string(), z.array(z.string()));

/** What was found at the DN. People are counted, never named: states go to the journal. */
const stateSchema = z.discriminatedUnion('exists', [
  z.strictObject({ dn: z.string(), exists: z.literal(false) }),
  z.strictObject({
    dn: z.string(),
    exists: z.literal(true),
    sid: z.string(),
    guid: z.string(),
    attributes: attributesSchema.describe('Values of the attributes that were planned'),
    others: z.array(z.string()).describe('Names of further attributes that are set'),
    members: z.int().describe('Members, those by primary group included'),
  }),
]);
type State = z.output<typeof stateSchema>;
type Existing = Extract<State, { exists: true }>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('add'), dn: z.string(), attributes: attributesSchema }),
  z.strictObject({
    do: z.literal('delete'),
    dn: z.string(),
    planned: attributesSchema,
    expected: stateSchema.options[1],
  }),
]);
type Operations = z.output<typeof operationsSchema>;

const SCOPE_BITS = { global: 0x2, universal: 0x8 } as const;
const SECURITY_ENABLED = 2 ** 31;

/** Attributes that the server itself sets on a new group, or touches without anybody changing the group. */
const KEPT_BY_SERVER = new Set(
  [
    [
      'objectSid',
      'objectGUID',
      'objectCategory',
      'distinguishedName',
      'name',
      'instanceType',
      'sAMAccountType',
      'member',
    ],
    ['whenCreated', 'whenChanged', 'uSNCreated', 'uSNChanged', 'dSCorePropagationData', 'cn', 'objectClass'],
  ]
    .flat()
    .map((name) => name.toLowerCase()),
);

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  return withDirectory(context, async (directory) => {
    const { baseDn, root, session } = directory;
    if (root.kind !== 'active-directory') return fail('change.refused', 'Groups are only created in Active Directory.');
    const container = params.container ?? `CN=Users,${baseDn}`;
    if (!isWithin(container, baseDn))
      return fail('change.refused', `The container ${container} does not lie below the base DN of the site.`);
    const above = await session.read(container, ['objectClass']);
    if (!above.ok) return above;
    if (above.value === undefined) return fail('change.refused', `There is no container ${container}.`);
    const dn = `CN=${escapeDnValue(params.group)},${container}`;
    const free = await isFree(directory, dn, params.group);
    if (!free.ok) return free;
    const attributes = {
      objectClass: ['top', 'group'],
      cn: [params.group],
      sAMAccountName: [params.group],
      groupType: [String(SCOPE_BITS[params.scope] - SECURITY_ENABLED)],
      ...(params.description === undefined ? {} : { description: [params.description] }),
    };
    const operations: Operations = { do: 'add', dn, attributes };
    const preImage: State = { dn, exists: false };
    return ok({
      kind: declaration.id,
      summary: `Create the ${params.scope} security group ${params.group} in ${container}.`,
      diff: ldifChange(dn, 'add', attributes),
      operations,
      preImage,
      undo: false,
    });
  });
}

/** Neither the DN nor the account name may be taken: sAMAccountName is shared with users and computers. */
async function isFree({ session, baseDn }: SiteDirectory, dn: string, name: string): Promise<Result<void>> {
  const there = await session.read(dn, ['1.1']);
  if (!there.ok) return there;
  const filter = `(sAMAccountName=${escapeFilterValue(name)})`;
  const taken = await session.search({ base: baseDn, filter, attributes: ['1.1'], limit: 5 });
  if (!taken.ok) return taken;
  // The DN of what has the name may be a person's, and errors go to the journal.
  const free = there.value === undefined && taken.value.entries.length === 0;
  return free
    ? ok(undefined)
    : fail('change.refused', `The name ${name} is taken in the directory.`, { place: session.place });
}

async function apply(
  change: ChangePlan,
  credential: { user: string; password: string },
  context: ProbeContext,
): Promise<Result<void>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  return withDirectory(
    context,
    async (directory) => {
      if (wanted.do === 'add') {
        const free = await isFree(directory, wanted.dn, wanted.attributes.sAMAccountName?.[0] ?? '');
        if (!free.ok)
          return free.error.code === 'change.refused'
            ? differs('Something has taken the place of the group since the plan was made.', wanted.dn)
            : free;
        return directory.session.add(wanted.dn, wanted.attributes);
      }
      const now = await readState(directory, wanted.dn, wanted.planned);
      if (!now.ok) return now;
      const difference = differenceOf(wanted.expected, now.value);
      if (difference !== undefined) return differs(difference, wanted.dn);
      return directory.session.remove(wanted.dn);
    },
    credential,
  );
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  return withDirectory(context, async (directory) => {
    const state = await readState(directory, wanted.dn, wanted.do === 'add' ? wanted.attributes : wanted.planned);
    if (!state.ok) return state;
    const differences =
      wanted.do === 'add'
        ? compareWithPlan(wanted.attributes, state.value)
        : state.value.exists
          ? ['The group is still there.']
          : [];
    return ok({ asPlanned: differences.length === 0, differences, state: state.value });
  });
}

function compareWithPlan(planned: Readonly<Record<string, string[]>>, state: State): string[] {
  if (!state.exists) return ['The group is not there.'];
  const differences = attributeDifferences(planned, state.attributes);
  if (state.members > 0) differences.push(`The new group has ${state.members} members.`);
  return differences;
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const made = operations.value;
  if (change.undo || made.do !== 'add') return fail('change.refused', 'An undo is not undone: plan the change anew.');
  const then = stateSchema.safeParse(state);
  if (!then.success || !then.data.exists)
    return fail(
      'change.refused',
      'Without the state that was read back after the change there is nothing to compare with.',
    );
  const expected = then.data;
  return withDirectory(context, async (directory) => {
    const now = await readState(directory, made.dn, made.attributes);
    if (!now.ok) return now;
    const difference = differenceOf(expected, now.value);
    if (difference !== undefined) return differs(difference, made.dn);
    const undo: Operations = { do: 'delete', dn: made.dn, planned: made.attributes, expected };
    return ok({
      kind: declaration.id,
      summary: `Delete the group ${made.dn} again; it has no members and nobody has changed it.`,
      diff: ldifChange(made.dn, 'delete'),
      operations: undo,
      preImage: now.value,
      undo: true,
    });
  });
}

function differs(message: string, place: string): Result<never> {
  return fail('change.state-differs', message, { place });
}

/** Why the group is no longer what was read back; undefined when it is. */
function differenceOf(then: Existing, now: State): string | undefined {
  if (!now.exists) return 'The group is gone already.';
  if (now.guid !== then.guid || now.sid !== then.sid) return 'Another group stands in its place.';
  if (now.members > 0)
    return `The group has gained ${now.members} members: it stays and keeps its SID, since rights may hang on it.`;
  const changed = Object.keys(then.attributes).filter(
    (name) => !sameValues(then.attributes[name] ?? [], now.attributes[name]),
  );
  const names = [...changed, ...symmetricDifference(then.others, now.others)];
  return names.length === 0 ? undefined : `The group was changed since: ${names.join(', ')}.`;
}

function symmetricDifference(a: readonly string[], b: readonly string[]): string[] {
  return [...a.filter((name) => !b.includes(name)), ...b.filter((name) => !a.includes(name))];
}

async function readState(
  directory: SiteDirectory,
  dn: string,
  planned: Readonly<Record<string, string[]>>,
): Promise<Result<State>> {
  const read = await directory.session.read(dn, ['*']);
  if (!read.ok) return read;
  const entry = read.value;
  if (entry === undefined) return ok({ dn, exists: false });
  const sid = sidOf(entry);
  const guid = readGuid(entry.bytes('objectGUID')[0] ?? Buffer.alloc(0));
  if (sid === undefined || guid === undefined)
    return fail('ldap.no-right', `The bind account may not read the identifiers of ${dn}.`);
  const primary = await directory.session.search({
    base: directory.baseDn,
    filter: `(primaryGroupID=${relativeId(sid)})`,
    attributes: ['1.1'],
    limit: 1000,
  });
  if (!primary.ok) return primary;
  const own = new Set(Object.keys(planned).map((name) => name.toLowerCase()));
  return ok({
    dn: normalizeDn(entry.dn) === normalizeDn(dn) ? dn : entry.dn,
    exists: true,
    sid,
    guid,
    attributes: Object.fromEntries(Object.keys(planned).map((name) => [name, [...entry.texts(name)]])),
    others: entry.names.filter((name) => !own.has(name) && !KEPT_BY_SERVER.has(name)).sort(),
    members: entry.texts('member').length + primary.value.entries.length,
  });
}

function readOperations(change: ChangePlan): Result<Operations> {
  const parsed = operationsSchema.safeParse(change.operations);
  if (change.kind === declaration.id && parsed.success) return ok(parsed.data);
  return fail(
    'change.refused',
    'The plan is not one that this change has made.',
    parsed.success ? {} : { cause: z.prettifyError(parsed.error) },
  );
}

function powershell(change: ChangePlan): Result<readonly string[]> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  if (wanted.do === 'delete') return ok([`Remove-ADGroup -Identity ${psText(wanted.expected.guid)}`]);
  const { sAMAccountName = [], groupType = [], description = [] } = wanted.attributes;
  const name = psText(sAMAccountName[0] ?? '');
  const scope = (Number(groupType[0]) & SCOPE_BITS.universal) === 0 ? 'Global' : 'Universal';
  const more = description.length === 0 ? '' : ` -Description ${psText(description[0] ?? '')}`;
  return ok([
    `New-ADGroup -Name ${name} -SamAccountName ${name} -GroupCategory Security -GroupScope ${scope} -Path ${psText(parentDn(wanted.dn) ?? '')}${more}`,
  ]);
}

/** Creates an empty security group; see core/changes. */
export const directoryCreateGroup: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply,
  readBack,
  planUndo,
  powershell,
};
