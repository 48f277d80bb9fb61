import { z } from 'zod';
import { httpSetting as declaration } from '../../core/changes/http-setting.ts';
import { pointerSteps, valueAtPointer } from '../../core/json-pointer.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { readFromDevice, sendToDevice } from '../wire/device-http.ts';
import type { AppliedNote, Change, ChangePlan, ReadBack, WriteCredential } from './change.ts';
import { confirmSetting, mayGoOn } from './http-setting-guard.ts';
import {
  changedPlaces,
  holdsSecret,
  membersNamed,
  sameSetting,
  settingDiff,
  showSetting,
  withValue,
} from './setting-value.ts';
import { stateForUndo } from './undo.ts';

type Params = z.output<typeof declaration.params>;

const stateSchema = z.strictObject({ url: z.string(), at: z.string(), value: z.json() });
type State = z.output<typeof stateSchema>;
/** Plans come back from a journal, so what they hold is checked before it is executed. */
const operationsSchema = declaration.params.extend({ value: z.json() });
export type SettingOperations = z.output<typeof operationsSchema>;

/** Settings by whose change a device is often not reached any more; ports of servers that it dials itself are none. */
const OWN_WAY =
  /(?:^|\/)(?:port|listen\w*|(?!syslog|smtp|ntp|ldap|proxy)\w+port|bind\w*|ip|ipAddress|address|hostname|gateway|remoteAccess\w*|firewall\w*)$/i;
const OPEN_GUARD = { seconds: 60 };

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  const { at: place, merge } = params;
  const wanted = z.json().safeParse(params.value);
  if (!wanted.success) return fail('guide.invalid', 'The value is not JSON.', { place: 'with.value' });
  const { data: value } = wanted;
  if (merge && (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0))
    return fail('guide.invalid', 'With merge the value must be an object that names members.', { place: 'with.value' });
  if (holdsSecret(place, value))
    return fail('change.refused', 'A secret cannot be read back, so it is not set by this change.', { place });
  const seen = await readSetting({ ...params, value }, undefined, context);
  if (!seen.ok) return seen;
  if (holdsSecret(place, seen.value))
    return fail(
      'change.refused',
      'There is a secret in this setting, and what was there before would be recorded. Set its parts.',
      { place },
    );
  if (sameSetting(seen.value, value)) return fail('change.refused', 'The setting has this value already.');
  const touchesOwnWay = changedPlaces(place, seen.value, value).some((changed) => OWN_WAY.test(changed));
  const guard = params.guard ?? (touchesOwnWay ? OPEN_GUARD : undefined);
  const operations = { ...params, value, ...(guard === undefined ? {} : { guard }) };
  return ok(planOf(operations, { url: params.url, at: place, value: seen.value }, false));
}

function planOf(operations: SettingOperations, preImage: State, undo: boolean): ChangePlan {
  const { url, at, value, write, guard } = operations;
  const name = at === '' ? new URL(url).pathname : at;
  const host = new URL(url).host;
  const note =
    guard === undefined
      ? ''
      : `# this may cut off the connection it is made over: unless you confirm from a new one within ${guard.seconds} s, Lockstep sets the old value again, as far as it can still reach the device\n`;
  return {
    kind: declaration.id,
    summary: undo ? `Set ${name} on ${host} to its former value again.` : `Set ${name} on ${host}.`,
    diff: `${write.method} ${write.url ?? url}\n${settingDiff(name, preImage.value, value)}${note}`,
    operations,
    preImage,
    undo,
  };
}

async function apply(
  change: ChangePlan,
  credential: WriteCredential,
  context: ProbeContext,
): Promise<Result<AppliedNote | void>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations, preImage } = parts.value;
  const now = await readSetting(operations, credential, context);
  if (!now.ok) return now;
  if (!sameSetting(now.value, preImage.value))
    return fail('change.state-differs', 'Somebody has changed the setting since.', { place: operations.url });
  const { guard } = operations;
  if (guard === undefined) return writeSetting(operations, operations.value, credential, context);
  const allowed = await mayGoOn(operations, context);
  if (!allowed.ok) return allowed;
  const until = Date.now() + 1000 * guard.seconds;
  const written = await writeSetting(operations, operations.value, credential, context);
  // The answer may be lost because of the change itself; what it is worth shows on a new connection.
  if (!written.ok && !written.error.code.startsWith('tcp.') && written.error.code !== 'http.protocol') return written;
  return confirmSetting(operations, preImage.value, until, context, {
    read: (url) => readSetting({ ...operations, url }, credential, context),
    write: (url) =>
      writeSetting({ ...operations, write: { ...operations.write, url } }, preImage.value, credential, context),
  });
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const { operations } = parts.value;
  const { url, at, guard } = operations;
  let now = await readSetting(operations, undefined, context);
  if (!now.ok && guard?.url !== undefined)
    now = await readSetting({ ...operations, url: guard.url }, undefined, context);
  if (!now.ok) return now;
  const asPlanned = sameSetting(now.value, operations.value);
  const state: State = { url, at, value: now.value };
  return ok({
    asPlanned,
    differences: asPlanned ? [] : [`${at === '' ? url : at} is ${showSetting(now.value)}.`],
    state,
  });
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const parts = readPlan(change);
  if (!parts.ok) return parts;
  const then = stateForUndo(change, state, stateSchema);
  if (!then.ok) return then;
  const { operations, preImage } = parts.value;
  const { guard } = operations;
  // Where the change moved the interface, the way back begins at the new place and ends at the old one.
  const url = guard?.url ?? operations.url;
  const back: SettingOperations = {
    ...operations,
    url,
    value: preImage.value,
    ...(guard?.url === undefined ? {} : { guard: { ...guard, url: operations.url } }),
  };
  const now = await readSetting(back, undefined, context);
  if (!now.ok) return now;
  if (!sameSetting(now.value, then.value.value))
    return fail('change.state-differs', 'Somebody has changed the setting since.', { place: url });
  return ok(planOf(back, { ...then.value, url }, true));
}

/** The setting as the device shows it. Errors: `http.protocol` (it does not show it), those of `sendToDevice`. */
async function readSetting(
  operations: Pick<SettingOperations, 'url' | 'at' | 'value' | 'merge' | 'credential' | 'anchors'>,
  who: WriteCredential | undefined,
  context: ProbeContext,
): Promise<Result<State['value']>> {
  const { at, merge } = operations;
  const whole = await readFromDevice(operations, who, context);
  if (!whole.ok) return whole;
  const there = valueAtPointer(whole.value, at);
  const value = merge ? membersNamed(there, operations.value) : there;
  const what = there !== undefined ? `every member of ${at === '' ? 'the answer' : at} that is to be set` : at;
  return value === undefined
    ? fail('http.protocol', `The device does not show ${what}.`, { place: operations.url })
    : ok(value as State['value']);
}

async function writeSetting(
  operations: SettingOperations,
  value: State['value'],
  credential: WriteCredential,
  context: ProbeContext,
): Promise<Result<void>> {
  const { at, write, merge } = operations;
  const steps = pointerSteps(at);
  const url = write.url ?? operations.url;
  const plain = JSON.stringify(write.body ?? '');
  const whole = plain.includes('{{ whole }}') ? await readFromDevice(operations, credential, context) : ok(undefined);
  if (!whole.ok) return whole;
  const nested = (inner: unknown): unknown => steps.reduceRight<unknown>((below, key) => ({ [key]: below }), inner);
  const payload =
    write.body === undefined
      ? nested(value)
      : fill(write.body, { value, whole: withValue(whole.value, steps, value, { merge }) });
  const body = write.type === 'text' ? String(payload) : JSON.stringify(payload);
  const type = write.type === 'text' ? 'text/plain; charset=utf-8' : 'application/json';
  const answer = await sendToDevice({ url, method: write.method, body, type }, operations, credential, context);
  if (!answer.ok) return answer;
  const { status } = answer.value;
  if (status >= 200 && status < 300) return ok(undefined);
  return fail('change.failed', `The device answered the change with status ${status}.`, {
    place: url,
    fixBy: 'manufacturer',
  });
}

function fill(template: unknown, values: { readonly value: unknown; readonly whole: unknown }): unknown {
  if (template === '{{ value }}') return values.value;
  if (template === '{{ whole }}') return values.whole;
  if (Array.isArray(template)) return template.map((part) => fill(part, values));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, part]) => [key, fill(part, values)]));
}

function readPlan(change: ChangePlan): Result<{ operations: SettingOperations; preImage: State }> {
  const operations = operationsSchema.safeParse(change.operations);
  const preImage = stateSchema.safeParse(change.preImage);
  return change.kind === declaration.id && operations.success && preImage.success
    ? ok({ operations: operations.data, preImage: preImage.data })
    : fail('change.refused', 'The plan is not one that this change has made.');
}

/** Changes a setting over a device's REST interface; see core/changes. */
export const httpSetting: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply,
  readBack,
  planUndo,
  deadlineMs: ({ operations }) => 120_000 + 2_000 * ((operations as Partial<SettingOperations>).guard?.seconds ?? 0),
};
