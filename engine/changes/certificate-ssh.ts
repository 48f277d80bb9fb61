import type { SshEnrolment } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { opensslRequestConfig } from '../keys/certificate-request.ts';
import type { ExecResult, SshConnection } from '../wire/ssh.ts';
import { type SshLogin, withSshDevice } from '../wire/ssh-device.ts';
import { digestOf, discardFile, failed, readFile, runScript, stageFile, type StagedFile } from '../wire/ssh-files.ts';
import { REQUEST, REQUEST_FAULTS, SWITCH, SWITCH_FAULTS, RESTORE, RESTORE_FAULTS } from './certificate-scripts.ts';
import type { Installation, Way } from './certificate-way.ts';
import { NOTHING } from './certificate-way.ts';
import type { WriteCredential } from './change.ts';

/** A large RSA key takes a small device its time. */
const MAKE_MS = 50_000;
const HALF = 69;

/** Over SSH: keys and certificates are files, the key is made by the device's own openssl. */
export function sshWay(how: SshEnrolment, context: ProbeContext): Way {
  const { keyFile, certificateFile, chainFile, check, restart } = how;
  const within = <T>(work: (ssh: SshConnection) => Promise<Result<T>>, who?: WriteCredential): Promise<Result<T>> => {
    const login: SshLogin | undefined = who && { user: who.user, secret: who.password };
    return withSshDevice(how.device, context, work, { legacy: how.legacy, ...(login === undefined ? {} : { login }) });
  };
  const contents = (certificate: string, intermediates: string) =>
    chainFile === undefined ? certificate + intermediates : certificate;
  const waitingKey = (stamp: string) => `${keyFile}.${stamp}.new`;
  const waitingRequest = (stamp: string) => `${keyFile}.${stamp}.csr`;

  return {
    device: how.device,
    requestLines: (stamp, sameKey) => [
      sameKey
        ? `  key stays:  ${keyFile}`
        : `+ new key:    ${waitingKey(stamp)} (openssl genpkey; it never leaves the device)`,
      `+ request:    ${waitingRequest(stamp)}`,
    ],
    installLines: (stamp) => [
      ...[certificateFile, ...(chainFile === undefined ? [] : [chainFile])].map(
        (file) => `~ ${file} (the old one stays as ${kept(file, stamp)})`,
      ),
      `~ ${keyFile} (the old one stays as ${kept(keyFile, stamp)})`,
      ...(check === undefined ? [] : [`run: ${check}`]),
      `run: ${restart}`,
    ],
    waiting: (stamp) =>
      within(async (ssh) => {
        const file = await readFile(ssh, waitingRequest(stamp), { maxBytes: 65_536 });
        return file.ok ? ok(file.value?.bytes.toString('latin1')) : file;
      }),
    makeRequest: (template, stamp, sameKey, who) =>
      within(async (ssh) => {
        const rsa = template.key.startsWith('rsa-');
        const kind = rsa
          ? ['RSA', `rsa_keygen_bits:${template.key.slice(4)}`]
          : ['EC', `ec_paramgen_curve:${template.key}`];
        const args = [keyFile, waitingKey(stamp), waitingRequest(stamp), ...kind, sameKey ? 'same' : 'new'];
        const made = await runScript(ssh, REQUEST, args, {
          stdin: Buffer.from(opensslRequestConfig(template)),
          deadlineMs: MAKE_MS,
        });
        if (!made.ok) return unclear(made);
        return answer(
          made.value,
          `${ssh.place} ${waitingRequest(stamp)}`,
          REQUEST_FAULTS,
          'No request could be made on the device.',
        );
      }, who),
    discardRequest: (stamp, _sameKey, who) =>
      within(async (ssh) => {
        const gone = await runScript(ssh, 'rm -f -- "$1" "$2"', [waitingKey(stamp), waitingRequest(stamp)]);
        if (!gone.ok) return unclear(gone);
        return answer(gone.value, ssh.place, {}, 'The request cannot be taken away.');
      }, who),
    place: (stamp) =>
      within(async (ssh) => {
        const file = await readFile(ssh, certificateFile, { maxBytes: 262_144 });
        if (!file.ok) return file;
        const old = await runScript(ssh, '[ -e "$1" ]', [kept(file.value?.path ?? certificateFile, stamp)]);
        if (!old.ok) return old;
        return ok({ file: file.value?.sha256 ?? NOTHING, kept: old.value.code === 0 });
      }),
    digest: (certificate, intermediates) => digestOf(Buffer.from(contents(certificate, intermediates))),
    install: (what, who) => within((ssh) => install(ssh, what), who),
    restore: (what, who) =>
      within(async (ssh) => {
        const newDigest = digestOf(Buffer.from(contents(what.certificate, what.intermediates)));
        const takesBack = what.waiting === undefined ? '' : waitingKey(what.waiting);
        const files = [keyFile, certificateFile, chainFile ?? ''];
        const back = await runScript(ssh, RESTORE, [...files, `.${what.stamp}.old`, newDigest, takesBack, restart]);
        if (!back.ok) return unclear(back);
        return answer(
          back.value,
          `${ssh.place} ${certificateFile}`,
          RESTORE_FAULTS,
          'The old files cannot be put back.',
        );
      }, who),
  };

  /** Everything is staged beside its file first, then switched by one script that puts all back where a step fails. */
  async function install(ssh: SshConnection, what: Installation): Promise<Result<void>> {
    const staged: StagedFile[] = [];
    const stage = async (path: string, bytes: Buffer, mode: string): Promise<Result<StagedFile>> => {
      const real = await readFile(ssh, path);
      if (!real.ok) return real;
      const done = await stageFile(ssh, real.value?.path ?? path, bytes, { mode });
      if (done.ok) staged.push(done.value);
      return done;
    };
    const clean = async <T>(result: Result<T>): Promise<Result<T>> => {
      for (const file of staged) await discardFile(ssh, file);
      return result;
    };
    const certificate = await stage(
      certificateFile,
      Buffer.from(contents(what.certificate, what.intermediates)),
      '644',
    );
    if (!certificate.ok) return clean(certificate);
    const chain = chainFile === undefined ? undefined : await stage(chainFile, Buffer.from(what.intermediates), '644');
    if (chain?.ok === false) return clean(chain);
    const key = what.key === undefined ? undefined : await stage(keyFile, Buffer.from(what.key), '600');
    if (key?.ok === false) return clean(key);
    const switched = await runScript(
      ssh,
      SWITCH,
      [
        certificate.value.path,
        certificate.value.temporary,
        chain?.value.path ?? '',
        chain?.value.temporary ?? '',
        key?.value.path ?? keyFile,
        key?.value.temporary ?? '',
        what.waiting === undefined ? '' : waitingKey(what.waiting),
        `.${what.stamp}.old`,
        what.replaces ?? '',
        check ?? '',
        restart,
      ],
      { deadlineMs: MAKE_MS },
    );
    if (!switched.ok) return unclear(switched);
    const done = answer(
      switched.value,
      `${ssh.place} ${certificateFile}`,
      SWITCH_FAULTS,
      'The new files cannot take effect.',
    );
    return done.ok ? done : clean(done);
  }
}

function kept(file: string, stamp: string): string {
  return `${file}.${stamp}.old`;
}

/** The connection was lost while a script ran: nobody knows how far it came. */
function unclear<T>(result: Result<T>): Result<never> {
  if (result.ok) throw new Error('only a failure is unclear');
  const { error } = result;
  return error.code === 'ssh.protocol'
    ? { ok: false, error: { ...error, code: 'change.failed' } }
    : { ok: false, error };
}

/**
 * What an exit code of our own scripts means. 54: somebody was here since; from `HALF` on the script ended half-way; with any
 * other it left nothing behind.
 */
function answer(
  { code, ...ran }: ExecResult,
  place: string,
  faults: Readonly<Record<number, string>>,
  otherwise: string,
): Result<void> {
  if (code === 0) return ok(undefined);
  const sentence = faults[code ?? -1] ?? otherwise;
  const said = failed(sentence, place, { ...ran, ...(code === undefined ? {} : { code }) });
  const cause = said.ok || said.error.cause === undefined ? {} : { cause: said.error.cause };
  if (code === undefined || code >= HALF) return fail('change.failed', sentence, { place, ...cause });
  return fail(code === 54 ? 'change.state-differs' : 'change.refused', sentence, { place, ...cause });
}
