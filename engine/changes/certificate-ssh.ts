import type { SshEnrolment } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import type { SshConnection } from '../wire/ssh.ts';
import { type SshLogin, withSshDevice } from '../wire/ssh-device.ts';
import { digestOf } from '../wire/ssh-files.ts';
import { packPkcs12, pkcs12Lines } from './certificate-pkcs12.ts';
import { certificateText, filesOf, installThere, kept, placeThere, restoreThere } from './certificate-ssh-install.ts';
import {
  discardRequestThere,
  makeRequestThere,
  readWaitingRequest,
  waitingKey,
  waitingRequest,
} from './certificate-ssh-request.ts';
import type { Installation, Way } from './certificate-way.ts';
import type { WriteCredential } from './change.ts';

/** Over SSH: keys and certificates are files, the key is made by the device's own openssl, or comes from here. */
export function sshWay(how: SshEnrolment, context: ProbeContext): Way {
  const { keyFile, certificateFile, pkcs12, check, restart } = how;
  const within = <T>(work: (ssh: SshConnection) => Promise<Result<T>>, who?: WriteCredential): Promise<Result<T>> => {
    const login: SshLogin | undefined = who && { user: who.user, secret: who.password };
    return withSshDevice(how.device, context, work, { legacy: how.legacy, ...(login === undefined ? {} : { login }) });
  };
  const withKeyFile = async <T>(work: (file: string) => Promise<Result<T>>): Promise<Result<T>> =>
    keyFile === undefined
      ? fail('guide.invalid', 'The guide names no file on the device for a key that is made there.')
      : work(keyFile);
  const packed = async (what: Installation): Promise<Result<Uint8Array | undefined>> => {
    if (pkcs12 === undefined) return ok(undefined);
    const password = await context.secret(pkcs12.password);
    return password.ok ? packPkcs12(what, pkcs12, password.value) : password;
  };

  return {
    device: how.device,
    requestLines: (stamp, sameKey) => [
      sameKey
        ? `  key stays:  ${keyFile ?? ''}`
        : `+ new key:    ${waitingKey(keyFile ?? '', stamp)} (openssl genpkey; it never leaves the device)`,
      `+ request:    ${waitingRequest(keyFile ?? '', stamp)}`,
    ],
    installLines: (stamp) => [
      ...filesOf(how).map((file) => `~ ${file} (the old one stays as ${kept(file, stamp)})`),
      ...(pkcs12 === undefined ? [] : pkcs12Lines(pkcs12)),
      ...(check === undefined ? [] : [`run: ${check}`]),
      `run: ${restart}`,
    ],
    waiting: (stamp) => withKeyFile((file) => within((ssh) => readWaitingRequest(ssh, file, stamp))),
    makeRequest: (template, stamp, sameKey, who) =>
      withKeyFile((file) => within((ssh) => makeRequestThere(ssh, file, stamp, template, sameKey), who)),
    discardRequest: (stamp, _sameKey, who) =>
      withKeyFile((file) => within((ssh) => discardRequestThere(ssh, file, stamp), who)),
    place: (stamp) => within((ssh) => placeThere(ssh, how, stamp)),
    // A PKCS#12 file is another one each time it is written.
    digest: (certificate, intermediates) =>
      certificateFile === undefined
        ? undefined
        : digestOf(Buffer.from(certificateText(how, certificate, intermediates))),
    install: async (what, who) => {
      const bytes = await packed(what);
      return bytes.ok ? within((ssh) => installThere(ssh, how, what, bytes.value), who) : bytes;
    },
    restore: (what, who) => within((ssh) => restoreThere(ssh, how, what), who),
  };
}
