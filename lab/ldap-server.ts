import type { Socket } from 'node:net';
import { BerError, elementLength, encodeOctets, TAG } from './ber.ts';
import { openDoor, type Door } from './door.ts';
import { EXTENSION, type Message, OPERATION, readMessage, RESULT, resultParts, writeMessage } from './ldap-messages.ts';
import { type Answering, type Connection, handle, requestName } from './ldap-operations.ts';
import { type TlsFace, tlsOptions, tlsWrapper } from './tls-settings.ts';

const MAX_MESSAGE = 1024 * 1024;
const IDLE_MS = 120_000;

/** One domain controller: an LDAP port with StartTLS and an LDAPS port on the same directory. */
export type LdapServer = {
  readonly ldap: Door;
  readonly ldaps: Door;
  readonly setOpen: (open: boolean) => Promise<void>;
};

type Options = Answering & { readonly face: () => TlsFace };

/** Starts a controller. `face` and `policy` are asked at every connection, so that faults take effect at once. */
export async function startLdapServer(options: Options): Promise<LdapServer> {
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

function serve(socket: Socket, encrypted: boolean, options: Options): void {
  if (options.policy.silent) return;
  const connection: Connection = {
    write: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
    encrypted,
    bound: undefined,
    cursors: new Map(),
  };
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
          startTls(socket, message, options);
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

function startTls(socket: Socket, message: Message, options: Options): void {
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
