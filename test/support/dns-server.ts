import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** What the server knows: by lower-case name. */
export type Zone = {
  readonly services?: Readonly<Record<string, readonly { host: string; port: number; priority?: number }[]>>;
  readonly addresses?: Readonly<Record<string, string>>;
};

export type DnsServer = {
  /** `127.0.0.1:port`, as a site's `dns.nameServers` takes it. */
  readonly at: string;
  /** Names asked for so far, with the number of the record type. */
  readonly questions: () => readonly string[];
  readonly close: () => Promise<void>;
};

const TYPE = { address: 1, service: 33 } as const;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

/**
 * A name server on loopback (RFC 1035) that answers SRV (RFC 2782) and A from a table, everything else with no such name.
 * @param mood how it takes questions: answers them, fails, or says nothing
 */
export async function startDnsServer(zone: Zone, mood: 'well' | 'failing' | 'silent' = 'well'): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${type} ${name}`);
    if (mood === 'silent') return;
    const records = mood === 'failing' ? [] : recordsOf(zone, name, type);
    const known = Object.hasOwn(zone.services ?? {}, name) || Object.hasOwn(zone.addresses ?? {}, name);
    const code = mood === 'failing' ? SERVER_FAILURE : known ? 0 : NAME_ERROR;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8580 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const answers = records.map((data) => {
      const fixed = Buffer.alloc(12);
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(type, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt32BE(60, 6);
      fixed.writeUInt16BE(data.length, 10);
      return Buffer.concat([fixed, data]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  return {
    at: `127.0.0.1:${port}`,
    questions: () => asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function recordsOf(zone: Zone, name: string, type: number): Buffer[] {
  if (type === TYPE.address) {
    const address = zone.addresses?.[name];
    return address === undefined ? [] : [Buffer.from(address.split('.').map(Number))];
  }
  if (type !== TYPE.service) return [];
  return (zone.services?.[name] ?? []).map(({ host, port, priority = 0 }) => {
    const fixed = Buffer.alloc(6);
    fixed.writeUInt16BE(priority, 0);
    fixed.writeUInt16BE(100, 2);
    fixed.writeUInt16BE(port, 4);
    return Buffer.concat([fixed, writeName(host)]);
  });
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function writeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}
