import { setTimeout as sleep } from 'node:timers/promises';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { type SshLogin, withSshDevice } from '../wire/ssh-device.ts';
import {
  commitFile,
  discardFile,
  failed,
  runScript,
  shellQuote,
  type StagedFile,
  stageFile,
} from '../wire/ssh-files.ts';
import type { SshConnection } from '../wire/ssh.ts';
import {
  armRevert,
  disarmRevert,
  GOING_BACK_MS,
  markerOf,
  revertNow,
  revertPending,
  type WayBack,
} from './auto-revert.ts';
import type { AppliedNote } from './change.ts';
import { applyEdits } from './file-edits.ts';
import { type FileWork, look } from './file-work.ts';
import { sameState } from './undo.ts';

/** The confirmation has to arrive before the device begins to go back. */
const MARGIN_MS = 2_000;
const PAUSE_MS = 1_000;

/**
 * Writes a file as planned: beside the old one, checked there, then in its place in one step, then the service is restarted.
 * Where that fails the old version is put back. Where the plan has a guard, a job on the device goes back by itself unless the
 * operator confirms from a new connection. Errors: `change.state-differs`, `change.refused` (the check says no),
 * `change.failed` (it was undone, or nobody knows), those of the connection.
 */
export async function writeRemoteFile(
  work: FileWork,
  login: SshLogin,
  context: ProbeContext,
): Promise<Result<AppliedNote | void>> {
  const { operations } = work;
  const { device, legacy, guard } = operations;
  const begun = Date.now();
  const written = await withSshDevice(device, context, (ssh) => write(ssh, work), { legacy, login });
  if (!written.ok || guard === undefined) return written.ok ? ok(undefined) : written;
  return confirm(work, login, begun + 1000 * guard.seconds, context);
}

function wayBack({ operations: { path, keep, restart = '' }, preImage }: FileWork): WayBack {
  return { path, keep: preImage.file === undefined ? undefined : keep, restart };
}

/** Everything up to the restart, over one connection. */
async function write(ssh: SshConnection, work: FileWork): Promise<Result<void>> {
  const { operations, preImage } = work;
  const { path, keep, guard } = operations;
  const now = await look(ssh, path, work.hider);
  if (!now.ok) return now;
  if (!sameState(now.value.state, preImage))
    return fail('change.state-differs', 'Somebody has changed the file since.', { place: path });
  const staged = await stage(ssh, work, now.value.text);
  if (!staged.ok) return staged;
  const checked = await check(ssh, work, staged.value);
  if (!checked.ok) {
    if (staged.value !== undefined) await discardFile(ssh, staged.value);
    return checked;
  }
  if (guard !== undefined) {
    const armed = await armRevert(ssh, markerOf(keep), wayBack(work), guard.seconds);
    if (!armed.ok) return armed;
  }
  const replaces = now.value.sha256 ?? 'absent';
  const done =
    staged.value === undefined
      ? await takeAway(ssh, path, keep, replaces)
      : await commitFile(ssh, staged.value, { replaces, keepAs: keep });
  if (!done.ok) {
    if (guard !== undefined) await disarmRevert(ssh, markerOf(keep));
    if (staged.value !== undefined) await discardFile(ssh, staged.value);
    return done;
  }
  return restart(ssh, work);
}

/** The new version beside the old one; undefined where the file is to go. */
async function stage(
  ssh: SshConnection,
  { operations, values }: FileWork,
  text: string | undefined,
): Promise<Result<StagedFile | undefined>> {
  const { do: what, from, path, edits, mode } = operations;
  if (what === 'edit') {
    const next = applyEdits(text, edits, values);
    return next.ok ? stageFile(ssh, path, Buffer.from(next.value), { mode }) : next;
  }
  if (from === undefined) return ok(undefined);
  // The very file of before takes its place again, with all that it had.
  const temporary = `${from}.back`;
  const ran = await runScript(ssh, 'ln -f -- "$1" "$2" 2>/dev/null || cp -p -- "$1" "$2"', [from, temporary]);
  if (!ran.ok) return ran;
  return ran.value.code === 0 ? ok({ path, temporary }) : failed('The old version cannot be read.', from, ran.value);
}

async function check(
  ssh: SshConnection,
  { operations, hider }: FileWork,
  staged: StagedFile | undefined,
): Promise<Result<void>> {
  // The version of before was in use already; an undo is not to fail by a check that asks for the new one.
  if (operations.check === undefined || staged === undefined || operations.do === 'restore') return ok(undefined);
  const command = operations.check.replaceAll('{file}', shellQuote(staged.temporary));
  const ran = await runScript(ssh, command, [], { deadlineMs: 1000 * operations.seconds });
  if (!ran.ok) return ran;
  const { code, stdout, stderr } = ran.value;
  if (code === 0) return ok(undefined);
  const said = hider()(`${stderr.toString('utf8')}\n${stdout.toString('utf8')}`)
    .text.replace(/\s+/g, ' ')
    .trim();
  return fail(
    'change.refused',
    `The device's own check refuses the new version: ${said.slice(0, 500) || `exit code ${code}`}`,
    {
      place: operations.path,
    },
  );
}

async function takeAway(ssh: SshConnection, path: string, keep: string, replaces: string): Promise<Result<void>> {
  const script = '[ "$(sha256sum < "$1" | cut -c 1-64)" = "$3" ] || exit 54\nmv -- "$1" "$2"';
  const ran = await runScript(ssh, script, [path, keep, replaces]);
  if (!ran.ok) return ran;
  if (ran.value.code === 54)
    return fail('change.state-differs', 'Somebody has changed the file since.', { place: path });
  return ran.value.code === 0 ? ok(undefined) : failed('The file cannot be taken away.', path, ran.value);
}

/** A restart that fails is no reason to leave the device without its service: the old version is put back at once. */
async function restart(ssh: SshConnection, work: FileWork): Promise<Result<void>> {
  const { restart: command, guard, keep, seconds, path } = work.operations;
  if (command === undefined) return ok(undefined);
  const ran = await runScript(ssh, command, [], { deadlineMs: 1000 * seconds });
  // The restart may have cut off this very connection; the new one will show what it is worth.
  if (!ran.ok) return guard === undefined ? ran : ok(undefined);
  if (ran.value.code === 0) return ok(undefined);
  const back = await revertNow(ssh, markerOf(keep), wayBack(work), { armed: guard !== undefined });
  const said = work.hider()(ran.value.stderr.toString('utf8')).text.replace(/\s+/g, ' ').trim().slice(0, 300);
  return fail(
    'change.failed',
    back.ok
      ? 'The service did not start with the new version, so the old one was put back and started.'
      : `The service did not start with the new version, and going back failed too (${back.error.cause ?? back.error.message}). Look after the device now.`,
    { place: path, ...(said === '' ? {} : { cause: said }) },
  );
}

/** Opens new connections until one works, asks over it whether the change may stay, and sees to it that it goes otherwise. */
async function confirm(
  work: FileWork,
  login: SshLogin,
  until: number,
  context: ProbeContext,
): Promise<Result<AppliedNote>> {
  const { device, legacy, guard, keep, path } = work.operations;
  const marker = markerOf(keep);
  const last = new Date(until - MARGIN_MS);
  let cause: AppError | undefined;
  while (Date.now() < last.getTime() && !context.signal.aborted) {
    const ended = await withSshDevice(
      device,
      context,
      async (ssh): Promise<Result<'stays' | 'declined'>> => {
        const yes = await context.ask(
          `${path} was changed, and a new connection to ${device} works. Keep the change?`,
          { until: last, otherwise: 'the device puts the old version back by itself', kind: 'confirm' },
        );
        if (!yes) {
          const back = await revertNow(ssh, marker, wayBack(work), { armed: true });
          return back.ok ? ok('declined') : back;
        }
        const disarmed = await disarmRevert(ssh, marker);
        if (!disarmed.ok) return disarmed;
        return ok(disarmed.value ? 'stays' : 'declined');
      },
      { legacy, login, ...(guard?.port === undefined ? {} : { port: guard.port }) },
    );
    if (ended.ok && ended.value === 'stays')
      return ok({ confirmed: { seconds: guard?.seconds ?? 0, at: context.now().toISOString() } });
    if (ended.ok) return undone(work, login, 'Nobody confirmed the change', undefined, context);
    cause = ended.error;
    // A log-in that is refused stays so, and each try counts against the account.
    if (cause.code === 'ssh.credentials' || cause.code === 'ssh.host-key') break;
    await sleep(PAUSE_MS, undefined, { signal: context.signal }).catch(() => {});
  }
  await sleep(Math.max(0, until - Date.now()), undefined, { signal: context.signal }).catch(() => {});
  return undone(work, login, 'No new connection could be opened', cause, context);
}

/** Waits until the device has gone back, and sees for itself. */
async function undone(
  work: FileWork,
  login: SshLogin,
  why: string,
  cause: AppError | undefined,
  context: ProbeContext,
): Promise<Result<never>> {
  const { device, legacy, path } = work.operations;
  const about = {
    place: path,
    ...(cause === undefined ? {} : { cause: `${cause.message} ${cause.cause ?? ''}`.trim() }),
  };
  const end = Date.now() + GOING_BACK_MS;
  while (Date.now() < end && !context.signal.aborted) {
    const back = await withSshDevice(
      device,
      context,
      async (ssh): Promise<Result<boolean>> => {
        const pending = await revertPending(ssh, markerOf(work.operations.keep));
        if (!pending.ok || pending.value) return pending.ok ? ok(false) : pending;
        const now = await look(ssh, path, work.hider);
        return now.ok ? ok(sameState(now.value.state, work.preImage)) : now;
      },
      { legacy, login },
    );
    if (back.ok && back.value)
      return fail(
        'change.failed',
        `${why}, so the device put the old version back by itself; it is there again.`,
        about,
      );
    await sleep(2 * PAUSE_MS, undefined, { signal: context.signal }).catch(() => {});
  }
  return fail(
    'change.failed',
    `${why}, and it cannot be seen that the device put the old version back by itself. Look after the device now.`,
    about,
  );
}
