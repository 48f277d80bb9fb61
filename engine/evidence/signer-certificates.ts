import { collect } from '../../core/bundle/finding.ts';
import type { Role } from '../../core/bundle/trust.ts';
import { checkContainer } from '../../core/bundle/verify-container.ts';
import { checkSignatures } from '../../core/bundle/verify-signatures.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { nodeHost, withContainer } from './container-reader.ts';

export type SignerCertificate = { readonly role: Role; readonly pem: string };

/**
 * The certificate of a signer of a bundle, to be trusted from its first use on. Only of a signature that holds: else anybody's
 * certificate could be put there. Errors: those of reading a bundle, `input.not-found`.
 * @param sha256 of the certificate, hex
 */
export async function signerCertificate(bundle: string, sha256: string, now: Date): Promise<Result<SignerCertificate>> {
  return withContainer(bundle, async (container) => {
    const found = collect();
    const opened = await checkContainer(container, found);
    const signers = await checkSignatures(opened, {}, now, nodeHost, found);
    const signer = signers.find((each) => each.sha256 === sha256);
    if (signer === undefined)
      return fail('input.not-found', 'Nobody signed this bundle with that certificate.', { place: bundle });
    const broken = found.list.find(
      ({ severity, code, place }) =>
        severity === 'bad' && !code.startsWith('trust.') && place?.includes(String(signer.number).padStart(3, '0')),
    );
    if (broken !== undefined)
      return fail(
        'bundle.malformed',
        `The signature of ${signer.name} does not hold, so its certificate proves nothing. ${broken.sentence}`,
        {
          place: bundle,
        },
      );
    const base64 = Buffer.from(signer.certificate.toSchema().toBER()).toString('base64');
    const lines = base64.match(/.{1,64}/g)?.join('\n') ?? '';
    return ok({ role: signer.role, pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` });
  });
}
