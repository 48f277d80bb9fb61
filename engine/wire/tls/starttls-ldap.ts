import type { Conversation } from '../tcp.ts';

/** ExtendedRequest for StartTLS, message id 1 (RFC 4511 section 4.14, OID 1.3.6.1.4.1.1466.20037). */
const REQUEST = Buffer.concat([
  Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]),
  Buffer.from('1.3.6.1.4.1.1466.20037'),
]);

export type StartTlsResult =
  | { readonly kind: 'ready' }
  /** The server answered in LDAP that it will not. */
  | { readonly kind: 'refused'; readonly resultCode: number }
  | { readonly kind: 'other'; readonly reason: string };

/** Asks an LDAP server to start TLS on this connection. */
export async function startTlsOverLdap(conversation: Conversation, timeoutMs: number): Promise<StartTlsResult> {
  conversation.send(REQUEST);
  const received = await conversation.receive(parseExtendedResponse, timeoutMs);
  if (!received.ok)
    return {
      kind: 'other',
      reason:
        received.ended === 'silent' ? 'no answer to StartTLS' : `the connection ended (${received.ended}) at StartTLS`,
    };
  if (received.value.kind === 'malformed')
    return { kind: 'other', reason: 'what came after StartTLS is no answer to it' };
  conversation.consume(received.value.length);
  return received.value.resultCode === 0
    ? { kind: 'ready' }
    : { kind: 'refused', resultCode: received.value.resultCode };
}

/** Reads an LDAPMessage with an ExtendedResponse; undefined while it is incomplete. Never throws. */
export function parseExtendedResponse(
  bytes: Buffer,
): { kind: 'response'; length: number; resultCode: number } | { kind: 'malformed' } | undefined {
  const outer = element(bytes, 0);
  if (outer === undefined) return undefined;
  if (outer === 'malformed' || outer.tag !== 0x30) return { kind: 'malformed' };
  if (bytes.length < outer.end) return undefined;
  const id = element(bytes, outer.start);
  if (id === undefined || id === 'malformed' || id.tag !== 0x02 || id.end > outer.end) return { kind: 'malformed' };
  // What answers nothing is a notice, such as that of a disconnection (RFC 4511 section 4.4), and says nothing of TLS.
  if (bytes.subarray(id.start, id.end).toString('hex') !== '01') return { kind: 'malformed' };
  const response = element(bytes, id.end);
  if (response === undefined || response === 'malformed' || response.tag !== 0x78 || response.end > outer.end)
    return { kind: 'malformed' };
  const code = element(bytes, response.start);
  if (
    code === undefined ||
    code === 'malformed' ||
    code.tag !== 0x0a ||
    code.end - code.start !== 1 ||
    code.end > response.end
  )
    return { kind: 'malformed' };
  return { kind: 'response', length: outer.end, resultCode: bytes.readUInt8(code.start) };
}

function element(bytes: Buffer, offset: number): { tag: number; start: number; end: number } | 'malformed' | undefined {
  if (bytes.length < offset + 2) return undefined;
  const tag = bytes.readUInt8(offset);
  const first = bytes.readUInt8(offset + 1);
  if (first < 0x80) return { tag, start: offset + 2, end: offset + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) return 'malformed';
  if (bytes.length < offset + 2 + count) return undefined;
  const length = bytes.readUIntBE(offset + 2, count);
  if (length > 65_536) return 'malformed';
  const start = offset + 2 + count;
  return { tag, start, end: start + length };
}
