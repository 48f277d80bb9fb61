import type { SshEnrolment } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { SshConnection } from '../wire/ssh.ts';
import { discardFile, failed, runScript, stageFile, type StagedFile } from '../wire/ssh-files.ts';
import { PLACE, RESTORE, RESTORE_FAULTS, SWITCH, SWITCH_FAULTS } from './certificate-scripts.ts';
import { answer, unclear } from './certificate-ssh-answer.ts';
import { waitingKey } from './certificate-ssh-request.ts';
import type { Installation, PlaceState } from './certificate-way.ts';

/** For the check and the restart, or two. */
const SWITCH_MS = 90_000;

/** The files of a service, the one that tells whether somebody was here first. */
export function filesOf({ certificateFile, chainFile, keyFile, pkcs12 }: SshEnrolment): readonly string[] {
  return [certificateFile, chainFile, pkcs12?.file, keyFile].filter((file) => file !== undefined);
}

/** Name under which the version before is kept. */
export function kept(file: string, stamp: string): string {
  return `${file}${suffix(stamp)}`;
}

function suffix(stamp: string): string {
  return `.${stamp}.old`;
}

/** What the certificate file holds; the chain follows unless it has a file of its own. */
export function certificateText({ chainFile }: SshEnrolment, certificate: string, intermediates: string): string {
  return chainFile === undefined ? certificate + intermediates : certificate;
}

/** The digest is taken on the device: a file that holds a key is not read from here. */
export async function placeThere(ssh: SshConnection, how: SshEnrolment, stamp: string): Promise<Result<PlaceState>> {
  const [main = ''] = filesOf(how);
  const seen = await runScript(ssh, PLACE, [main, suffix(stamp)]);
  if (!seen.ok) return seen;
  const place = `${ssh.place} ${main}`;
  const [, file, there] = /^([0-9a-f]{64}|nothing) (yes|no)\n$/.exec(seen.value.stdout.toString('latin1')) ?? [];
  if (seen.value.code === 42) return fail('change.refused', 'This is not a plain file.', { place });
  if (seen.value.code !== 0 || file === undefined)
    return failed('The account that reads the device may not read this file.', place, seen.value);
  return ok({ file, kept: there === 'yes' });
}

/**
 * Everything is staged beside its file first, then switched by one script that puts all back where a step fails.
 * @param pkcs12 where the service reads such a file
 */
export async function installThere(
  ssh: SshConnection,
  how: SshEnrolment,
  what: Installation,
  pkcs12: Uint8Array | undefined,
): Promise<Result<void>> {
  const { certificateFile, chainFile, keyFile, check = '', restart } = how;
  const wanted: (readonly [string | undefined, Uint8Array | string | undefined, string])[] = [
    [certificateFile, certificateText(how, what.certificate, what.intermediates), '644'],
    [chainFile, what.intermediates, '644'],
    [how.pkcs12?.file, pkcs12, '600'],
    [keyFile, what.key, '600'],
  ];
  const staged: StagedFile[] = [];
  const clean = async <T>(result: Result<T>): Promise<Result<T>> => {
    for (const file of staged) await discardFile(ssh, file);
    return result;
  };
  for (const [path, content, mode] of wanted) {
    if (path === undefined || content === undefined) continue;
    const real = await realPath(ssh, path);
    if (!real.ok) return clean(real);
    const done = await stageFile(ssh, real.value, Buffer.from(content), { mode });
    if (!done.ok) return clean(done);
    staged.push(done.value);
  }
  const waits = what.waiting === undefined || keyFile === undefined ? '' : waitingKey(keyFile, what.waiting);
  const pairs = staged.flatMap(({ path, temporary }) => [path, temporary]);
  const args = [suffix(what.stamp), what.replaces ?? '', waits, keyFile ?? '', check, restart, ...pairs];
  const switched = await runScript(ssh, SWITCH, args, { deadlineMs: SWITCH_MS });
  if (!switched.ok) return unclear(switched);
  const place = `${ssh.place} ${staged[0]?.path ?? ''}`;
  const done = answer(switched.value, place, SWITCH_FAULTS, 'The new files cannot take effect.');
  return done.ok ? done : clean(done);
}

/** Puts the files before back, the one that tells last, so that it can be tried again after it was cut off. */
export async function restoreThere(
  ssh: SshConnection,
  how: SshEnrolment,
  what: Omit<Installation, 'key'>,
): Promise<Result<void>> {
  const { keyFile } = how;
  const waits = what.waiting === undefined || keyFile === undefined ? '' : waitingKey(keyFile, what.waiting);
  const args = [suffix(what.stamp), what.replaces ?? '', waits, keyFile ?? '', how.restart, ...filesOf(how)];
  const back = await runScript(ssh, RESTORE, args, { deadlineMs: SWITCH_MS });
  if (!back.ok) return unclear(back);
  const place = `${ssh.place} ${filesOf(how)[0] ?? ''}`;
  return answer(back.value, place, RESTORE_FAULTS, 'The old files cannot be put back.');
}

/** Without symbolic links, so that a link stays one; the path itself where nothing lies there yet. */
async function realPath(ssh: SshConnection, path: string): Promise<Result<string>> {
  const ran = await runScript(ssh, 'readlink -f -- "$1"', [path]);
  if (!ran.ok) return ran;
  const real = ran.value.stdout.toString('utf8').replace(/\n$/, '');
  return ok(ran.value.code === 0 && real.startsWith('/') ? real : path);
}
