import { createPrivateKey } from 'node:crypto';
import type { HttpsEnrolment, SshEnrolment } from '../../core/changes/certificate-enroll.ts';
import { fail, type Result } from '../../core/result.ts';
import { writePkcs12 } from '../keys/pkcs12-writer.ts';
import { readCertificatesPem } from '../keys/read-certificate.ts';
import type { Installation } from './certificate-way.ts';

type Pkcs12 = NonNullable<SshEnrolment['pkcs12'] | HttpsEnrolment['pkcs12']>;

/** Packs what is carried to the device into one file. Errors: `change.refused` (the key is not here), those of `writePkcs12`. */
export async function packPkcs12(
  { certificate, intermediates, key }: Installation,
  { format, friendlyName }: Pkcs12,
  password: string,
): Promise<Result<Uint8Array>> {
  if (key === undefined)
    return fail('change.refused', 'The key was made on the device and never leaves it, so it cannot be packed here.');
  const certificates = readCertificatesPem(certificate + intermediates);
  if (!certificates.ok) return certificates;
  const pkcs8 = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  const content = {
    pkcs8,
    certificates: certificates.value.map(({ der }) => der),
    ...(friendlyName === undefined ? {} : { friendlyName }),
  };
  const written = await writePkcs12(content, password, format);
  pkcs8.fill(0);
  return written;
}

/** Lines of the plan: how the file is locked, and what that is worth. */
export function pkcs12Lines({ format, password }: Pkcs12): readonly string[] {
  return [
    `+ PKCS#12:    ${format === 'legacy' ? '3DES, MAC with SHA-1 (legacy)' : 'AES-256, MAC with SHA-256'}`,
    password === undefined
      ? '  password:   a new one, sent in the same request and kept nowhere'
      : `  password:   the secret ${password}, neither shown nor recorded`,
    ...(format === 'legacy'
      ? [
          '! These ciphers are weak: whoever gets hold of the file can try passwords quickly, and its seal rests on SHA-1. They are used',
          '! because the guide says that this device reads nothing newer, and for the way onto this device only.',
        ]
      : []),
  ];
}
