import { connect, type Socket } from 'node:net';
import { startPeer } from './daemon.ts';

/** What of a ClientHello a box on the way could look at. */
export type SeenHello = {
  /** Highest version that it offers. */
  readonly version: number;
  readonly suites: readonly number[];
};

/** A signal among the suites (RFC 5746 section 3.3). */
const RENEGOTIATION_INFO = 0x00ff;

/** What becomes of one connection: it is passed on, ended, answered with bytes, or passed on with another form of each answer. */
export type Treatment = 'pass' | 'close' | 'reset' | Buffer | ((answer: Buffer) => Buffer);

/** A fatal alert, or a warning, in a record of its own. */
export const alertRecord = (description: number, level: 1 | 2 = 2): Buffer =>
  Buffer.from([21, 3, 3, 0, 2, level, description]);

/**
 * Stands before a real TLS server, looks at the first record of each connection and decides what becomes of it.
 * @param decide `count` starts at 1
 */
export async function startTlsRelay(
  port: number,
  decide: (hello: SeenHello, count: number) => Treatment,
): Promise<{ port: number; stop: () => Promise<void> }> {
  let count = 0;
  return startPeer((socket) => {
    count += 1;
    const mine = count;
    let buffered: Buffer = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      buffered = Buffer.concat([buffered, chunk]);
      if (buffered.length < 5 || buffered.length < 5 + buffered.readUInt16BE(3)) return;
      socket.off('data', read);
      treat(socket, port, buffered, decide(readHello(buffered), mine));
    };
    socket.on('data', read);
  });
}

function treat(socket: Socket, port: number, first: Buffer, treatment: Treatment): void {
  if (treatment === 'reset') return void socket.resetAndDestroy();
  if (treatment === 'close') return void socket.end();
  if (Buffer.isBuffer(treatment)) return void socket.end(treatment);
  const onward = connect({ host: '127.0.0.1', port });
  onward.on('error', () => socket.destroy());
  onward.write(first);
  socket.pipe(onward);
  if (treatment === 'pass') return void onward.pipe(socket);
  onward.on('data', (chunk: Buffer) => void socket.write(treatment(chunk)));
  onward.on('end', () => socket.end());
}

function readHello(record: Buffer): SeenHello {
  const suitesAt = 44 + record.readUInt8(43);
  const suites = Array.from({ length: record.readUInt16BE(suitesAt) / 2 }, (_, index) =>
    record.readUInt16BE(suitesAt + 2 + index * 2),
  ).filter((suite) => suite !== RENEGOTIATION_INFO);
  // The legacy version stays at 1.2, and the suites tell 1.3.
  const tls13 = suites.some((suite) => suite >> 8 === 0x13);
  return { version: tls13 ? 0x0304 : record.readUInt16BE(9), suites };
}

/** Cuts every handshake record into records of one byte, as a server may (RFC 8446 section 5.1). */
export function oneByteRecords(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let offset = 0; offset + 5 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset + 3);
    const record = bytes.subarray(offset, offset + 5 + length);
    if (record[0] === 22) for (const byte of record.subarray(5)) parts.push(Buffer.from([22, 3, 3, 0, 1, byte]));
    else parts.push(record);
    offset += 5 + length;
  }
  return Buffer.concat(parts);
}
