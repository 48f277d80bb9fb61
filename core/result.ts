/** Who is able to put an error right. Shown beside every error. */
export type FixBy = 'operator' | 'hospital' | 'manufacturer' | 'lockstep';

/**
 * Every error code with the party who can usually fix it. A code names the stage that failed, so that DNS,
 * TCP, TLS chain, name, clock and LDAP result are never mixed up.
 */
export const ERROR_CODES = {
  'input.malformed': 'operator',
  'input.too-large': 'operator',
  'input.not-found': 'operator',
  'guide.invalid': 'manufacturer',
  'guide.untrusted': 'operator',
  'guide.out-of-range': 'operator',
  'site.invalid': 'operator',
  'expression.absent': 'operator',
  'expression.not-applicable': 'operator',
  'expression.type': 'manufacturer',
  'expression.invalid': 'manufacturer',
  'dns.not-found': 'hospital',
  'dns.failed': 'hospital',
  'tcp.refused': 'hospital',
  'tcp.unreachable': 'hospital',
  'tcp.timeout': 'hospital',
  'tcp.reset': 'hospital',
  'tls.not-spoken': 'hospital',
  'tls.chain': 'hospital',
  'tls.name': 'hospital',
  'tls.expired': 'hospital',
  'tls.clock': 'operator',
  'tls.alert': 'hospital',
  'tls.protocol': 'hospital',
  'ldap.result': 'hospital',
  'ldap.credentials': 'operator',
  'ldap.no-right': 'hospital',
  'ldap.protocol': 'hospital',
  'http.protocol': 'hospital',
  'dicom.protocol': 'hospital',
  'ntp.protocol': 'hospital',
  'ssh.host-key': 'operator',
  'ssh.credentials': 'operator',
  'ssh.protocol': 'hospital',
  'probe.deadline': 'hospital',
  'probe.cancelled': 'operator',
  'probe.inconclusive': 'operator',
  'probe.budget': 'manufacturer',
  'probe.fault': 'lockstep',
  'device.no-heartbeat': 'hospital',
  'secret.missing': 'operator',
  'secret.expired': 'operator',
  'change.refused': 'operator',
  'change.state-differs': 'operator',
  'change.failed': 'hospital',
  'identity.invalid': 'operator',
  'identity.passphrase': 'operator',
  'journal.broken': 'operator',
  'journal.later-version': 'operator',
  'journal.locked': 'operator',
  'journal.write': 'operator',
  'bundle.malformed': 'operator',
  'bundle.too-large': 'operator',
  'bundle.not-sound': 'operator',
  'session.not-found': 'operator',
  'session.state': 'operator',
  'ipc.invalid': 'lockstep',
  internal: 'lockstep',
} as const satisfies Record<string, FixBy>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An expected failure as a value. `message` is a whole sentence for the person; `place` says where (file:line:column,
 * host:port, DN); `cause` carries the lower layer's own words. Plain JSON, so it crosses IPC unchanged.
 */
export type AppError = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fixBy: FixBy;
  readonly place?: string;
  readonly cause?: string;
};

export type Result<T, E = AppError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** Wraps a value as success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/**
 * Makes a failure. `fixBy` defaults to the code's usual owner.
 */
export function fail(
  code: ErrorCode,
  message: string,
  more: { place?: string; cause?: string; fixBy?: FixBy } = {},
): { readonly ok: false; readonly error: AppError } {
  return { ok: false, error: appError(code, message, more) };
}

/** Makes an AppError without the Result around it. */
export function appError(
  code: ErrorCode,
  message: string,
  more: { place?: string; cause?: string; fixBy?: FixBy } = {},
): AppError {
  return {
    code,
    message,
    fixBy: more.fixBy ?? ERROR_CODES[code],
    ...(more.place === undefined ? {} : { place: more.place }),
    ...(more.cause === undefined ? {} : { cause: more.cause }),
  };
}

/** One line for a terminal or a log: message, place, cause and who can fix it. */
export function describeError(error: AppError): string {
  const place = error.place === undefined ? '' : ` (${error.place})`;
  const cause = error.cause === undefined ? '' : `: ${error.cause}`;
  return `${error.message}${place}${cause} [${error.code}, fix: ${error.fixBy}]`;
}
