import { describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { checkGuide } from '../../../core/guide/check.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { enrolmentGuide, type GuideOptions } from '../../support/enrolment-device.ts';

const declarations = { probes: PROBE_DECLARATIONS, changes: CHANGE_DECLARATIONS };
const HERE = { made: 'here', key: 'rsa-2048', renew: 'new-key' } as const;
const PEM = { keyFile: '/etc/x/server.key', certificateFile: '/etc/x/server.crt' };
const P12 = { pkcs12: { file: '/etc/x/server.p12', password: 'keystore' } };

/** What is wrong with a guide, as `guide check` says it. */
const faults = (by: object, options: Pick<GuideOptions, 'made' | 'key' | 'renew'> = HERE) =>
  checkGuide(enrolmentGuide(options, by), declarations).faults.map(({ message }) => message);
const ssh = (parts: object) => ({ ssh: { device: '$one.id', restart: 'reload', ...parts } });
const https = (body: object, pkcs12?: object) => ({
  https: {
    install: { url: '$one.adminUrl + "/tls"', method: 'PUT', body },
    ...(pkcs12 === undefined ? {} : { pkcs12 }),
  },
});

describe('a guide that enrols a certificate', () => {
  it.each([
    ['PEM files', ssh(PEM)],
    ['a PKCS#12 file', ssh(P12)],
    ['a PKCS#12 file beside PEM files', ssh({ ...PEM, ...P12, chainFile: '/etc/x/chain.crt' })],
    ['PKCS#12 over HTTPS with a one-time password', https({ file: '<pkcs12>', secret: '<pkcs12-password>' }, {})],
    ['PKCS#12 over HTTPS with a password of the site', https({ file: '<pkcs12>' }, { password: 'keystore' })],
    ['a key in PEM over HTTPS', https({ key: '<key>', chain: '<chain>' })],
  ])('may name %s', (_, by) => {
    expect(faults(by)).toEqual([]);
  });

  it.each([
    ['neither', ssh({}), ['"by.ssh.keyFile" is missing', '"by.ssh.certificateFile" is missing']],
    ['a key without a certificate', ssh({ keyFile: PEM.keyFile, ...P12 }), ['"by.ssh.certificateFile" is missing']],
    ['a certificate without a key', ssh({ certificateFile: PEM.certificateFile }), ['"by.ssh.keyFile" is missing']],
    ['a chain alone', ssh({ chainFile: '/etc/x/chain.crt', ...P12 }), ['keyFile" is missing', 'certificateFile" is']],
    ['a file that goes nowhere', https({ chain: '<chain>' }, {}), ['goes nowhere']],
    ['a file that nobody could open', https({ file: '<pkcs12>' }, {}), ['nobody could open']],
    ['a placeholder that nothing fills', https({ file: '<pkcs12>' }), ['say which with by.https.pkcs12']],
  ])('is refused with %s', (_, by, words) => {
    const found = faults(by);
    expect(found).toHaveLength(words.length);
    for (const [index, word] of words.entries()) expect(found[index]).toContain(word);
  });

  it('is refused where the key of a PKCS#12 file is made on the device, or is to serve again', () => {
    expect(faults(ssh(P12), { ...HERE, made: 'device' })).toEqual([expect.stringContaining('never leaves it')]);
    expect(faults(ssh(P12), { ...HERE, renew: 'same-key' })).toEqual([expect.stringContaining('not used again')]);
  });
});
