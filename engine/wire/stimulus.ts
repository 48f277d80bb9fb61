import type { z } from 'zod';
import type { applicationProtocolSchema } from '../../core/probes/tls-endpoint.ts';
import { associateRequest, PDU, parsePdu } from './dicom.ts';

export type ApplicationProtocol = z.output<typeof applicationProtocolSchema>;

/** A harmless first message of a protocol, and how an answer in that protocol is known. */
export type Stimulus = {
  readonly bytes: Buffer;
  /** What the bytes so far are, in words; undefined while more is needed or where they are something else. */
  readonly recognise: (bytes: Buffer) => string | undefined;
};

/** A network query in HL7 2.5.1 with synthetic values and processing id T (training), framed as MLLP. */
const HL7 = Buffer.from(
  '\x0bMSH|^~\\&|LOCKSTEP|LOCKSTEP|TEST|TEST|20260101000000||NMQ^N01|LOCKSTEP1|T|2.5.1\r\x1c\r',
  'latin1',
);

/** Anonymous search of the root DSE for `objectClass`, message id 1 (RFC 4511 section 4.5). */
const ROOT_DSE = Buffer.concat([
  Buffer.from('302502010163200400', 'hex'),
  Buffer.from('0a01000a0100020100020100010100870b', 'hex'),
  Buffer.from('objectClass'),
  Buffer.from('3000', 'hex'),
]);

/** The message for a protocol; undefined where none is known. */
export function stimulusFor(protocol: ApplicationProtocol, host: string, path = '/'): Stimulus | undefined {
  switch (protocol) {
    case 'hl7-mllp':
      return {
        bytes: HL7,
        recognise: (bytes) =>
          bytes[0] === 0x0b && bytes.includes(0x1c) ? `an HL7 answer${acknowledgement(bytes)}` : undefined,
      };
    case 'http':
    case 'https':
      return {
        bytes: Buffer.from(
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: lockstep\r\nConnection: close\r\n\r\n`,
          'latin1',
        ),
        recognise: (bytes) => httpAnswer(bytes),
      };
    case 'dicom':
      return { bytes: associateRequest('LOCKSTEP', 'ANY-SCP'), recognise: dicomAnswer };
    case 'ldap':
      return {
        bytes: ROOT_DSE,
        recognise: (bytes) => (bytes.length > 6 && bytes[0] === 0x30 ? 'an LDAP answer' : undefined),
      };
    default:
      return undefined;
  }
}

/** True for nginx's answer to a client certificate that is missing or does not hold: a refusal in the application's words. */
export function isCertificateRefusalPage(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return (
    /^HTTP\/1\.[01] 400 /.test(text) &&
    (text.includes('No required SSL certificate was sent') || text.includes('The SSL certificate error'))
  );
}

/** The status of an HTTP answer; undefined where it is none. */
export function httpStatus(bytes: Buffer): number | undefined {
  const match = /^HTTP\/1\.[01] (\d{3}) /.exec(bytes.subarray(0, 32).toString('latin1'));
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function httpAnswer(bytes: Buffer): string | undefined {
  const status = httpStatus(bytes);
  const head = bytes.indexOf('\r\n\r\n');
  if (status === undefined || head === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.subarray(0, head).toString('latin1'))?.[1];
  const wanted = Math.min(Number(length ?? 0), 4096);
  return bytes.length - head - 4 >= wanted ? `HTTP ${status}` : undefined;
}

function acknowledgement(bytes: Buffer): string {
  const code = /\rMSA\|([A-Z]{2})\|/.exec(bytes.toString('latin1'))?.[1];
  return code === undefined ? '' : ` (MSA ${code})`;
}

function dicomAnswer(bytes: Buffer): string | undefined {
  const pdu = parsePdu(bytes);
  if (pdu === undefined || pdu === 'malformed') return undefined;
  const names: Readonly<Record<number, string>> = {
    [PDU.associateAccept]: 'a DICOM acceptance',
    [PDU.associateReject]: 'a DICOM rejection',
    [PDU.abort]: 'a DICOM abort',
  };
  return names[pdu.type];
}
