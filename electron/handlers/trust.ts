import { ok } from '../../core/result.ts';
import { readCertificate } from '../trust.ts';
import type { HandlersOf, Shell } from './shell.ts';

/** Whom the person trusts, and in which role: shown, added to at first use, and taken back. */
export function trustHandlers({ engine, files, trust }: Shell): HandlersOf<'trust'> {
  return {
    'trust.list': async () => ok(await trust.list()),
    'trust.pin': async ({ bundle, sha256 }) => {
      const path = files.resolve('bundle', bundle);
      if (!path.ok) return path;
      const signer = await engine.call('trust.signer', { path: path.value, sha256 });
      if (!signer.ok) return signer;
      const { role, pem } = signer.value;
      const certificate = readCertificate(pem);
      return certificate.ok ? trust.add(role, certificate.value) : certificate;
    },
    'trust.remove': ({ role, sha256 }) => trust.remove(role, sha256),
  };
}
