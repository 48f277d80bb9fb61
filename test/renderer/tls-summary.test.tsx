import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import type { Outputs } from '../../core/ipc.ts';
import { useWizard } from '../../renderer/store.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;
const CONTROL = 'link.emr.tls-floor';
const KEY = `${CONTROL}@link:emr-vitals`;
const certificate = (subject: string, issuer: string, sha256: string) => ({
  subject,
  issuer,
  serial: '01',
  notBefore: '2026-09-01T00:00:00.000Z',
  notAfter: '2026-12-08T00:00:00.000Z',
  sha256: sha256.repeat(32),
  pem: 'PEM',
});
const EMR = 'CN=emr.hospital.test, O=Hospital';
const FACTS = {
  speaksTls: true,
  engine: 'OpenSSL 3.5',
  versions: [
    { version: 'SSL 3.0', accepted: false, answer: 'alert' },
    { version: 'TLS 1.0', accepted: true, answer: 'hello', suite: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA' },
    { version: 'TLS 1.1', answer: 'silent' },
    { version: 'TLS 1.2', accepted: true, answer: 'hello', suite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' },
    { version: 'TLS 1.3', accepted: true, answer: 'hello', suite: 'TLS_AES_128_GCM_SHA256' },
  ],
  weakSuites: ['TLS_RSA_WITH_3DES_EDE_CBC_SHA'],
  acceptsWeakSuite: true,
  suites: {
    ssl30: [],
    tls10: ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    tls13: ['TLS_AES_128_GCM_SHA256'],
  },
  guideline: {
    title: 'Mozilla server-side TLS',
    version: '6.0',
    modern: { meets: false, differences: ['TLS 1.2 is accepted'], undecided: [] },
    intermediate: { differences: [], undecided: ['whether TLS 1.1 is accepted'] },
  },
  chain: { trusted: true, reason: 'It leads to the anchor CN=Hospital Root.', problem: 'none', length: 3 },
  name: { expected: 'emr.hospital.test', matches: false, sans: ['old.hospital.test'] },
  validity: {
    notBefore: '2026-09-01T00:00:00.000Z',
    notAfter: '2026-12-08T00:00:00.000Z',
    daysLeft: 9,
    lifetimeDays: 98,
    valid: true,
  },
  key: { algorithm: 'EC', curve: 'P-256', strong: true },
  signature: { algorithm: 'ecdsa-with-SHA256', strong: true },
  certificates: [
    certificate(EMR, 'CN=Hospital Issuing CA', 'ab'),
    certificate('CN=Hospital Issuing CA', 'CN=Hospital Root', 'cd'),
  ],
};

beforeEach(() => page.viewport(1280, 900));
afterEach(stopApp);

async function seen(facts: unknown): Promise<HTMLElement> {
  await setTheme('light');
  await startApp((fake) => {
    fake.openWalk();
    fake.run([KEY]);
    fake.answer('facts.read', () => ({ facts, absent: [] }) as Outputs['facts.read']);
  });
  useWizard.setState({ current: CONTROL });
  await settle();
  await page
    .getByRole('button', { name: /^What was seen/ })
    .first()
    .click();
  await until(() => document.body.innerText.includes('Journal entry'));
  await settle();
  return document.querySelector<HTMLElement>('article') ?? document.body;
}
const said = (element: HTMLElement) => element.innerText.replaceAll(/\s+/g, ' ');

describe('what was seen of a TLS server', () => {
  it('comes in short first: versions, weak suites, certificate, guideline, and whole behind it', async () => {
    const card = await seen(FACTS);
    const text = said(card);
    for (const words of [
      'SSL 3.0 refused',
      'TLS 1.0 accepted, old TLS 1.1',
      'TLS 1.0: 2 suites, 1 weak',
      'TLS 1.1 not decided',
      'TLS 1.3: 1 suite',
      'accepted: TLS_RSA_WITH_3DES_EDE_CBC_SHA',
      'emr.hospital.test is not in the certificate, which names old.hospital.test',
      '1 Sept 2026 to 8 Dec 2026, 9 days left',
      'It leads to the anchor CN=Hospital Root.',
      'Hospital Issuing CA by Hospital Root',
      'Intermediate: not decided, whether TLS 1.1 is accepted',
      'Modern: not met, TLS 1.2 is accepted',
    ])
      expect(text).toContain(words);
    expect(text).not.toContain('OpenSSL 3.5');
    await page.getByText(/2 suites/).click();
    expect(said(card)).toContain('TLS_RSA_WITH_3DES_EDE_CBC_SHA (weak)');
    expect(said(card)).not.toContain('AES_128_CBC_SHA (weak)');
    await page.getByText('Everything that was recorded').click();
    expect(said(card)).toContain('OpenSSL 3.5');
  });

  it.each(['light', 'dark'] as const)('is accessible in %s colours', async (theme) => {
    const summary = (await seen(FACTS)).querySelector('dl');
    await setTheme(theme);
    summary?.scrollIntoView();
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${theme}-tls-summary.png` });
    expect(await axeFaults(summary ?? document)).toEqual([]);
  });

  it('says that there is no TLS, and claims nothing else', async () => {
    const text = said(await seen({ speaksTls: false, clearText: 'HTTP in clear text', engine: 'OpenSSL 3.5' }));
    expect(text).toContain('The server does not speak TLS. HTTP in clear text');
    expect(text).not.toContain('Versions');
  });

  it('shows facts of another shape whole, as any others', async () => {
    const text = said(await seen({ speaksTls: true, fromAnOlderLockstep: 'yes' }));
    expect(text).toContain('From an older lockstep');
    expect(text).not.toContain('Everything that was recorded');
  });
});
