import type { Entry, PracticeDirectory } from './ldap-directory.ts';
import { RESULT, type LdapResult } from './ldap-messages.ts';

/** What a directory server allows; the practice hospital's faults set these. */
export type DirectoryPolicy = {
  /** Accept a simple bind with a password over a connection without TLS. */
  clearBind: boolean;
  /** Let somebody who is not bound search beyond the rootDSE. */
  anonymousSearch: boolean;
  /** `domainFunctionality` that the rootDSE names. */
  functionalLevel: number;
  /** Milliseconds that the rootDSE's clock is ahead. */
  clockAheadMs: number;
  /** Answer nothing, as a hung server does. */
  silent: boolean;
  /** AD's MaxPageSize and MaxValRange. */
  maxPageSize: number;
  maxValueRange: number;
};

/** Who is bound on a connection. */
export type Bound = { readonly entry: Entry } | undefined;

/** AD's defaults after hardening. */
export function hardenedPolicy(): DirectoryPolicy {
  return {
    clearBind: false,
    anonymousSearch: false,
    functionalLevel: 7,
    clockAheadMs: 0,
    silent: false,
    maxPageSize: 1000,
    maxValueRange: 1500,
  };
}

export const NOT_BOUND: LdapResult = {
  code: RESULT.operationsError,
  message:
    '000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563',
};

/** Refusal of a write, in AD's words. */
export const NO_RIGHT: LdapResult = {
  code: RESULT.insufficientAccessRights,
  message: '00002098: SecErr: DSID-03150E49, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0',
};

function refused(data: string): LdapResult {
  return {
    code: RESULT.invalidCredentials,
    message: `80090308: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data ${data}, v4563`,
  };
}

/**
 * A simple bind: an entry, nobody (anonymous), or AD's refusal with its sub-code (52e wrong password, 525 no such user,
 * 533 disabled, 701 account expired, 773 must change, 775 locked).
 */
export function simpleBind(
  directory: PracticeDirectory,
  policy: DirectoryPolicy,
  name: string,
  password: string,
  encrypted: boolean,
): { result: LdapResult; bound: Bound } {
  if (name === '' && password === '') return { result: { code: RESULT.success }, bound: undefined };
  if (!encrypted && !policy.clearBind) {
    const message =
      '00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v4563';
    return { result: { code: RESULT.strongerAuthRequired, message }, bound: undefined };
  }
  const entry = directory.findByName(name);
  if (entry === undefined) return { result: refused('525'), bound: undefined };
  // An empty password with a name would be an unauthenticated bind (RFC 4513 5.1.2): a success that proves nothing.
  if (password === '' || directory.password(entry.dn) !== password) return { result: refused('52e'), bound: undefined };
  const control = Number(directory.first(entry, 'userAccountControl') ?? '0');
  if ((control & 2) !== 0) return { result: refused('533'), bound: undefined };
  if (BigInt(directory.first(entry, 'lockoutTime') ?? '0') > 0n) return { result: refused('775'), bound: undefined };
  if (isPast(directory, directory.first(entry, 'accountExpires'))) return { result: refused('701'), bound: undefined };
  if (directory.first(entry, 'pwdLastSet') === '0') return { result: refused('773'), bound: undefined };
  return { result: { code: RESULT.success }, bound: { entry } };
}

function isPast(directory: PracticeDirectory, expires: string | undefined): boolean {
  if (expires === undefined || expires === '0' || expires === '9223372036854775807') return false;
  return BigInt(expires) / 10_000n - 11_644_473_600_000n < BigInt(directory.now().getTime());
}

/** Whether the bound account is a directory administrator. */
export function mayWrite(directory: PracticeDirectory, bound: Bound): boolean {
  if (bound === undefined) return false;
  const groups = directory.groupsOf(bound.entry);
  return ['Domain Admins', 'Administrators'].some((name) =>
    [...groups].some((key) => key.startsWith(`cn=${name.toLowerCase()},`)),
  );
}
