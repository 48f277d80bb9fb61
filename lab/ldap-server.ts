import type { Socket } from 'node:net';
import {
  at,
  BerError,
  type Element,
  elementLength,
  encodeOctets,
  readElements,
  readInteger,
  readText,
  TAG,
} from './ber.ts';
import { openDoor, type Door } from './door.ts';
import type { PracticeDirectory } from './ldap-directory.ts';
import {
  CONTROL,
  EXTENSION,
  type LdapResult,
  type Message,
  OPERATION,
  readMessage,
  RESULT,
  resultParts,
  writeMessage,
} from './ldap-messages.ts';
import { type Bound, type DirectoryPolicy, mayWrite, NO_RIGHT, NOT_BOUND, simpleBind } from './ldap-policy.ts';
import { type Cursors, search } from './ldap-search.ts';
import { add, modify, remove } from './ldap-write.ts';
import { type TlsFace, tlsOptions, tlsWrapper } from './tls-settings.ts';

const MAX_MESSAGE = 1024 * 1024;
const IDLE_MS = 120_000;
const KNOWN_CONTROLS: readonly string[] = Object.values(CONTROL);

/** One domain controller: an LDAP port with StartTLS and an LDAPS port on the same directory. */
export type LdapServer = {
  readonly ldap: Door;
  readonly ldaps: Door;
  readonly setOpen: (open: boolean) => Promise<void>;
};

type Connection = {
  socket: Socket;
  encrypted: boolean;
  bound: Bound;
  readonly cursors: Cursors;
};

/** Starts a controller. `face` and `policy` are asked at every connection, so that faults take effect at once. */
export async function startLdapServer(options: {
  directory: PracticeDirectory;
  policy: DirectoryPolicy;
  face: () => TlsFace;
  hostName: string;
}): Promise<LdapServer> {
  const ldap = await openDoor((socket) => serve(socket, false, options));
  const ldaps = await openDoor((socket) => {
    if (options.policy.silent) return;
    tlsWrapper(tlsOptions(options.face()), (secure) => serve(secure, true, options)).emit('connection', socket);
  });
  return {
    ldap,
    ldaps,
    setOpen: async (open) => {
      await ldap.setOpen(open);
      await ldaps.setOpen(open);
    },
  };
}

type Options = Parameters<typeof startLdapServer>[0];

function serve(socket: Socket, encrypted: boolean, options: Options): void {
  if (options.policy.silent) return;
  const connection: Connection = { socket, encrypted, bound: undefined, cursors: new Map() };
  let buffer: Buffer = Buffer.alloc(0);
  const receive = (chunk: Buffer): void => {
    buffer = Buffer.concat([buffer, chunk]);
    try {
      if (buffer.length > 0 && buffer[0] !== TAG.sequence) throw new BerError('not LDAP');
      for (
        let total = elementLength(buffer, MAX_MESSAGE);
        total !== undefined && total <= buffer.length;
        total = elementLength(buffer, MAX_MESSAGE)
      ) {
        const message = readMessage(buffer.subarray(0, total));
        buffer = buffer.subarray(total);
        if (isStartTls(message) && !connection.encrypted) {
          socket.off('data', receive);
          startTls(connection, message, options);
          return;
        }
        handle(connection, message, options);
      }
    } catch (error) {
      if (!(error instanceof BerError)) throw error;
      // Notice of disconnection (RFC 4511 4.4.1).
      socket.end(
        writeMessage(0, OPERATION.extendedResponse, [
          ...resultParts({ code: RESULT.protocolError, message: error.message }),
          encodeOctets('1.3.6.1.4.1.1466.20036', 0x8a),
        ]),
      );
    }
  };
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', receive);
}

function isStartTls(message: Message): boolean {
  return message.operation.tag === OPERATION.extended && requestName(message.operation) === EXTENSION.startTls;
}

function requestName(operation: Element): string {
  return readText(at(readElements(operation.content), 0, 0x80));
}

function startTls(connection: Connection, message: Message, options: Options): void {
  const { socket } = connection;
  socket.removeAllListeners('timeout');
  socket.write(
    writeMessage(message.id, OPERATION.extendedResponse, [
      ...resultParts({ code: RESULT.success }),
      encodeOctets(EXTENSION.startTls, 0x8a),
    ]),
  );
  // In the same turn, so that the client's first TLS record is not read by anybody else.
  tlsWrapper(tlsOptions(options.face()), (secure) => serve(secure, true, options)).emit('connection', socket);
}

function handle(connection: Connection, message: Message, options: Options): void {
  const { socket } = connection;
  const { operation, id } = message;
  const answer = (tag: number, result: LdapResult, more: readonly Buffer[] = []): void => {
    socket.write(writeMessage(id, tag, [...resultParts(result), ...more]));
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
      socket.end();
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
      for (const entry of found.messages) socket.write(entry);
      socket.write(writeMessage(id, OPERATION.searchDone, resultParts(found.result), found.controls));
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

function bind(connection: Connection, operation: Element, options: Options): LdapResult {
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

function written(connection: Connection, options: Options, work: () => LdapResult): LdapResult {
  if (connection.bound === undefined) return NOT_BOUND;
  return mayWrite(options.directory, connection.bound) ? work() : NO_RIGHT;
}

function compare(connection: Connection, options: Options, operation: Element): LdapResult {
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
  options: Options,
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
