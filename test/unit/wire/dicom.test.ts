import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  associateRequest,
  describeAbort,
  echoRequest,
  parseAssociateAccept,
  parseAssociateReject,
  parseEchoResponse,
  parsePdu,
  PDU,
} from '../../../engine/wire/dicom.ts';

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

describe('the DICOM codec', () => {
  it('builds PDUs whose lengths hold and whose titles are padded', () => {
    const pdu = parsePdu(associateRequest('LOCKSTEP', 'ORTHANC'));
    expect(pdu).toMatchObject({ type: PDU.associateRequest });
    if (pdu === undefined || pdu === 'malformed') throw new Error('no PDU');
    expect(pdu.body.subarray(4, 36).toString()).toBe('ORTHANC         LOCKSTEP        ');
    expect(parsePdu(echoRequest())).toMatchObject({ type: PDU.data });
  });

  it('waits for the rest of a PDU, and refuses what can be none', () => {
    const whole = associateRequest('A', 'B');
    for (let cut = 0; cut < whole.length; cut += 1) expect(parsePdu(whole.subarray(0, cut))).toBeUndefined();
    expect(parsePdu(Buffer.from('HTTP/1.1'))).toBe('malformed');
    expect(parsePdu(Buffer.from([2, 0, 0xff, 0xff, 0xff, 0xff]))).toBe('malformed');
  });

  it.each([
    [[0, 1, 1, 3], { result: 'permanent', source: 'service-user', reason: 'calling-AE-title-not-recognized' }],
    [[0, 1, 1, 7], { result: 'permanent', source: 'service-user', reason: 'called-AE-title-not-recognized' }],
    [[0, 2, 3, 2], { result: 'transient', source: 'service-provider (presentation)', reason: 'local-limit-exceeded' }],
    [[0, 1, 9, 9], { result: 'permanent', source: 'source 9', reason: 'reason 9' }],
  ])('puts the rejection %j into words', (body, expected) => {
    expect(parseAssociateReject(Buffer.from(body))).toEqual(expected);
  });

  it('takes a request for no response: an echo that is sent back is not a success', () => {
    const pdu = parsePdu(echoRequest());
    if (pdu === undefined || pdu === 'malformed') throw new Error('no PDU');
    expect(parseEchoResponse(pdu.body)).toBeUndefined();
  });

  it('never throws on noise', () => {
    fc.assert(
      fc.property(bytes, (noise) => {
        parsePdu(noise);
        parseAssociateAccept(noise);
        parseAssociateReject(noise);
        parseEchoResponse(noise);
        describeAbort(noise);
      }),
      { numRuns: 2_000, seed: 20261123 },
    );
  });
});
