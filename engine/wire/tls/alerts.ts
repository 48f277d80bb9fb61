/** Alert descriptions (RFC 8446 section 6, RFC 5246 section 7.2, RFC 6101). */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** The name of an alert, or its number in words. */
export function alertName(description: number): string {
  return ALERTS[description] ?? `alert_${description}`;
}

/** Alerts by which a server says that it will not have this version or these suites. Others may have another cause. */
export const PARAMETER_REFUSALS: ReadonlySet<string> = new Set([
  'handshake_failure',
  'protocol_version',
  'insufficient_security',
  'illegal_parameter',
  'inappropriate_fallback',
  'missing_extension',
  'export_restriction',
]);

/** Alerts by which an end says that it will not have this certificate, or wants one. */
export const CERTIFICATE_REFUSALS: ReadonlySet<string> = new Set([
  'no_certificate',
  'bad_certificate',
  'unsupported_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_unknown',
  'unknown_ca',
  'access_denied',
  'decrypt_error',
  'certificate_required',
]);

/** The alert that an error of Node's TLS carries, under OpenSSL and BoringSSL alike; undefined when the error is none. */
export function alertOf(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  const { code = '', reason = '' } = error as { code?: string; reason?: string };
  const text = `${code} ${reason} ${error.message}`.toLowerCase().replaceAll(' ', '_');
  const number = /alert_number_(\d+)/.exec(text)?.[1];
  if (number !== undefined) return alertName(Number(number));
  if (!text.includes('alert')) return undefined;
  return Object.values(ALERTS).find((name) => text.includes(`alert_${name}`));
}
