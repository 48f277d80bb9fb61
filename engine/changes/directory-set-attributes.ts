import { z } from 'zod';
import { directorySetAttributes as declaration } from '../../core/changes/directory-set-attributes.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { ldifModify } from '../wire/ldap-names.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import type { Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { psComment, psText } from './powershell.ts';
import { findGroupOrUnit, findPrincipal, guidOf, referenceOf } from './principal.ts';

type Params = z.output<typeof declaration.params>;

/** Values by attribute; `managedBy` as a SID, since a person's DN is their name. An attribute that is not set has none. */
const valuesSchema = z.strictObject({
  description: z.array(z.string()).optional(),
  managedBy: z.array(z.string()).max(1).optional(),
});
const stateSchema = z.strictObject({ guid: z.string(), dn: z.string(), values: valuesSchema });
type State = z.output<typeof stateSchema>;

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = z.strictObject({
  do: z.literal('set'),
  dn: z.string(),
  guid: z.string(),
  values: valuesSchema,
});
type Operations = z.output<typeof operationsSchema>;
type Name = keyof z.output<typeof valuesSchema>;

const NAMES: readonly Name[] = ['description', 'managedBy'];
const ATTRIBUTES = ['objectClass', 'objectGUID', 'description', 'managedBy'];

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  return withDirectory(context, async (directory) => {
    if (directory.root.kind !== 'active-directory')
      return fail('change.refused', 'Attributes are only changed in Active Directory.');
    const dn = await findGroupOrUnit(directory, params.object);
    if (!dn.ok) return dn;
    const wanted: Operations['values'] = {};
    const notes: string[] = [];
    if (params.description !== undefined) wanted.description = [params.description];
    if (params.managedBy !== undefined) {
      const manager = await findPrincipal(directory, params.managedBy);
      if (!manager.ok) return manager;
      if (manager.value === undefined)
        return fail('change.refused', `There is no account or group ${params.managedBy} in the directory.`);
      wanted.managedBy = [manager.value.sid];
      notes.push(`${manager.value.sid} is ${params.managedBy}`);
    }
    const state = await readState(directory, dn.value, wanted);
    if (!state.ok) return state;
    if (state.value === undefined) return fail('change.refused', `There is no ${params.object}.`);
    const { values } = state.value;
    if (same(values, wanted)) return fail('change.refused', `${params.object} has these values already.`);
    const set = Object.keys(wanted).join(' and ');
    return describe(directory, state.value, wanted, `Set ${set} of ${params.object}.`, false, notes);
  });
}

async function describe(
  directory: SiteDirectory,
  preImage: State,
  values: Operations['values'],
  summary: string,
  undo: boolean,
  notes: readonly string[] = [],
): Promise<Result<ChangePlan>> {
  const shown: { do: 'replace'; attribute: string; values: string[] }[] = [];
  for (const attribute of namesOf(values)) {
    const resolved = await resolve(directory, attribute, values[attribute] ?? [], 'reference');
    if (!resolved.ok) return resolved;
    shown.push({ do: 'replace', attribute, values: resolved.value });
  }
  const operations: Operations = { do: 'set', dn: preImage.dn, guid: preImage.guid, values };
  const diff = ldifModify(preImage.dn, shown, { notes });
  return ok({ kind: declaration.id, summary, diff, operations, preImage, undo });
}

/** Values as they are written or shown: a manager's SID becomes the DN, or what stands for it in a plan. */
async function resolve(
  directory: SiteDirectory,
  attribute: Name,
  values: readonly string[],
  as: 'dn' | 'reference',
): Promise<Result<string[]>> {
  if (attribute === 'description') return ok([...values]);
  const found: string[] = [];
  for (const sid of values) {
    const manager = await findPrincipal(directory, sid);
    if (!manager.ok) return manager;
    if (manager.value === undefined) return fail('change.state-differs', `${sid} is no longer in the directory.`);
    found.push(as === 'dn' ? manager.value.dn : referenceOf(manager.value));
  }
  return ok(found);
}

async function readState(
  directory: SiteDirectory,
  dn: string,
  wanted: Operations['values'],
): Promise<Result<State | undefined>> {
  const read = await directory.session.read(dn, ATTRIBUTES);
  if (!read.ok || read.value === undefined) return read.ok ? ok(undefined) : read;
  const entry = read.value;
  const guid = guidOf(entry);
  if (guid === undefined) return fail('ldap.no-right', `The bind account may not read the identifiers of ${dn}.`);
  const values: State['values'] = {};
  if (wanted.description !== undefined) values.description = [...entry.texts('description')];
  if (wanted.managedBy !== undefined) {
    values.managedBy = [];
    for (const manager of entry.texts('managedBy')) {
      const found = await findPrincipal(directory, manager);
      if (!found.ok) return found;
      if (found.value === undefined)
        return fail('change.refused', `The present manager of ${dn} cannot be read, so it could not be put back.`);
      values.managedBy.push(found.value.sid);
    }
  }
  return ok({ guid, dn: entry.dn, values });
}

async function apply(change: ChangePlan, credential: WriteCredential, context: ProbeContext): Promise<Result<void>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const { dn, values } = operations.value;
  const then = stateSchema.safeParse(change.preImage);
  if (!then.success) return fail('change.refused', 'The plan holds no state to compare with.');
  return withDirectory(
    context,
    async (directory) => {
      const now = await readState(directory, dn, values);
      if (!now.ok) return now;
      const difference = differenceOf(then.data, now.value);
      if (difference !== undefined) return differs(difference, dn);
      const modifications: { do: 'replace'; attribute: string; values: string[] }[] = [];
      for (const attribute of namesOf(values)) {
        const resolved = await resolve(directory, attribute, values[attribute] ?? [], 'dn');
        if (!resolved.ok) return resolved;
        modifications.push({ do: 'replace', attribute, values: resolved.value });
      }
      return directory.session.modify(dn, modifications);
    },
    credential,
  );
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  const { dn, guid, values } = operations.value;
  return withDirectory(context, async (directory) => {
    const read = await readState(directory, dn, values);
    if (!read.ok) return read;
    const state = read.value ?? { guid: '', dn, values: {} };
    const differences =
      read.value?.guid === guid
        ? namesOf(values)
            .filter((name) => !sameList(values[name], state.values[name]))
            .map((name) => `${name} is ${state.values[name]?.join(', ') || 'not set'}.`)
        : [`${dn} is gone or was replaced.`];
    return ok({ asPlanned: differences.length === 0, differences, state });
  });
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const operations = readOperations(change);
  if (!operations.ok) return operations;
  if (change.undo) return fail('change.refused', 'An undo is not undone: plan the change anew.');
  const [then, before] = [stateSchema.safeParse(state), stateSchema.safeParse(change.preImage)];
  if (!then.success || !before.success)
    return fail('change.refused', 'Without the states before and after the change there is nothing to put back.');
  const { dn, values } = operations.value;
  return withDirectory(context, async (directory) => {
    const now = await readState(directory, dn, values);
    if (!now.ok) return now;
    const difference = differenceOf(then.data, now.value);
    if (difference !== undefined || now.value === undefined) return differs(difference ?? `${dn} is gone.`, dn);
    const summary = `Give ${dn} the values that it had before.`;
    return describe(directory, now.value, before.data.values, summary, true);
  });
}

function namesOf(values: Operations['values']): Name[] {
  return NAMES.filter((name) => values[name] !== undefined);
}

function same(a: State['values'], b: State['values']): boolean {
  return NAMES.every((name) => sameList(a[name], b[name]));
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
}

function differenceOf(then: State, now: State | undefined): string | undefined {
  if (now === undefined) return `${then.dn} is gone.`;
  if (now.guid !== then.guid) return 'Another object stands in its place.';
  const changed = NAMES.filter((name) => !sameList(then.values[name], now.values[name]));
  return changed.length === 0 ? undefined : `Somebody has changed ${changed.join(' and ')} since.`;
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
  const { guid, dn, values } = operations.value;
  const lines = [psComment(dn)];
  for (const name of namesOf(values)) {
    const [value] = values[name] ?? [];
    if (value === undefined) lines.push(`Set-ADObject -Identity ${psText(guid)} -Clear ${name}`);
    else if (name === 'description')
      lines.push(`Set-ADObject -Identity ${psText(guid)} -Replace @{ description = ${psText(value)} }`);
    else
      lines.push(
        `$manager = Get-ADObject -LDAPFilter ${psText(`(objectSid=${value})`)}`,
        `Set-ADObject -Identity ${psText(guid)} -Replace @{ managedBy = $manager.DistinguishedName }`,
      );
  }
  return ok(lines);
}

/** Sets manager and description; see core/changes. */
export const directorySetAttributes: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply,
  readBack,
  planUndo,
  powershell,
};
