import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { sshFile as declaration } from '../../core/changes/ssh-file.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { withSshDevice } from '../wire/ssh-device.ts';
import { runScript } from '../wire/ssh-files.ts';
import type { SshConnection } from '../wire/ssh.ts';
import { GOING_BACK_MS, markerOf, revertPending, touchesOwnWay } from './auto-revert.ts';
import type { Change, ChangePlan, ReadBack } from './change.ts';
import { applyEdits, type Values } from './file-edits.ts';
import { type FileState, fileStateSchema } from './file-state.ts';
import { type FileOperations, look, prepare, readPlan } from './file-work.ts';
import { writeRemoteFile } from './ssh-file-write.ts';
import { sameState, stateForUndo } from './undo.ts';
import { unifiedDiff } from './unified-diff.ts';

type Params = z.output<typeof declaration.params>;

const OPEN_GUARD = { seconds: 60 };

async function plan(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  const prepared = await prepare(params, context);
  if (!prepared.ok) return prepared;
  const { values, hider } = prepared.value;
  const port = context.site.devices.find(({ id }) => id === params.device)?.ssh?.port ?? 0;
  return withSshDevice(
    params.device,
    context,
    async (ssh) => {
      const seen = await look(ssh, params.path, hider);
      if (!seen.ok) return seen;
      const { text, state } = seen.value;
      const next = applyEdits(text, params.edits, values);
      if (!next.ok) return next;
      if (next.value === text) return fail('change.refused', 'The file says so already.', { place: params.path });
      const guard = params.guard ?? (touchesOwnWay(params.path, params.restart, params.edits) ? OPEN_GUARD : undefined);
      const operations: FileOperations = {
        ...params,
        ...(guard === undefined ? {} : { guard }),
        do: 'edit',
        path: state.path,
        keep: keepName(state.path, context.now()),
        port,
      };
      const hide = hider();
      const hidden = { before: hide(text ?? '').text, after: hide(next.value).text };
      const summary = `${text === undefined ? 'Create' : 'Change'} ${state.path} on ${nameOf(params.device, context)}.`;
      return ok(planOf(operations, state, hidden, summary));
    },
    { legacy: params.legacy },
  );
}

function planOf(
  operations: FileOperations,
  preImage: FileState,
  { before, after }: { before: string; after: string },
  summary: string,
): ChangePlan {
  const { path, check, restart, verify, guard, keep, legacy } = operations;
  const notes = [
    check === undefined ? undefined : `checked before it takes effect: ${check}`,
    restart === undefined ? undefined : `then: ${restart}`,
    verify === undefined ? undefined : `well when this ends with 0: ${verify}`,
    preImage.file === undefined ? undefined : `the version of now stays at ${keep}`,
    guard === undefined
      ? undefined
      : `this may cut off the connection it is made over: unless you confirm from a new one within ${guard.seconds} s, the device undoes it by itself`,
    legacy.length === 0 ? undefined : `over SSH with old algorithms: ${legacy.join(', ')}`,
  ].filter((note) => note !== undefined);
  return {
    kind: declaration.id,
    summary,
    diff: `${unifiedDiff(before, after, path)}${notes.map((note) => `# ${note}\n`).join('')}`,
    operations,
    preImage,
    undo: operations.do === 'restore',
  };
}

/** A name in the same folder, so that taking its place is one step; its end is one that no service reads. */
function keepName(path: string, now: Date): string {
  return `${path}.lockstep-${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(4).toString('hex')}`;
}

async function readBack(change: ChangePlan, context: ProbeContext): Promise<Result<ReadBack>> {
  const work = await readPlan(change, context);
  if (!work.ok) return work;
  const { operations, preImage, values, hider } = work.value;
  const { device, path, verify, seconds, keep, guard, legacy } = operations;
  const read = async (ssh: SshConnection): Promise<Result<ReadBack>> => {
    const waits = await revertPending(ssh, markerOf(keep));
    if (!waits.ok) return waits;
    if (waits.value)
      return fail(
        'session.state',
        'The device still waits for a confirmation, and undoes the change by itself without one. Find out after that.',
        { place: path },
      );
    const seen = await look(ssh, path, hider);
    if (!seen.ok) return seen;
    const { text, state } = seen.value;
    const differences = differencesOf(operations, preImage, text, values);
    if (differences.length === 0 && verify !== undefined) {
      const ran = await runScript(ssh, verify, [], { deadlineMs: seconds * 1000 });
      if (!ran.ok) return ran;
      if (ran.value.code !== 0) differences.push(`"${verify}" ended with ${ran.value.code ?? ran.value.signal}.`);
    }
    return ok({ asPlanned: differences.length === 0, differences, state });
  };
  const here = await withSshDevice(device, context, read, { legacy });
  // Where the change moved SSH, the site file is only brought up to date after it.
  if (here.ok || guard?.port === undefined || !here.error.code.startsWith('tcp.')) return here;
  return withSshDevice(device, context, read, { legacy, port: guard.port });
}

function differencesOf(
  { do: what, edits, from }: FileOperations,
  preImage: FileState,
  text: string | undefined,
  values: Values,
): string[] {
  if (what === 'restore') {
    if (from === undefined) return text === undefined ? [] : ['The file is still there.'];
    return text === undefined ? [`The file is not there.`] : [];
  }
  const again = applyEdits(text, edits, values);
  if (!again.ok) return [again.error.message];
  return text !== undefined && again.value === text ? [] : [`${preImage.path} does not say what it should.`];
}

async function planUndo(change: ChangePlan, state: unknown, context: ProbeContext): Promise<Result<ChangePlan>> {
  const work = await readPlan(change, context);
  if (!work.ok) return work;
  const then = stateForUndo(change, state, fileStateSchema);
  if (!then.ok) return then;
  const { operations, preImage, hider } = work.value;
  const { device, path, keep, guard, port, legacy } = operations;
  return withSshDevice(
    device,
    context,
    async (ssh) => {
      const seen = await look(ssh, path, hider);
      if (!seen.ok) return seen;
      if (!sameState(seen.value.state, then.value))
        return fail('change.state-differs', 'Somebody has changed the file since.', { place: path });
      const former = preImage.file === undefined ? ok(undefined) : await look(ssh, keep, hider);
      if (!former.ok) return former;
      if (former.value !== undefined && !sameState(former.value.state.file, preImage.file))
        return fail('change.state-differs', 'The old version is not beside the file any more, or was changed.', {
          place: keep,
        });
      const { from: _from, guard: _guard, ...rest } = operations;
      const back: FileOperations = {
        ...rest,
        ...(guard === undefined ? {} : { guard: { seconds: guard.seconds, port } }),
        do: 'restore',
        keep: keepName(path, context.now()),
        ...(preImage.file === undefined ? {} : { from: keep }),
      };
      const hide = hider();
      const hidden = { before: hide(seen.value.text ?? '').text, after: hide(former.value?.text ?? '').text };
      const summary = `Put the former ${path} back on ${nameOf(device, context)}.`;
      return ok(planOf(back, then.value, hidden, summary));
    },
    { legacy },
  );
}

function nameOf(device: string, context: ProbeContext): string {
  return context.site.devices.find(({ id }) => id === device)?.name ?? device;
}

/** Changes a configuration file on a device; see core/changes. */
export const sshFile: Change<typeof declaration.params> = {
  declaration,
  plan,
  apply: async (change, credential, context) => {
    const work = await readPlan(change, context);
    return work.ok
      ? writeRemoteFile(work.value, { user: credential.user, secret: credential.password }, context)
      : work;
  },
  readBack,
  planUndo,
  deadlineMs: ({ operations }) => {
    const { guard, seconds = 0 } = operations as Partial<FileOperations>;
    return 60_000 + 3_000 * seconds + (guard === undefined ? 0 : 1000 * guard.seconds + 2 * GOING_BACK_MS);
  },
};
