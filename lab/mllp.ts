import type { Duplex } from 'node:stream';

const START = 0x0b;
const END = Buffer.from([0x1c, 0x0d]);
const MAX_MESSAGE = 256 * 1024;

/** Frames a message for MLLP (HL7 v2 over TCP, release 1). */
export function frame(message: string): Buffer {
  return Buffer.concat([Buffer.from([START]), Buffer.from(message, 'utf8'), END]);
}

/** Calls `receive` with each message that arrives framed; ends the stream on anything else or over the size limit. */
export function readFrames(stream: Duplex, receive: (message: string) => void): void {
  let buffer: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let end = buffer.indexOf(END); end !== -1; end = buffer.indexOf(END)) {
      if (buffer[0] !== START) break;
      receive(buffer.subarray(1, end).toString('utf8'));
      buffer = buffer.subarray(end + END.length);
    }
    if (buffer.length > MAX_MESSAGE || (buffer.length > 0 && buffer[0] !== START)) stream.destroy();
  });
}

/** The acknowledgement (HL7 v2 chapter 2.9) of a message: AA, or AR where it has no MSH segment. */
export function acknowledge(message: string, now: Date): string {
  const segment = message.split(/\r\n|\r|\n/)[0] ?? '';
  const separator = segment[3] ?? '|';
  const readable = segment.startsWith('MSH') && segment.length > 8;
  const fields = readable ? segment.split(separator) : [];
  const field = (number: number): string => fields[number - 1] ?? '';
  const trigger = field(9).split('^')[1] ?? '';
  const stamp = now.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const header = [
    'MSH',
    '^~\\&',
    'EMR',
    'PRACTICE',
    field(3),
    field(4),
    stamp,
    '',
    trigger === '' ? 'ACK' : `ACK^${trigger}`,
    `ACK${stamp}`,
    field(11) || 'T',
    field(12) || '2.5',
  ];
  return `${header.join('|')}\rMSA|${readable ? 'AA' : 'AR'}|${field(10)}\r`;
}

/** A message about nobody, marked as a test (MSH-11 T). */
export function syntheticMessage(now: Date): string {
  const stamp = now.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return [
    `MSH|^~\\&|MDIP|GATEWAY|EMR|PRACTICE|${stamp}||ORU^R01^ORU_R01|TEST${stamp}|T|2.5`,
    'PID|1||PRACTICE-0001||SYNTHETIC^TESTMESSAGE',
    'OBX|1|NM|0^TEST^99PRACTICE||0||||||F',
    '',
  ].join('\r');
}

/** MSA-1 of an acknowledgement; undefined where there is none. */
export function acknowledgementCode(message: string): string | undefined {
  return message
    .split('\r')
    .find((segment) => segment.startsWith('MSA|'))
    ?.split('|')[1];
}
