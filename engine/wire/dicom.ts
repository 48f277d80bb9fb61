/** Own small codec for association, verification and release (DICOM PS3.8 section 9.3, PS3.7 section 9.3.5). */

const VERIFICATION = '1.2.840.10008.1.1';
const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';
const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
/** Under the UUID root (PS3.5 B.2), so that no registration is needed. */
const IMPLEMENTATION_CLASS = '2.25.195870238150134958672340952837465120394';
const IMPLEMENTATION_VERSION = 'LOCKSTEP_1';
const CONTEXT_ID = 1;
const MAX_PDU = 131_072;

export const PDU = {
  associateRequest: 1,
  associateAccept: 2,
  associateReject: 3,
  data: 4,
  releaseRequest: 5,
  releaseResponse: 6,
  abort: 7,
} as const;

export type Pdu = { readonly type: number; readonly body: Buffer; readonly length: number };

/** The first complete PDU in `bytes`; undefined while it is incomplete, `malformed` where this cannot be DICOM. */
export function parsePdu(bytes: Buffer): Pdu | 'malformed' | undefined {
  if (bytes.length > 0 && (bytes.readUInt8(0) < PDU.associateRequest || bytes.readUInt8(0) > PDU.abort))
    return 'malformed';
  if (bytes.length < 6) return undefined;
  const length = bytes.readUInt32BE(2);
  if (length > MAX_PDU) return 'malformed';
  if (bytes.length < 6 + length) return undefined;
  return { type: bytes.readUInt8(0), body: bytes.subarray(6, 6 + length), length: 6 + length };
}

/** A-ASSOCIATE-RQ that proposes verification in implicit little endian. */
export function associateRequest(callingAe: string, calledAe: string): Buffer {
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(16_384);
  return pdu(
    PDU.associateRequest,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      Buffer.from(calledAe.padEnd(16).slice(0, 16), 'latin1'),
      Buffer.from(callingAe.padEnd(16).slice(0, 16), 'latin1'),
      Buffer.alloc(32),
      item(0x10, Buffer.from(APPLICATION_CONTEXT)),
      item(
        0x20,
        Buffer.concat([
          Buffer.from([CONTEXT_ID, 0, 0, 0]),
          item(0x30, Buffer.from(VERIFICATION)),
          item(0x40, Buffer.from(IMPLICIT_LITTLE_ENDIAN)),
        ]),
      ),
      item(
        0x50,
        Buffer.concat([
          item(0x51, maximum),
          item(0x52, Buffer.from(IMPLEMENTATION_CLASS)),
          item(0x55, Buffer.from(IMPLEMENTATION_VERSION)),
        ]),
      ),
    ]),
  );
}

/** Whether verification was accepted, and the server's implementation version name; undefined where it is malformed. */
export function parseAssociateAccept(body: Buffer): { echoAccepted: boolean; implementation?: string } | undefined {
  if (body.length < 68) return undefined;
  const items = parseItems(body.subarray(68));
  if (items === undefined) return undefined;
  const context = items.find(({ type, data }) => type === 0x21 && data[0] === CONTEXT_ID);
  const user = parseItems(items.find(({ type }) => type === 0x50)?.data ?? Buffer.alloc(0));
  const name = user
    ?.find(({ type }) => type === 0x55)
    ?.data.toString('latin1')
    .replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, 16);
  return {
    echoAccepted: context?.data[2] === 0,
    ...(name === undefined || name === '' ? {} : { implementation: name }),
  };
}

const SOURCES: Readonly<Record<number, string>> = {
  1: 'service-user',
  2: 'service-provider (association control)',
  3: 'service-provider (presentation)',
};
const REASONS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  1: {
    1: 'no-reason-given',
    2: 'application-context-name-not-supported',
    3: 'calling-AE-title-not-recognized',
    7: 'called-AE-title-not-recognized',
  },
  2: { 1: 'no-reason-given', 2: 'protocol-version-not-supported' },
  3: { 1: 'temporary-congestion', 2: 'local-limit-exceeded' },
};

/** A-ASSOCIATE-RJ in words (PS3.8 table 9-21); undefined where it is malformed. */
export function parseAssociateReject(
  body: Buffer,
): { result: 'permanent' | 'transient'; source: string; reason: string } | undefined {
  const [, result = 0, source = 0, reason = 0] = body;
  if (body.length !== 4 || (result !== 1 && result !== 2)) return undefined;
  return {
    result: result === 1 ? 'permanent' : 'transient',
    source: SOURCES[source] ?? `source ${source}`,
    reason: REASONS[source]?.[reason] ?? `reason ${reason}`,
  };
}

/** A-ABORT in words (PS3.8 table 9-26). */
export function describeAbort(body: Buffer): string {
  const [, , source = 0, reason = 0] = body;
  if (source !== 2) return 'aborted by the application';
  return `aborted by the provider: ${['reason not specified', 'unrecognized PDU', 'unexpected PDU', '', 'unrecognized PDU parameter', 'unexpected PDU parameter', 'invalid PDU parameter'][reason] ?? `reason ${reason}`}`;
}

/** C-ECHO-RQ with message id 1, in one P-DATA-TF. */
export function echoRequest(): Buffer {
  const command = Buffer.concat([
    element(0x0002, Buffer.from(`${VERIFICATION}\0`)),
    element(0x0100, uint16(0x0030)),
    element(0x0110, uint16(1)),
    element(0x0800, uint16(0x0101)),
  ]);
  const group = Buffer.alloc(4);
  group.writeUInt32LE(command.length);
  const fragment = Buffer.concat([Buffer.from([CONTEXT_ID, 0x03]), element(0x0000, group), command]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(fragment.length);
  return pdu(PDU.data, Buffer.concat([length, fragment]));
}

/** Status of a C-ECHO-RSP in a P-DATA-TF body; undefined where it is none. */
export function parseEchoResponse(body: Buffer): number | undefined {
  if (body.length < 6 || body.readUInt32BE(0) !== body.length - 4 || body[4] !== CONTEXT_ID || body[5] !== 0x03)
    return undefined;
  let offset = 6;
  let response = false;
  let status: number | undefined;
  while (body.length - offset >= 8) {
    const tag = body.readUInt16LE(offset + 2);
    const length = body.readUInt32LE(offset + 4);
    const start = offset + 8;
    if (body.readUInt16LE(offset) !== 0 || start + length > body.length) return undefined;
    if (tag === 0x0100 && length === 2) response = body.readUInt16LE(start) === 0x8030;
    if (tag === 0x0900 && length === 2) status = body.readUInt16LE(start);
    offset = start + length;
  }
  return response ? status : undefined;
}

/** A-RELEASE-RQ. */
export function releaseRequest(): Buffer {
  return pdu(PDU.releaseRequest, Buffer.alloc(4));
}

function pdu(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt8(type, 0);
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function item(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(data.length, 2);
  return Buffer.concat([header, data]);
}

function parseItems(bytes: Buffer): { type: number; data: Buffer }[] | undefined {
  const items: { type: number; data: Buffer }[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes.length - offset < 4) return undefined;
    const length = bytes.readUInt16BE(offset + 2);
    if (bytes.length - offset - 4 < length) return undefined;
    items.push({ type: bytes.readUInt8(offset), data: bytes.subarray(offset + 4, offset + 4 + length) });
    offset += 4 + length;
  }
  return items;
}

function element(tag: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(tag, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
