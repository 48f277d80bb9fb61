import { at, type Element, encodeOctets, readElements, readInteger, readText, TAG } from './ber.ts';
import type { PracticeDirectory } from './ldap-directory.ts';
import {
  CONTROL,
  EXTENSION,
  type LdapResult,
  type Message,
  OPERATION,
  RESULT,
  resultParts,
  writeMessage,
} from './ldap-messages.ts';
import { type Bound, type DirectoryPolicy, mayWrite, NO_RIGHT, NOT_BOUND, simpleBind } from './ldap-policy.ts';
import { type Cursors, search } from './ldap-search.ts';
import { add, modify, remove } from './ldap-write.ts';

const KNOWN_CONTROLS: readonly string[] = Object.values(CONTROL);

/** One client: how it came, and as whom it is bound. */
export type Connection = {
  readonly write: (bytes: Buffer) => void;
  readonly end: () => void;
  readonly encrypted: boolean;
  bound: Bound;
  readonly cursors: Cursors;
};

/** What one controller answers from. */
export type Answering = {
  readonly directory: PracticeDirectory;
  readonly policy: DirectoryPolicy;
  readonly hostName: string;
};

/** The name of an extended request (RFC 4511 4.12). */
export function requestName(operation: Element): string {
  return readText(at(readElements(operation.content), 0, 0x80));
}

/** Does what one message asks for, and answers it. */
export function handle(connection: Connection, message: Message, options: Answering): void {
  const { operation, id } = message;
  const answer = (tag: number, result: LdapResult, more: readonly Buffer[] = []): void => {
    connection.write(writeMessage(id, tag, [...resultParts(result), ...more]));
  };
  const unknown = message.controls.find((control) => control.critical && !KNOWN_CONTROLS.includes(control.oid));
  if (unknown !== undefined && operation.tag !== OPERATION.unbind && operation.tag !== OPERATION.abandon) {
    const message = `00002040: SvcErr: DSID-031401E6, problem 5010 (UNAVAIL_EXTENSION), data 0, control ${unknown.oid}`;
    answer(operation.tag === OPERATION.search ? OPERATION.searchDone : responseTag(operation.tag), {
      code: RESULT.unavailableCriticalExtension,
      message,
    });
    return;
  }
  switch (operation.tag) {
    case OPERATION.unbind:
      connection.end();
      return;
    case OPERATION.abandon:
      return;
    case OPERATION.bind:
      answer(OPERATION.bindResponse, bind(connection, operation, options));
      return;
    case OPERATION.search: {
      const found = search(
        {
          directory: options.directory,
          policy: options.policy,
          bound: connection.bound,
          hostName: options.hostName,
          cursors: connection.cursors,
        },
        id,
        operation,
        message.controls,
      );
      for (const entry of found.messages) connection.write(entry);
      connection.write(writeMessage(id, OPERATION.searchDone, resultParts(found.result), found.controls));
      return;
    }
    case OPERATION.add:
      answer(
        OPERATION.addResponse,
        written(connection, options, () => add(options.directory, operation)),
      );
      return;
    case OPERATION.modify:
      answer(
        OPERATION.modifyResponse,
        written(connection, options, () => modify(options.directory, operation, message.controls)),
      );
      return;
    case OPERATION.delete:
      answer(
        OPERATION.deleteResponse,
        written(connection, options, () => remove(options.directory, operation)),
      );
      return;
    case OPERATION.compare:
      answer(OPERATION.compareResponse, compare(connection, options, operation));
      return;
    case OPERATION.extended:
      extended(connection, operation, answer, options);
      return;
    default:
      answer(responseTag(operation.tag), {
        code: RESULT.unwillingToPerform,
        message: 'the practice directory does not do this',
      });
  }
}

function responseTag(tag: number): number {
  return tag === OPERATION.delete ? OPERATION.deleteResponse : tag + 1;
}

function bind(connection: Connection, operation: Element, options: Answering): LdapResult {
  connection.bound = undefined;
  const parts = readElements(operation.content);
  if (readInteger(at(parts, 0, TAG.integer)) !== 3)
    return { code: RESULT.protocolError, message: 'only LDAP version 3' };
  const credentials = at(parts, 2);
  if (credentials.tag !== 0x80)
    return {
      code: RESULT.authMethodNotSupported,
      message: '00002027: LdapErr: DSID-0C090584, comment: Invalid Authentication method, data 0, v4563',
    };
  const { result, bound } = simpleBind(
    options.directory,
    options.policy,
    readText(at(parts, 1, TAG.octets)),
    credentials.content.toString('utf8'),
    connection.encrypted,
  );
  connection.bound = bound;
  return result;
}

function written(connection: Connection, options: Answering, work: () => LdapResult): LdapResult {
  if (connection.bound === undefined) return NOT_BOUND;
  return mayWrite(options.directory, connection.bound) ? work() : NO_RIGHT;
}

function compare(connection: Connection, options: Answering, operation: Element): LdapResult {
  if (connection.bound === undefined) return NOT_BOUND;
  const parts = readElements(operation.content);
  const assertion = readElements(at(parts, 1, TAG.sequence).content);
  const entry = options.directory.get(readText(at(parts, 0, TAG.octets)));
  if (entry === undefined) return { code: RESULT.noSuchObject };
  const wanted = readText(at(assertion, 1)).toLowerCase();
  const values = options.directory.values(entry, readText(at(assertion, 0)));
  return {
    code: values.some((value) => value.toString().toLowerCase() === wanted) ? RESULT.compareTrue : RESULT.compareFalse,
  };
}

function extended(
  connection: Connection,
  operation: Element,
  answer: (tag: number, result: LdapResult, more?: readonly Buffer[]) => void,
  options: Answering,
): void {
  const name = requestName(operation);
  if (name === EXTENSION.whoAmI) {
    const account =
      connection.bound === undefined
        ? ''
        : `u:HOSPITAL\\${options.directory.first(connection.bound.entry, 'sAMAccountName') ?? ''}`;
    answer(OPERATION.extendedResponse, { code: RESULT.success }, [encodeOctets(account, 0x8b)]);
    return;
  }
  const message =
    name === EXTENSION.startTls
      ? '00000000: LdapErr: TLS is already in place'
      : '0000203D: LdapErr: DSID-0C090C7A, comment: Unknown extended request OID, data 0, v4563';
  answer(OPERATION.extendedResponse, {
    code: name === EXTENSION.startTls ? RESULT.operationsError : RESULT.protocolError,
    message,
  });
}
