import { appError, type AppError } from '../../../core/result.ts';
import { socketError } from '../tcp.ts';

export type HandshakeFailure = {
  readonly kind: 'alert' | 'closed' | 'reset' | 'silent' | 'no-starttls' | 'failed';
  readonly alert?: string;
  readonly error?: Error;
};

/** Names the stage at which a handshake failed. */
export function failureError(failure: HandshakeFailure, place: string): AppError {
  const code = String((failure.error as NodeJS.ErrnoException | undefined)?.code ?? '');
  const more = {
    place,
    ...(failure.error === undefined
      ? {}
      : { cause: code === 'NAME_MISMATCH' ? failure.error.message : code || failure.error.message }),
  };
  if (failure.kind === 'alert')
    return appError('tls.alert', `The server refused the TLS handshake with the alert ${failure.alert}.`, more);
  if (failure.kind === 'silent')
    return appError(
      'tcp.timeout',
      'The server accepted the connection and then kept silent in the TLS handshake.',
      more,
    );
  if (failure.kind === 'reset') return socketError(failure.error ?? new Error('reset'), place);
  if (failure.kind === 'closed')
    return appError('tls.not-spoken', 'The server hung up in the TLS handshake without saying why.', more);
  if (failure.kind === 'no-starttls') return appError('tls.not-spoken', 'The server does not start TLS.', more);
  if (code === 'NAME_MISMATCH')
    return appError('tls.name', "The server's certificate does not carry the name that was dialled.", more);
  if (code === 'CERT_HAS_EXPIRED')
    return appError('tls.expired', "A certificate in the server's chain has expired.", more);
  if (code === 'CERT_NOT_YET_VALID')
    return appError('tls.clock', "A certificate in the server's chain is not valid yet; is a clock wrong?", more);
  if (CHAIN_CODES.has(code))
    return appError('tls.chain', "The server's certificate does not lead to an anchor of the site.", more);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return appError('tls.not-spoken', 'The server answers, but not in TLS.', more);
  return appError('tls.protocol', 'The TLS handshake failed.', more);
}

const CHAIN_CODES = new Set([
  'CERT_UNREADABLE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'UNSPECIFIED',
]);
