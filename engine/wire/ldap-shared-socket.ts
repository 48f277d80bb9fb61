import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { messageId, messageLength } from './ldap-reader.ts';

/** Ids from here on are ours; ldapts counts its own up from 1. */
const OWN_IDS = 0x4000_0000;

/** One connection, on which ldapts writes and signs on, and searches go by themselves. */
export type SharedSocket = {
  /** What ldapts is given for a connection. */
  readonly forClient: Duplex;
  /** Sends a request under an id of its own, and hands over every message that comes back until `forget`. */
  readonly ask: (
    request: (id: number) => Buffer,
    take: (message: Buffer) => void,
  ) => { readonly forget: () => void; readonly id: number };
};

/**
 * Shares a connection that is open. Searches bring tens of thousands of entries, and ldapts makes several objects of every
 * value of each: they are kept from it.
 * @param onNonsense is told when something else than LDAP came
 */
export function shareSocket(socket: Socket, onNonsense: (cause: Error) => void): SharedSocket {
  const takers = new Map<number, (message: Buffer) => void>();
  let lastId = OWN_IDS;
  const forClient = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => {
      socket.end();
      done();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  // ldapts asks for these to see that it need not wait for the connection.
  Object.assign(forClient, { connecting: false, readyState: 'open' });
  forClient.on('error', () => {});
  const pass = (message: Buffer) => {
    const id = messageId(message);
    if (id < OWN_IDS) forClient.push(Buffer.from(message));
    else takers.get(id)?.(message);
  };
  const frames = framer(pass);
  socket.on('data', (chunk) => {
    try {
      frames(chunk);
    } catch (error) {
      onNonsense(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('end', () => forClient.push(null));
  socket.on('close', () => forClient.destroy());
  return {
    forClient,
    ask(request, take) {
      // Its end was told already, and nobody would be told again.
      if (!socket.writable) throw new Error('the connection was closed');
      lastId += 1;
      const id = lastId;
      takers.set(id, take);
      socket.write(request(id));
      return { id, forget: () => takers.delete(id) };
    },
  };
}

/** Cuts a stream of bytes into messages. */
function framer(pass: (message: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 0;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    // A long message comes in thousands of pieces: they are put together once, when it is whole.
    if (size < wanted) return;
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, size);
    let at = 0;
    let length = messageLength(bytes, at);
    while (length !== undefined && at + length <= bytes.length) {
      pass(bytes.subarray(at, at + length));
      at += length;
      length = messageLength(bytes, at);
    }
    const rest = bytes.subarray(at);
    chunks = rest.length === 0 ? [] : [rest];
    size = rest.length;
    wanted = length ?? 0;
  };
}
