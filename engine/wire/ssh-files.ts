import { createHash, randomBytes } from 'node:crypto';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ExecOptions, ExecResult, SshConnection } from './ssh.ts';

/** A regular file as it lies on the device. `path` has no symbolic links in it any more. */
export type RemoteFile = {
  readonly path: string;
  readonly bytes: Buffer;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Permission bits in octal, as `stat -c %a` prints them. */
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
  /** When its bytes were last written, as the device says it in UTC; compare, do not read. */
  readonly modified: string;
};

/** A new version that lies beside its file and has not taken effect. */
export type StagedFile = { readonly path: string; readonly temporary: string };

const MAX_FILE = 4 * 1024 * 1024;

/** One word of a POSIX shell, whatever is in it. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Runs a POSIX script with positional arguments, whatever the login shell of the user is. */
export function runScript(
  ssh: SshConnection,
  script: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<Result<ExecResult>> {
  return ssh.exec(['exec sh -c', shellQuote(script), 'lockstep', ...args.map(shellQuote)].join(' '), options);
}

/**
 * Reads a file whole, with mode and owner; undefined where there is none.
 * Errors: those of `exec`, `input.too-large`, `change.refused` (a folder or the like), `ssh.protocol` (no right to read it).
 */
export async function readFile(
  ssh: SshConnection,
  path: string,
  { maxBytes = MAX_FILE }: { maxBytes?: number } = {},
): Promise<Result<RemoteFile | undefined>> {
  const place = `${ssh.place} ${path}`;
  const ran = await runScript(ssh, READ, [path], { maxBytes: maxBytes + MAX_HEAD });
  if (!ran.ok)
    return ran.error.code === 'input.too-large'
      ? fail('input.too-large', `The file is longer than ${maxBytes} bytes.`, { place })
      : ran;
  const { code, stdout } = ran.value;
  if (code === 41) return ok(undefined);
  if (code === 42) return fail('change.refused', 'This is not a plain file.', { place });
  if (code !== 0) return failed('The file cannot be read.', place, ran.value);
  const [stat = '', real = ''] = stdout.subarray(0, MAX_HEAD).toString('utf8').split('\n');
  const bytes = stdout.subarray(Buffer.byteLength(stat) + Buffer.byteLength(real) + 2);
  const [mode = '', uid = '', gid = '', size = '', ...modified] = stat.split(' ');
  if (bytes.length > maxBytes) return fail('input.too-large', `The file is longer than ${maxBytes} bytes.`, { place });
  if (!/^[0-7]{1,4}$/.test(mode) || Number(size) !== bytes.length || !real.startsWith('/'))
    return fail('ssh.protocol', 'The device did not say whole what lies there.', { place, cause: stat.slice(0, 100) });
  return ok({ path: real, bytes, sha256: digestOf(bytes), mode, uid, gid, modified: modified.join(' ') });
}

/**
 * Puts a new version beside a file, with the mode and owner of the old one, written through to the disk and compared by
 * digest. Nothing takes effect. Errors: those of `exec`, `ssh.protocol` (no room, no right, mode or owner cannot be kept).
 * @param path without symbolic links, as `readFile` gives it
 * @param mode of a file that does not exist yet, octal
 */
export async function stageFile(
  ssh: SshConnection,
  path: string,
  bytes: Uint8Array,
  { mode = '600' }: { mode?: string } = {},
): Promise<Result<StagedFile>> {
  const temporary = `${path}.lockstep-${randomBytes(6).toString('hex')}`;
  const ran = await runScript(ssh, STAGE, [path, temporary, mode, digestOf(bytes)], { stdin: bytes });
  if (!ran.ok) return ran;
  const sentence = STAGE_FAULTS[ran.value.code ?? -1] ?? 'The new version cannot be written.';
  return ran.value.code === 0 ? ok({ path, temporary }) : failed(sentence, `${ssh.place} ${path}`, ran.value);
}

/**
 * Lets a staged version take the place of its file in one step. Errors: those of `exec`, `change.state-differs` (the file is
 * not the one named any more), `ssh.protocol`. Only `tcp.*`, `probe.*` and `ssh.protocol` without an exit code leave open
 * whether it happened.
 * @param replaces SHA-256 (hex) of what must lie there now, or `absent`
 * @param keepAs where the old version stays, in the same folder; nothing may lie there yet
 */
export async function commitFile(
  ssh: SshConnection,
  { path, temporary }: StagedFile,
  { replaces, keepAs = '' }: { replaces: string; keepAs?: string },
): Promise<Result<void>> {
  const place = `${ssh.place} ${path}`;
  const ran = await runScript(ssh, COMMIT, [path, temporary, replaces, keepAs]);
  if (!ran.ok) return ran;
  if (ran.value.code === 54) return fail('change.state-differs', 'Somebody has changed the file since.', { place });
  if (ran.value.code === 55) return failed('The old version cannot be kept beside the file.', place, ran.value);
  return ran.value.code === 0 ? ok(undefined) : failed('The new version cannot take effect.', place, ran.value);
}

/** Takes a staged version away again. */
export async function discardFile(ssh: SshConnection, { temporary }: StagedFile): Promise<Result<void>> {
  const ran = await runScript(ssh, 'rm -f -- "$1"', [temporary]);
  return ran.ok ? ok(undefined) : ran;
}

/** Both steps in one, for what needs no check between them. Errors: those of `stageFile` and `commitFile`. */
export async function writeFileAtomic(
  ssh: SshConnection,
  path: string,
  bytes: Uint8Array,
  options: { replaces: string; keepAs?: string; mode?: string },
): Promise<Result<void>> {
  const staged = await stageFile(ssh, path, bytes, options);
  if (!staged.ok) return staged;
  const done = await commitFile(ssh, staged.value, options);
  if (!done.ok) await discardFile(ssh, staged.value);
  return done;
}

/** SHA-256 in lower-case hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** With the device's own first words, which name files and rights, not what is in the files. */
export function failed(sentence: string, place: string, { code, signal, stderr }: ExecResult): Result<never> {
  const said = stderr
    .toString('utf8')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
  const how = code === undefined ? `ended by ${signal ?? 'nothing that it said'}` : `exit code ${code}`;
  return fail('ssh.protocol', sentence, { place, cause: said === '' ? how : `${how}: ${said}` });
}

const MAX_HEAD = 8192;

const READ = `
p=$(readlink -f -- "$1") || exit 41
[ -e "$p" ] || exit 41
[ -f "$p" ] || exit 42
TZ=UTC0 stat -c '%a %u %g %s %y' -- "$p" && printf '%s\\n' "$p" && cat -- "$p"`;

const STAGE = `
umask 077
lose() { rm -f -- "$2"; exit "$1"; }
if [ -e "$1" ]; then cp -p -- "$1" "$2" || lose 50 "$2"; else : > "$2" && chmod "$3" "$2" || lose 50 "$2"; fi
want=$(stat -c '%a %u %g' -- "$2")
[ ! -e "$1" ] || want=$(stat -c '%a %u %g' -- "$1")
dd of="$2" bs=65536 conv=fsync 2>/dev/null || lose 51 "$2"
[ "$(stat -c '%a %u %g' -- "$2")" = "$want" ] || lose 52 "$2"
[ "$(sha256sum < "$2" | cut -c 1-64)" = "$4" ] || lose 53 "$2"`;

const STAGE_FAULTS: Readonly<Record<number, string>> = {
  50: 'A new file cannot be made beside the file.',
  51: 'The new version cannot be written; is the disk full?',
  52: 'Mode and owner of the file cannot be kept by this account.',
  53: 'The new version did not arrive whole, or the device has no sha256sum.',
};

const COMMIT = `
if [ "$3" = absent ]; then [ ! -e "$1" ] || exit 54
else [ "$(sha256sum < "$1" | cut -c 1-64)" = "$3" ] || exit 54; fi
if [ -n "$4" ] && [ -e "$1" ]; then
  [ ! -e "$4" ] || exit 55
  ln -- "$1" "$4" 2>/dev/null || cp -p -- "$1" "$4" || exit 55
fi
mv -f -- "$2" "$1" || exit 56
sync -- "$(dirname -- "$1")" 2>/dev/null || sync`;
