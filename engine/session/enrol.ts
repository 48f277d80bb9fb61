import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { certificateEnroll } from '../../core/changes/certificate-enroll.ts';
import { evaluateParams } from '../../core/guide/plan.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { enrolmentOf, type MadeRequest } from '../../core/session/enrolment.ts';
import { fingerprint, oneLine, type ReadCertificate, readCertificatesPem } from '../keys/read-certificate.ts';
import { readReceived } from '../keys/received.ts';
import { planChange, type ShownChange } from './changes.ts';
import { saveFile } from './save-file.ts';
import type { Session } from './session.ts';

/** No answer of an authority is this large. */
const MAX_FILE = 1024 * 1024;

/**
 * Writes the request for the hospital's authority, and beside it what to do with it in plain words, and records that the step
 * is left to the hospital. Errors: `session.state` (no request was made), `journal.write`.
 * @param path of the request, ending in .csr
 * @returns the names of the files
 */
export async function handOffRequest(session: Session, key: string, path: string): Promise<Result<readonly string[]>> {
  const { request } = enrolmentOf(session.journal.events, key);
  if (request === undefined) return fail('session.state', 'No request was made in this step.', { place: key });
  const [name, readme] = [basename(path), `${basename(path).replace(/\.csr$/i, '')}-README.txt`];
  const saved = await saveFile(path, request.pem);
  if (!saved.ok) return saved;
  const explained = await saveFile(join(dirname(path), readme), explainRequest(session, request, name));
  if (!explained.ok) return explained;
  const note = `The request for a certificate went to the hospital's authority as ${name} (${request.change}).`;
  const recorded = await session.journal.append('deferred', { key, to: 'hospital', note });
  return recorded.ok ? ok([name, readme]) : recorded;
}

function explainRequest(session: Session, request: MadeRequest, name: string): string {
  const { site } = session.plan;
  const { template } = request;
  const rsa = template.key.startsWith('rsa-');
  const result = name.replace(/\.csr$/i, '');
  return [
    `A certificate for a medical device of ${oneLine(site.name)}`,
    ...(site.practice ? ['PRACTICE: this is about a practice hospital, which does not exist.'] : []),
    '',
    `Please have the hospital's certification authority issue a certificate for the request ${name}, and send back`,
    'the certificate with the authorities above it (PEM, DER, .p7b or .pfx; no private key is needed or wanted).',
    '',
    'What is asked for',
    `  Subject:             ${oneLine(request.subject)}`,
    `  Names (SAN):         ${request.names.join(', ')}`,
    `  Key:                 ${request.key}, ${request.made === 'device' ? 'made on the device, which it never leaves' : 'made by Lockstep and locked'}`,
    `  Key usage:           digitalSignature${rsa ? ', keyEncipherment' : ''}`,
    `  Extended key usage:  ${template.purposes.map((purpose) => (purpose === 'server' ? 'serverAuth (TLS server)' : 'clientAuth (TLS client)')).join(', ')}`,
    '  CA flag:             no',
    `  Public key, SHA-256: ${request.publicKeySha256}`,
    ...(request.sameKey
      ? ['  This is a renewal: the key is the one of the certificate that the device shows today.']
      : []),
    '',
    'Compare the SHA-256 with whoever sent you this, by telephone, before you issue anything:',
    `  openssl req -in ${name} -noout -verify -text`,
    `  openssl req -in ${name} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum`,
    '',
    'With a Windows authority (AD CS), the template must take the names from the request:',
    `  certutil -dump ${name}`,
    `  certreq -submit -attrib "CertificateTemplate:WebServer" ${name} ${result}.cer ${result}.p7b`,
    '',
    'When it has been issued, give the file to whoever sent you this. Lockstep checks it against the request, installs it,',
    'and records what the device then shows.',
    '',
  ].join('\n');
}

/**
 * Reads what the authority sent, checks it against the request of the step, and plans its installation. Errors: those of
 * `readReceived` and of the change (`change.refused` with every check in the cause), `input.not-found`, `input.too-large`.
 * @param passphrase of a PKCS#12 file
 */
export async function importCertificate(
  session: Session,
  key: string,
  path: string,
  passphrase: string | undefined,
): Promise<Result<ShownChange>> {
  let bytes: Uint8Array;
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > MAX_FILE) return fail('input.too-large', 'A certificate file is never this large.', { place: path });
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fail('input.not-found', 'The file cannot be read.', { place: path, cause: (error as Error).message });
  }
  const received = await readReceived(bytes, passphrase);
  return received.ok ? planChange(session, key, received.value) : received;
}

/**
 * Writes the anchors that the other side must hold to believe the device's certificate: PEM, DER, and what to do with them.
 * Errors: `session.state` (the step enrols nothing), `site.invalid`, `journal.write`.
 * @param path of the PEM file, ending in .crt; the others lie beside it
 * @returns the names of the files
 */
export async function exportAnchors(session: Session, key: string, path: string): Promise<Result<readonly string[]>> {
  const item = session.plan.items.find((candidate) => candidate.key === key);
  if (item?.control.change?.kind !== certificateEnroll.id)
    return fail('session.state', 'This step has no certificate issued.', { place: key });
  const params = evaluateParams(item.control.change.with, item.values);
  if (!params.ok) return params;
  const parsed = certificateEnroll.params.safeParse(params.value);
  if (!parsed.success)
    return fail('guide.invalid', 'The parameters of the change do not fit.', { cause: parsed.error.message });
  const { site } = session.site;
  const ids = parsed.data.anchors ?? parsed.data.endpoint.anchors ?? site.anchors.map(({ id }) => id);
  const certificates: ReadCertificate[] = [];
  for (const id of ids) {
    const pem = site.anchors.find((anchor) => anchor.id === id)?.pem;
    const read = pem === undefined ? undefined : readCertificatesPem(pem);
    if (read?.ok !== true) return fail('site.invalid', `The site has no readable trust anchor "${id}".`);
    certificates.push(...read.value);
  }
  if (certificates.length === 0) return fail('site.invalid', 'The site names no trust anchor.');
  const name = basename(path).replace(/\.(?:crt|pem|cer)$/i, '');
  const readme = `${name}-README.txt`;
  const ders = certificates.map((one, index) => [`${name}${index === 0 ? '' : `-${index + 1}`}.der`, one] as const);
  const files: (readonly [string, string | Uint8Array])[] = [
    [basename(path), certificates.map(({ node }) => `${node.toString().trimEnd()}\n`).join('')],
    ...ders.map(([file, one]) => [file, one.der] as const),
    [readme, explainAnchors(session, ders, basename(path))],
  ];
  for (const [file, content] of files) {
    const saved = await saveFile(join(dirname(path), file), content);
    if (!saved.ok) return saved;
  }
  return ok(files.map(([file]) => file));
}

function explainAnchors(session: Session, ders: readonly (readonly [string, ReadCertificate])[], pem: string): string {
  const { site } = session.plan;
  return [
    `What the other side must trust, so that it believes the device of ${oneLine(site.name)}`,
    ...(site.practice ? ['PRACTICE: this is about a practice hospital, which does not exist.'] : []),
    '',
    `${pem} holds the hospital's authority in PEM; the same in DER:`,
    ...ders.flatMap(([file, one]) => [
      `  ${file}`,
      `    Subject:  ${oneLine(one.node.subject)}`,
      `    Valid to: ${one.notAfter.toISOString()}`,
      `    SHA-256:  ${fingerprint(one)}`,
    ]),
    '',
    'Compare the SHA-256 with the hospital, by telephone or from its own page, before you import it:',
    `  openssl x509 -in ${pem} -noout -subject -enddate -fingerprint -sha256`,
    '  certutil -hashfile FILE.der SHA256   (Windows)',
    '',
    'Import the authority, not the certificate of the device: then its next renewal changes nothing here. Take out the',
    "device's former or factory certificate where it was imported by itself. Trust it for this connection only, where the",
    'product can tell connections apart.',
    '',
  ].join('\n');
}
