import { createPrivateKey } from 'node:crypto';
import type { z } from 'zod';
import { certificateEnroll as declaration } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { MadeRequest } from '../../core/session/enrolment.ts';
import type { ProbeContext } from '../context.ts';
import { fingerprint, type ReadCertificate, readCertificatesPem } from '../keys/read-certificate.ts';
import type { Received } from '../keys/received.ts';
import { checkReceived, type CheckedReceived } from '../keys/received-checks.ts';
import { anchorPems, readAnchors } from '../wire/tls/anchors.ts';
import { type DeployOperations, type DeployState, stampOf, wayOf } from './certificate-plan.ts';
import { keyName } from './certificate-request-step.ts';
import { awaitCertificate, describeCertificate, presentedOf, shownCertificate } from './certificate-shown.ts';
import type { ChangeMaterial, ChangePlan, KeyStore, ReadBack, WriteCredential } from './change.ts';

type Params = z.output<typeof declaration.params>;

/** Plans the second step: what came back is checked, and goes to the device. */
export async function planDeploy(
  params: Params,
  request: MadeRequest,
  received: Received,
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  const { endpoint, by } = params;
  const anchorIds = params.anchors ?? endpoint.anchors;
  const pems = anchorPems(anchorIds, context);
  if (!pems.ok) return pems;
  const shown = await shownCertificate(endpoint, context);
  if (!shown.ok) return shown;
  const wanted = { ...request, purposes: request.template.purposes };
  const checked = checkReceived(received, wanted, readAnchors(pems.value), context.now(), shown.value, request.sameKey);
  const { leaf } = checked;
  if (leaf === undefined || !checked.accepted)
    return fail(
      'change.refused',
      `What came back is not installed: ${checked.checks.find(({ outcome }) => outcome === 'refused')?.sentence ?? ''}`,
      { fixBy: 'hospital', cause: checkLines(checked).join('\n') },
    );
  const [certificate = '', ...authorities] = checked.chain.map(pemOf);
  const intermediates = authorities.join('');
  const way = wayOf({ by, endpoint }, context);
  const stamp = stampOf(context.now());
  const place = await way.place(stamp);
  if (!place.ok) return place;
  const wantedFile = way.digest(certificate, intermediates);
  const operations: DeployOperations = {
    do: 'deploy',
    endpoint,
    by,
    made: request.made,
    sameKey: request.sameKey,
    stamp,
    request: request.change,
    requestStamp: request.stamp,
    chain: certificate + intermediates,
    certificate,
    intermediates,
    wanted: fingerprint(leaf),
    ...(wantedFile === undefined ? {} : { wantedFile }),
    ...(anchorIds === undefined ? {} : { anchors: [...anchorIds] }),
  };
  const preImage: DeployState = { presented: presentedOf(shown.value), ...place.value };
  const where = `${endpoint.host}:${endpoint.port}`;
  const diff = [
    ...(shown.value === undefined ? [] : [`- ${where}: ${describeCertificate(shown.value)}`]),
    `+ ${where}: ${describeCertificate(leaf)}`,
    ...way.installLines(stamp),
    '',
    `# What came back (${received.form}):`,
    ...checkLines(checked).map((line) => `# ${line}`),
  ];
  return ok({
    kind: declaration.id,
    summary: `Install the certificate of ${leaf.node.issuer.split('\n').at(-1) ?? ''} on ${way.device}, and see that it shows it.`,
    diff: `${diff.join('\n')}\n`,
    operations,
    preImage,
    undo: false,
  });
}

/** Puts the certificate on the device, or the former one back. */
export async function applyDeploy(
  operations: DeployOperations,
  preImage: DeployState,
  credential: WriteCredential,
  context: ProbeContext,
  { keys }: ChangeMaterial,
): Promise<Result<void>> {
  const way = wayOf(operations, context);
  const shown = await shownCertificate(operations.endpoint, context);
  if (!shown.ok) return shown;
  if (presentedOf(shown.value) !== preImage.presented)
    return fail('change.state-differs', 'The device shows another certificate than when this was planned.');
  const { certificate, intermediates, stamp, requestStamp, made, sameKey } = operations;
  const what = {
    certificate,
    intermediates,
    stamp,
    ...(made === 'device' && !sameKey ? { waiting: requestStamp } : {}),
    ...(preImage.file === undefined ? {} : { replaces: preImage.file }),
  };
  if (operations.do === 'restore')
    return way.restore === undefined
      ? fail('change.refused', `${way.device} does not hand the former certificate back.`)
      : way.restore(what, credential);
  if (made === 'device') return way.install(what, credential);
  const key = await unlockKey(operations, credential, keys);
  return key.ok ? way.install({ ...what, key: key.value }, credential) : key;
}

async function unlockKey(
  { requestStamp, certificate }: DeployOperations,
  { keyPassphrase }: WriteCredential,
  keys: KeyStore,
): Promise<Result<string>> {
  if (keyPassphrase === undefined)
    return fail('identity.passphrase', 'The key that was made here is locked: give its passphrase.');
  const locked = await keys.read(keyName(requestStamp));
  if (!locked.ok) return locked;
  let pem: string;
  try {
    const key = createPrivateKey({ key: locked.value, passphrase: keyPassphrase });
    pem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
  } catch {
    return fail('identity.passphrase', 'The passphrase does not open the key that was made here.');
  }
  const leaf = readCertificatesPem(certificate);
  if (!leaf.ok) return leaf;
  return leaf.value[0]?.node.checkPrivateKey(createPrivateKey(pem)) === true
    ? ok(pem)
    : fail('change.refused', 'The key beside the session is not the one of the certificate.');
}

/** What the endpoint shows and where the files stand, against what was planned. */
export async function readDeployBack(
  operations: DeployOperations,
  preImage: DeployState,
  context: ProbeContext,
): Promise<Result<ReadBack>> {
  const { endpoint, wanted, wantedFile } = operations;
  const shown = await awaitCertificate(endpoint, wanted, context);
  if (!shown.ok) return shown;
  const place = await wayOf(operations, context).place(operations.stamp);
  if (!place.ok) return place;
  const state: DeployState = { presented: presentedOf(shown.value), ...place.value };
  const where = `${endpoint.host}:${endpoint.port}`;
  const fileFits = wantedFile === undefined || state.file === wantedFile;
  const differences: string[] = [];
  // Kept, and nothing in its place: the device went down, or the log-in ended, between the copy and the end of the switch.
  if (operations.do === 'deploy' && state.kept === true && state.file === preImage.file)
    differences.push(
      'The installation was cut off on the device, so key and certificate there may not belong together. Undo it: the former ones are kept.',
    );
  else if (!fileFits) differences.push('The certificate file on the device is not the one that was planned.');
  if (state.presented !== wanted)
    differences.push(
      shown.value === undefined
        ? `Nobody answers at ${where}.`
        : `${where} shows ${describeCertificate(shown.value)}${fileFits ? '; was the service restarted?' : '.'}`,
    );
  return ok({ asPlanned: differences.length === 0, differences, state });
}

function checkLines({ checks }: CheckedReceived): string[] {
  const words = { good: 'good   ', note: 'note   ', refused: 'REFUSED' };
  return checks.map(
    ({ outcome, sentence }) => `${words[outcome]}  ${sentence.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}`,
  );
}

function pemOf(certificate: ReadCertificate): string {
  return `${certificate.node.toString().trimEnd()}\n`;
}
