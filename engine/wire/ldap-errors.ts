import { appError, type AppError } from '../../core/result.ts';

/** Names of LDAP results (RFC 4511, appendix A) that a directory answers in practice. */
const RESULT_NAMES: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  19: 'constraintViolation',
  20: 'attributeOrValueExists',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  64: 'namingViolation',
  65: 'objectClassViolation',
  66: 'notAllowedOnNonLeaf',
  68: 'entryAlreadyExists',
};

/** Sub-codes that Active Directory puts into the diagnostic message of result 49, as `data 52e`. */
const LOGON_REASONS: Readonly<Record<string, string>> = {
  '525': 'there is no such user',
  '52e': 'user or password is wrong',
  '530': 'the account may not log on at this hour',
  '531': 'the account may not log on from this workstation',
  '532': 'the password has expired',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password must be changed at the next logon',
  '775': 'the account is locked out',
};

const WRONG = ['52e', '525'];

/** An LDAP result other than success, with the server's own words. */
export type LdapResult = { readonly code: number; readonly diagnostic: string };

/** `operationsError (1)`, for people. */
export function resultName(code: number): string {
  return `${RESULT_NAMES[code] ?? 'result'} (${code})`;
}

/** Why a logon was refused: the sub-code, and what it means in words. */
export type LogonRefusal = { readonly code: string; readonly reason: string };

/** What a sub-code of result 49 says; undefined where the directory gave none that is known. */
export function logonRefusal(diagnostic: string): LogonRefusal | undefined {
  const code = /\bdata ([0-9a-f]{3})\b/i.exec(diagnostic)?.[1]?.toLowerCase() ?? '';
  const reason = LOGON_REASONS[code];
  return reason === undefined ? undefined : { code, reason };
}

/** Whether a refused logon says no more than that this user and password do not belong together. */
export function isWrongPassword(error: AppError): boolean {
  const refusal = logonRefusal(error.cause ?? '');
  return refusal === undefined || WRONG.includes(refusal.code);
}

/**
 * Turns an LDAP result into an error.
 * @param doing what was attempted, as the start of a sentence ("Reading CN=x")
 * @param place host:port
 */
export function resultError(result: LdapResult, doing: string, place: string): AppError {
  const cause = result.diagnostic.replace(/[\0\s]+/g, ' ').trim();
  const more = { place, ...(cause === '' ? {} : { cause }) };
  if (result.code === 49) {
    const reason = logonRefusal(cause)?.reason;
    const text = `The directory refused the logon: ${reason ?? 'user or password is wrong'}.`;
    const fixBy = reason === undefined || reason === LOGON_REASONS['52e'] ? 'operator' : 'hospital';
    return appError('ldap.credentials', text, { ...more, fixBy });
  }
  if (result.code === 50) return appError('ldap.no-right', `${doing} is not permitted to this account.`, more);
  return appError('ldap.result', `${doing} was answered with ${resultName(result.code)}.`, more);
}
