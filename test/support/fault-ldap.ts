import net from 'node:net';
import tls from 'node:tls';
import { BerReader, BerWriter } from 'ldapts';
import type { PracticeCa } from '../../engine/keys/practice-ca.ts';

export type FaultSearch = {
  readonly base: string;
  readonly scope: number;
  /** The filter as it came, in BER: names and values in it can be looked for. */
  readonly filter: string;
  readonly attributes: readonly string[];
  /** Present when the client asked for pages; empty on the first. */
  readonly cookie?: string;
};

type FaultEntry = {
  readonly dn: string | Buffer;
  readonly attributes: Readonly<Record<string, readonly (string | Buffer)[]>>;
};
export type FaultAnswer =
  | {
      readonly entries?: readonly FaultEntry[];
      /** URLs of other servers, sent after the entries (RFC 4511, 4.5.3). */
      readonly references?: readonly string[];
      /** The connection breaks after the entries, before the result. */
      readonly dies?: true;
      readonly code?: number;
      readonly cookie?: string;
    }
  | 'hang'
  | 'close'
  | 'garbage';

export type FaultLdap = {
  readonly address: string;
  readonly port: number;
  readonly caPem: string;
  readonly host: string;
  /** Searches in order of arrival, to assert what was asked. */
  readonly searches: readonly FaultSearch[];
  readonly close: () => Promise<void>;
};

const PAGED = '1.2.840.113556.1.4.319';

/** An LDAPS server whose every search is answered by `answer`: for what a well-behaved directory never does. Binds succeed. */
export async function startFaultLdap(ca: PracticeCa, answer: (search: FaultSearch) => FaultAnswer): Promise<FaultLdap> {
  const host = 'fault.hospital.test';
  const leaf = await ca.issue({ commonName: host, sans: [host], usage: 'server' });
  const sockets = new Set<net.Socket>();
  const searches: FaultSearch[] = [];
  const server = tls.createServer({ cert: leaf.chainPem, key: leaf.keyPem }, (socket) => {
    let read = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      for (let length = messageLength(read); length !== undefined; length = messageLength(read)) {
        const message = read.subarray(0, length);
        read = read.subarray(length);
        reply(socket, message, searches, answer);
      }
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: '127.0.0.1',
    port: (server.address() as net.AddressInfo).port,
    caPem: ca.roots.hospital,
    host,
    searches,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function messageLength(bytes: Buffer): number | undefined {
  const reader = new BerReader(bytes);
  if (reader.readSequence() === null || reader.remain < reader.length) return undefined;
  return reader.offset + reader.length;
}

function reply(
  socket: net.Socket,
  message: Buffer,
  searches: FaultSearch[],
  answer: (search: FaultSearch) => FaultAnswer,
): void {
  const reader = new BerReader(message);
  reader.readSequence();
  const id = reader.readInt() ?? 0;
  const operation = reader.readSequence();
  if (operation === 0x60) return void socket.write(result(id, 0x61, 0));
  if (operation !== 0x63) return;
  const search = readSearch(reader);
  searches.push(search);
  const said = answer(search);
  if (said === 'hang') return;
  if (said === 'close') return void socket.destroy();
  if (said === 'garbage') return void socket.write(Buffer.from('this is not LDAP at all'));
  for (const entry of said.entries ?? []) socket.write(entryMessage(id, entry));
  for (const url of said.references ?? []) socket.write(referenceMessage(id, url));
  if (said.dies === true) return void socket.end();
  socket.write(result(id, 0x65, said.code ?? 0, said.cookie));
}

function readSearch(reader: BerReader): FaultSearch {
  const end = reader.offset + reader.length;
  const base = reader.readString() ?? '';
  const scope = reader.readEnumeration() ?? 0;
  reader.readEnumeration();
  reader.readInt();
  reader.readInt();
  reader.readBoolean();
  reader.readSequence();
  const filter = reader.buffer.toString('utf8', reader.offset, reader.offset + reader.length);
  reader.offset += reader.length;
  reader.readSequence();
  const attributes: string[] = [];
  while (reader.offset < end) attributes.push(reader.readString() ?? '');
  const controls = reader.buffer.subarray(end);
  const at = controls.indexOf(PAGED);
  if (at < 0) return { base, scope, filter, attributes };
  const value = new BerReader(controls.subarray(at + PAGED.length));
  if (value.peek() === 0x01) value.readBoolean();
  const page = new BerReader(value.readString(0x04, true) ?? Buffer.alloc(0));
  page.readSequence();
  page.readInt();
  return { base, scope, filter, attributes, cookie: page.readString() ?? '' };
}

function envelope(id: number, write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  write(writer);
  writer.endSequence();
  return writer.buffer;
}

function result(id: number, tag: number, code: number, cookie?: string): Buffer {
  return envelope(id, (writer) => {
    writer.startSequence(tag);
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString('');
    writer.endSequence();
    if (cookie === undefined) return;
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(0);
    value.writeString(cookie);
    value.endSequence();
    writer.startSequence(0xa0);
    writer.startSequence();
    writer.writeString(PAGED);
    writer.writeBuffer(value.buffer, 0x04);
    writer.endSequence();
    writer.endSequence();
  });
}

function referenceMessage(id: number, url: string): Buffer {
  return envelope(id, (writer) => {
    writer.startSequence(0x73);
    writer.writeString(url);
    writer.endSequence();
  });
}

function entryMessage(id: number, entry: FaultEntry): Buffer {
  return envelope(id, (writer) => {
    writer.startSequence(0x64);
    writer.writeBuffer(Buffer.from(entry.dn as string), 0x04);
    writer.startSequence();
    for (const [name, values] of Object.entries(entry.attributes)) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      for (const value of values) writer.writeBuffer(Buffer.from(value), 0x04);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  });
}
