import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TrustedView } from '../core/ipc.ts';
import { fail, ok, type Result } from '../core/result.ts';
import type { TrustPems } from '../engine/service-contract.ts';
import { createJsonStore } from './json-store.ts';
import type { LabInfo } from './practice.ts';

export const TRUST_ROLES = ['engineer', 'hospital', 'publisher', 'timestamp'] as const;
export type TrustRole = (typeof TRUST_ROLES)[number];
export type RootView = { readonly subject: string; readonly sha256: string; readonly pem: string };

const pems = z.array(z.string().max(65_536)).max(100).default([]);
const trustSchema = z.strictObject({ engineer: pems, hospital: pems, publisher: pems, timestamp: pems });
const MAX_BYTES = 65_536;

/** The roots that the person trusts, apart for each role, so that no one can sign for another. */
export type Trust = {
  readonly pems: (practice?: LabInfo) => Promise<Result<TrustPems>>;
  readonly add: (role: TrustRole, root: RootView) => Promise<Result<null>>;
  /** Those that the person chose, by role; without those of the practice hospital. */
  readonly list: () => Promise<readonly TrustedView[]>;
  readonly remove: (role: TrustRole, sha256: string) => Promise<Result<null>>;
};

/** Keeps the roots in `trust.json` below `folder`. */
export function createTrust(folder: string): Trust {
  const nobody = { engineer: [], hospital: [], publisher: [], timestamp: [] };
  const store = createJsonStore(join(folder, 'trust.json'), trustSchema, nobody);
  return {
    pems: async (practice) => {
      const chosen = await store.read();
      if (practice === undefined) return ok(chosen);
      try {
        const read = async (role: Exclude<TrustRole, 'timestamp'>) => [
          ...chosen[role],
          await readFile(practice.trust[role], 'utf8'),
        ];
        return ok({
          engineer: await read('engineer'),
          hospital: await read('hospital'),
          publisher: await read('publisher'),
          // Nobody stamps the time for practice.
          timestamp: chosen.timestamp,
        });
      } catch (error) {
        return fail('input.not-found', "The practice hospital's root certificates cannot be read.", {
          cause: (error as Error).message,
        });
      }
    },
    list: async () => {
      const chosen = await store.read();
      return TRUST_ROLES.flatMap((role) =>
        chosen[role].flatMap((pem): TrustedView[] => {
          const known = readCertificate(pem);
          return known.ok ? [viewOf(role, known.value.certificate)] : [];
        }),
      );
    },
    remove: (role, sha256) =>
      store.update((present) => ({
        ...present,
        [role]: present[role].filter((pem) => {
          const known = readCertificate(pem);
          return known.ok && known.value.sha256 !== sha256;
        }),
      })),
    add: (role, root) =>
      store.update((present) => ({
        ...present,
        [role]: [...present[role].filter((pem) => pem !== root.pem), root.pem],
      })),
  };
}

/** Reads one certificate in PEM or DER. Error: `input.malformed`. */
export function readCertificate(bytes: Uint8Array | string): Result<RootView & { certificate: X509Certificate }> {
  try {
    const certificate = new X509Certificate(bytes);
    const sha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    const subject = certificate.subject.replaceAll('\n', ', ');
    return ok({ subject, sha256, pem: certificate.toString(), certificate });
  } catch (error) {
    return fail('input.malformed', 'This is not a certificate.', { cause: (error as Error).message });
  }
}

function viewOf(role: TrustRole, certificate: X509Certificate): TrustedView {
  return {
    role,
    subject: certificate.subject.replaceAll('\n', ', '),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: new Date(certificate.validTo).toISOString(),
    kind: certificate.ca ? 'root' : 'signer',
  };
}

/** Reads one CA certificate in PEM or DER, to be shown before it is trusted. Errors: `input.not-found`, `input.too-large`, `input.malformed`. */
export async function readRoot(path: string): Promise<Result<RootView>> {
  try {
    if ((await stat(path)).size > MAX_BYTES)
      return fail('input.too-large', 'A certificate file is never this large.', { place: path });
    const root = readCertificate(await readFile(path));
    if (!root.ok) return { ok: false, error: { ...root.error, place: path } };
    if (!root.value.certificate.ca)
      return fail(
        'input.malformed',
        'This certificate is not one of an authority, so nothing can be trusted through it.',
        { place: path },
      );
    return root;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return missing
      ? fail('input.not-found', 'The file is not there.', { place: path })
      : fail('input.malformed', 'This is not a certificate.', { place: path, cause: (error as Error).message });
  }
}
