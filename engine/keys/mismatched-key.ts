import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ClientIdentity } from './trial-identity.ts';

/**
 * The certificate of an identity with a key that is not its own, as somebody has who copied the certificate off the wire:
 * the key claims the certificate's public part, and signs with a private part made here. Errors: `identity.invalid` where
 * this kind of key leaves no room for the claim (Ed25519, Ed448), or where the TLS library of this run sees through it
 * (BoringSSL does).
 */
export function withForeignKey(identity: ClientIdentity): Result<ClientIdentity> {
  try {
    const claimed = new X509Certificate(identity.certificate).publicKey;
    const fresh = freshKeyLike(claimed);
    if (fresh === undefined) return refuse(`a key of the kind ${claimed.asymmetricKeyType} cannot be claimed`);
    const der = fresh.privateKey.export({ type: 'pkcs8', format: 'der' });
    const [own, theirs] = [publicPart(createPublicKey(fresh.privateKey)), publicPart(claimed)];
    const at = der.indexOf(own);
    if (at === -1 || own.length !== theirs.length) return refuse('the key has another shape');
    theirs.copy(der, at);
    const key = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    createSecureContext({ cert: identity.certificate, key });
    return ok({ certificate: identity.certificate, key });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function refuse(cause: string): Result<never> {
  return fail('identity.invalid', "The TLS library of this run signs with a certificate's own key only.", { cause });
}

function freshKeyLike(claimed: KeyObject): { privateKey: KeyObject } | undefined {
  const { namedCurve = '', modulusLength = 0 } = claimed.asymmetricKeyDetails ?? {};
  if (claimed.asymmetricKeyType === 'ec') return generateKeyPairSync('ec', { namedCurve });
  return claimed.asymmetricKeyType === 'rsa' ? generateKeyPairSync('rsa', { modulusLength }) : undefined;
}

/** The coordinates of a point, or the modulus: of one length for keys of one kind and size. */
function publicPart(key: KeyObject): Buffer {
  const { x = '', y = '', n = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([x, y, n].map((part) => Buffer.from(part, 'base64url')));
}
