import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { acknowledge, acknowledgementCode, frame, readFrames, syntheticMessage } from '../../../lab/mllp.ts';

const NOW = new Date('2026-11-23T10:15:02Z');

function collect(chunks: readonly Buffer[]): Promise<{ messages: string[]; broken: boolean }> {
  return new Promise((resolve) => {
    const stream = new PassThrough();
    const messages: string[] = [];
    readFrames(stream, (message) => messages.push(message));
    stream.on('close', () => resolve({ messages, broken: !stream.writableFinished }));
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    stream.resume();
  });
}

describe('MLLP', () => {
  it('finds messages however they are cut', async () => {
    const bytes = Buffer.concat([frame('one'), frame('zwei ü')]);
    expect(await collect([bytes])).toEqual({ messages: ['one', 'zwei ü'], broken: false });
    expect(await collect([...bytes].map((byte) => Buffer.from([byte])))).toEqual({
      messages: ['one', 'zwei ü'],
      broken: false,
    });
  });

  it('hangs up on what is not framed, and on what never ends', async () => {
    expect((await collect([Buffer.from('GET / HTTP/1.1')])).broken).toBe(true);
    expect((await collect([Buffer.concat([Buffer.from([0x0b]), Buffer.alloc(300_000, 65)])])).broken).toBe(true);
  });

  it('acknowledges, or rejects what has no header', () => {
    const answer = acknowledge(syntheticMessage(NOW), NOW);
    expect(acknowledgementCode(answer)).toBe('AA');
    expect(answer).toContain('MSA|AA|TEST20261123101502\r');
    expect(acknowledgementCode(acknowledge('nonsense', NOW))).toBe('AR');
    expect(acknowledgementCode('PID|1\r')).toBeUndefined();
    expect(acknowledgementCode(acknowledge('MSH*^~\\&*A*B*C*D*1**ORU^R01*X9*T*2.5\r', NOW))).toBe('AA');
  });

  it('marks the synthetic message as a test', () => {
    expect(syntheticMessage(NOW).split('\r')[0]?.split('|')[10]).toBe('T');
  });
});
