import { z } from 'zod';
import { directoryCreateOu as declaration } from '../../core/changes/directory-create-ou.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { escapeDnValue, isWithin, ldifChange, parentDn } from '../wire/ldap-names.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { attributeDifferences, sameValues } from './attributes.ts';
import type { Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { psText } from './powershell.ts';
import { guidOf } from './principal.ts';

type Params = z.output<typeof declaration.params>;

const attributesSchema = z.record(z.string(), z.array(z.string()));
const existingSchema = z.strictObject({
  dn: z.string(),
  exists: z.literal(true),
  guid: z.string(),
  attributes: attributesSchema.describe('Values of the attributes that were planned'),
  others: z.array(z.string()).describe('Names of further attributes that are set'),
  empty: z.boolean(),
});
const stateSchema = z.discriminatedUnion('exists', [
  z.strictObject({ dn: z.string(), exists: z.literal(false) }),
  existingSchema,
]);
type State = z.output<typeof stateSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('add'), dn: z.string(), attributes: attributesSchema }),
  z.strictObject({ do: z.literal('delete'), dn: z.string(), planned: attributesSchema, expected: existingSchema }),
]);
type Operations = z.output<typeof operationsSchema>;

/** Attributes that the server itself sets or touches on a new organizational unit. */
const KEPT_BY_SERVER = [
  ['objectGUID', 'objectCategory', 'distinguishedName', 'name', 'instanceType', 'ou', 'objectClass'],
  ['whenCreated', 'whenChanged', 'uSNCreated', 'uSNChanged', 'dSCorePropagationData', 'nTSecurityDescriptor'],
]
  .flat()
  .map((name) => name.toLowerCase());

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  return withDirectory(context, async ({ session, root, baseDn }) => {
    if (root.kind !== 'active-directory')
      return fail('change.refused', 'Organizational units are only created in Active Directory.');
    const container = params.container ?? baseDn;
    if (!isWithin(container, baseDn))
      return fail('change.refused', `The container ${container} does not lie below the base DN of the site.`);
    const above = await session.read(container, ['objectClass']);
    if (!above.ok) return above;
    if (above.value === undefined) return fail('change.refused', `There is no container ${container}.`);
    const classes = above.value.texts('objectClass').map((name) => name.toLowerCase());
    if (!classes.includes('organizationalunit') && !classes.includes('domaindns'))
      return fail('change.refused', `${container} is neither the domain nor an organizational unit.`);
    const dn = `OU=${escapeDnValue(params.name)},${container}`;
    const there = await session.read(dn, ['1.1']);
    if (!there.ok) return there;
    if (there.value !== undefined) return fail('change.refused', `${dn} is there already.`, { place: session.place });
    const attributes = {
      objectClass: ['top', 'organizationalUnit'],
      ou: [params.name],
      ...(params.description === undefined ? {} : { description: [params.description] }),
    };
    const operations: Operations = { do: 'add', dn, attributes };
    const preImage: State = { dn, exists: false };
    const summary = `Create the organizational unit ${params.name} in ${container}.`;
    const diff = ldifChange(dn, 'add', attributes);
    return ok({ kind: declaration.id, summary, diff, operations, preImage, undo: false });
  });
}

async function apply(change: ChangePlan, credential: WriteCredential, context: ProbeContext): Promise<Result<void>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  return withDirectory(
    context,
    async (directory) => {
      const now = await readState(directory, wanted.dn, wanted.do === 'add' ? wanted.attributes : wanted.planned);
      if (!now.ok) return now;
      if (wanted.do === 'add')
        return now.value.exists
          ? differs('Something has taken the place of the organizational unit since the plan was made.', wanted.dn)
          : directory.session.add(wanted.dn, wanted.attributes);
      const difference = differenceOf(wanted.expected, now.value);
      return difference === undefined ? directory.session.remove(wanted.dn) : differs(difference, wanted.dn);
    },
    credential,
  );
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  return withDirectory(context, async (directory) => {
    const planned = wanted.do === 'add' ? wanted.attributes : wanted.planned;
    const state = await readState(directory, wanted.dn, planned);
    if (!state.ok) return state;
    const differences = wanted.do === 'add' ? compare(planned, state.value) : [];
    if (wanted.do === 'delete' && state.value.exists) differences.push('The organizational unit is still there.');
    return ok({ asPlanned: differences.length === 0, differences, state: state.value });
  });
}

function compare(planned: Readonly<Record<string, string[]>>, state: State): string[] {
  if (!state.exists) return ['The organizational unit is not there.'];
  const differences = attributeDifferences(planned, state.attributes);
  return state.empty ? differences : [...differences, 'Something lies in the new organizational unit.'];
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const made = operations.value;
  if (change.undo || made.do !== 'add') return fail('change.refused', 'An undo is not undone: plan the change anew.');
  const then = existingSchema.safeParse(state);
  if (!then.success)
    return fail(
      'change.refused',
      'Without the state that was read back after the change there is nothing to compare with.',
    );
  return withDirectory(context, async (directory) => {
    const now = await readState(directory, made.dn, made.attributes);
    if (!now.ok) return now;
    const difference = differenceOf(then.data, now.value);
    if (difference !== undefined) return differs(difference, made.dn);
    const undo: Operations = { do: 'delete', dn: made.dn, planned: made.attributes, expected: then.data };
    return ok({
      kind: declaration.id,
      summary: `Delete the organizational unit ${made.dn} again; nothing lies in it and nobody has changed it.`,
      diff: ldifChange(made.dn, 'delete'),
      operations: undo,
      preImage: now.value,
      undo: true,
    });
  });
}

/** Why the organizational unit is no longer what was read back; undefined when it is. */
function differenceOf(then: Extract<State, { exists: true }>, now: State): string | undefined {
  if (!now.exists) return 'The organizational unit is gone already.';
  if (now.guid !== then.guid) return 'Another organizational unit stands in its place.';
  if (!now.empty) return 'Something lies in the organizational unit by now: it stays.';
  const changed = Object.keys(then.attributes).filter(
    (name) => !sameValues(then.attributes[name] ?? [], now.attributes[name]),
  );
  const names = [
    ...changed,
    ...now.others.filter((name) => !then.others.includes(name)),
    ...then.others.filter((name) => !now.others.includes(name)),
  ];
  return names.length === 0 ? undefined : `The organizational unit was changed since: ${names.join(', ')}.`;
}

async function readState(
  { session }: SiteDirectory,
  dn: string,
  planned: Readonly<Record<string, string[]>>,
): Promise<Result<State>> {
  const read = await session.read(dn, ['*']);
  if (!read.ok) return read;
  const entry = read.value;
  if (entry === undefined) return ok({ dn, exists: false });
  const guid = guidOf(entry);
  if (guid === undefined) return fail('ldap.no-right', `The bind account may not read the identifiers of ${dn}.`);
  const below = await session.search({ base: dn, scope: 'one', attributes: ['1.1'], limit: 1 });
  if (!below.ok) return below;
  const own = Object.keys(planned).map((name) => name.toLowerCase());
  return ok({
    dn,
    exists: true,
    guid,
    attributes: Object.fromEntries(Object.keys(planned).map((name) => [name, [...entry.texts(name)]])),
    others: entry.names.filter((name) => !own.includes(name) && !KEPT_BY_SERVER.includes(name)).sort(),
    empty: below.value.entries.length === 0,
  });
}

function differs(message: string, place: string): Result<never> {
  return fail('change.state-differs', message, { place });
}

function readOperations(change: ChangePlan): Result<Operations> {
  const parsed = operationsSchema.safeParse(change.operations);
  if (change.kind === declaration.id && parsed.success) return ok(parsed.data);
  return fail('change.refused', 'The plan is not one that this change has made.');
}

function powershell(change: ChangePlan): Result<readonly string[]> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const wanted = operations.value;
  if (wanted.do === 'delete') return ok([`Remove-ADOrganizationalUnit -Identity ${psText(wanted.expected.guid)}`]);
  const { ou = [], description = [] } = wanted.attributes;
  const more = description.length === 0 ? '' : ` -Description ${psText(description[0] ?? '')}`;
  // Protection is a change of its own; without the switch the module would set it by itself.
  return ok([
    `New-ADOrganizationalUnit -Name ${psText(ou[0] ?? '')} -Path ${psText(parentDn(wanted.dn) ?? '')} -ProtectedFromAccidentalDeletion $false${more}`,
  ]);
}

/** Creates an empty organizational unit; see core/changes. */
export const directoryCreateOu: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply,
  readBack,
  planUndo,
  powershell,
};
