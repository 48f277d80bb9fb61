import {
  at,
  type Element,
  encode,
  encodeInteger,
  encodeOctets,
  readElements,
  readInteger,
  readText,
  TAG,
} from './ber.ts';

/** Result codes (RFC 4511 appendix A) that the practice directory uses. */
export const RESULT = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  sizeLimitExceeded: 4,
  compareFalse: 5,
  compareTrue: 6,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  unavailableCriticalExtension: 12,
  noSuchAttribute: 16,
  constraintViolation: 19,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  insufficientAccessRights: 50,
  unavailable: 52,
  unwillingToPerform: 53,
  namingViolation: 64,
  objectClassViolation: 65,
  notAllowedOnNonLeaf: 66,
  entryAlreadyExists: 68,
} as const;

export const CONTROL = {
  paged: '1.2.840.113556.1.4.319',
  sdFlags: '1.2.840.113556.1.4.801',
  extendedDn: '1.2.840.113556.1.4.529',
  domainScope: '1.2.840.113556.1.4.1339',
} as const;

export const EXTENSION = { startTls: '1.3.6.1.4.1.1466.20037', whoAmI: '1.3.6.1.4.1.4203.1.11.3' } as const;

/** Tags of the operations; a response's is its request's plus one where both exist. */
export const OPERATION = {
  bind: 0x60,
  bindResponse: 0x61,
  unbind: 0x42,
  search: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  modify: 0x66,
  modifyResponse: 0x67,
  add: 0x68,
  addResponse: 0x69,
  delete: 0x4a,
  deleteResponse: 0x6b,
  modifyDn: 0x6c,
  modifyDnResponse: 0x6d,
  compare: 0x6e,
  compareResponse: 0x6f,
  abandon: 0x50,
  extended: 0x77,
  extendedResponse: 0x78,
} as const;

export type Control = { readonly oid: string; readonly critical: boolean; readonly value: Buffer | undefined };
export type Message = { readonly id: number; readonly operation: Element; readonly controls: readonly Control[] };

/** A result with AD's diagnostic text. */
export type LdapResult = { readonly code: number; readonly message?: string; readonly matched?: string };

/** Reads one LDAPMessage; throws BerError. */
export function readMessage(bytes: Buffer): Message {
  const parts = readElements(at(readElements(bytes), 0, TAG.sequence).content);
  const controls = parts.find((part) => part.tag === 0xa0);
  return {
    id: readInteger(at(parts, 0, TAG.integer)),
    operation: at(parts, 1),
    controls: controls === undefined ? [] : readElements(controls.content).map(readControl),
  };
}

function readControl(element: Element): Control {
  const parts = readElements(element.content);
  return {
    oid: readText(at(parts, 0, TAG.octets)),
    critical: parts.some((part) => part.tag === TAG.boolean && part.content[0] !== 0),
    value: parts.slice(1).find((part) => part.tag === TAG.octets)?.content,
  };
}

/** Encodes an LDAPMessage around an operation's body. */
export function writeMessage(
  id: number,
  tag: number,
  parts: readonly Buffer[],
  controls: readonly Control[] = [],
): Buffer {
  const trailer =
    controls.length === 0
      ? []
      : [
          encode(
            0xa0,
            ...controls.map((control) =>
              encode(
                TAG.sequence,
                encodeOctets(control.oid),
                ...(control.value === undefined ? [] : [encodeOctets(control.value)]),
              ),
            ),
          ),
        ];
  return encode(
    TAG.sequence,
    encodeInteger(id),
    encode(tag, ...(parts.length === 0 ? [Buffer.alloc(0)] : parts)),
    ...trailer,
  );
}

/** The fields of an LDAPResult. */
export function resultParts(result: LdapResult): Buffer[] {
  return [
    encodeInteger(result.code, TAG.enumerated),
    encodeOctets(result.matched ?? ''),
    encodeOctets(result.message ?? ''),
  ];
}

/** One PartialAttribute. */
export function attributeParts(name: string, values: readonly (string | Buffer)[]): Buffer {
  return encode(
    TAG.sequence,
    encodeOctets(name),
    encode(TAG.set, ...(values.length === 0 ? [Buffer.alloc(0)] : values.map((value) => encodeOctets(value)))),
  );
}
