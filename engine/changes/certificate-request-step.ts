import type { z } from 'zod';
import { certificateEnroll as declaration } from '../../core/changes/certificate-enroll.ts';
import { enrolmentFaults } from '../../core/enrolment-faults.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { requestStateSchema, type RequestState } from '../../core/session/enrolment.ts';
import type { ProbeContext } from '../context.ts';
import { checkChain } from '../keys/chain.ts';
import { makeRequest, readRequest, requestDifferences } from '../keys/certificate-request.ts';
import { encryptPrivateKey, MIN_PASSPHRASE } from '../keys/csr.ts';
import { oneLine, publicKeyOf, type ReadCertificate } from '../keys/read-certificate.ts';
import { anchorPems, readAnchors } from '../wire/tls/anchors.ts';
import { type RequestOperations, stampOf, wayOf } from './certificate-plan.ts';
import { shownCertificate, shownChain } from './certificate-shown.ts';
import type { ChangeMaterial, ChangePlan, KeyStore, ReadBack, WriteCredential } from './change.ts';
import { stateForUndo } from './undo.ts';

type Params = z.output<typeof declaration.params>;

/** Plans the first step: a key and a request. */
export async function planRequest(params: Params, context: ProbeContext): Promise<Result<ChangePlan>> {
  const { endpoint, by, template } = params;
  const [fault] = enrolmentFaults(params);
  if (fault !== undefined)
    return fail('guide.invalid', `The parameters of ${declaration.id} do not fit.`, { cause: fault.message });
  const presented = await shownChain(endpoint, context);
  if (!presented.ok) return presented;
  const again = params.renew === 'same-key' ? await mayKeepKey(params, presented.value, context) : ok(false);
  if (!again.ok) return again;
  const sameKey = again.value;
  // A key that is used again lies on the device and stays there.
  const made = sameKey ? 'device' : params.made;
  if (made === 'device' && 'https' in by && by.https.request === undefined)
    return fail(
      'guide.invalid',
      'The guide wants the key made on the device, and does not say how it makes a request.',
    );
  const operations: RequestOperations = {
    do: 'request',
    endpoint,
    by,
    made,
    sameKey,
    stamp: stampOf(context.now()),
    template,
  };
  const way = wayOf(operations, context);
  if (made === 'device') {
    const waiting = await way.waiting(operations.stamp, sameKey);
    if (!waiting.ok) return waiting;
    if (waiting.value !== undefined)
      return fail('change.state-differs', `A request waits on ${way.device} that was not made in this session.`);
  }
  return ok(planOf(operations, presented.value[0], context));
}

function planOf(operations: RequestOperations, shown: ReadCertificate | undefined, context: ProbeContext): ChangePlan {
  const { template, made, sameKey, endpoint, stamp } = operations;
  const way = wayOf(operations, context);
  const place = `${endpoint.host}:${endpoint.port}`;
  const subject = [
    template.organization && `O=${template.organization}`,
    template.unit && `OU=${template.unit}`,
    `CN=${template.commonName}`,
  ];
  const diff = [
    shown === undefined
      ? `# ${place} shows no certificate today`
      : `# ${place} shows ${oneLine(shown.node.subject)} until ${shown.notAfter.toISOString()} today; this step does not change that`,
    `+ subject:    ${subject.filter(Boolean).join(', ')}`,
    `+ names:      ${template.names.join(', ')}`,
    `+ for:        ${template.purposes.map((purpose) => (purpose === 'server' ? 'a TLS server' : 'a TLS client')).join(' and ')}`,
    `+ key:        ${template.key}${sameKey ? ', the one that the device has' : ''}`,
    ...(made === 'device'
      ? way.requestLines(stamp, sameKey)
      : [`+ new key:    keys/${keyName(stamp)} beside the session, locked with the passphrase that you give`]),
  ];
  const where = made === 'device' ? `on ${way.device}` : 'here';
  const summary = sameKey
    ? `Renew the request for the key that ${way.device} has.`
    : `Make a key ${where} and a request for the hospital's authority.`;
  return { kind: declaration.id, summary, diff: `${diff.join('\n')}\n`, operations, preImage: {}, undo: false };
}

/** Whether the key may serve again: only one that the hospital has certified before, never a factory's. */
async function mayKeepKey(
  params: Params,
  presented: readonly ReadCertificate[],
  context: ProbeContext,
): Promise<Result<boolean>> {
  const [leaf] = presented;
  if (leaf === undefined) return ok(false);
  const pems = anchorPems(params.anchors ?? params.endpoint.anchors, context);
  if (!pems.ok) return pems;
  // Judged at a time at which it was in date: one that has run out was issued by the hospital all the same.
  const at = new Date(Math.min(context.now().getTime(), leaf.notAfter.getTime()));
  const [purpose = 'server'] = params.template.purposes;
  return ok(checkChain(presented, readAnchors(pems.value), at, purpose).trusted);
}

/** Makes the request, or drops it. */
export async function applyRequest(
  operations: RequestOperations,
  credential: WriteCredential,
  context: ProbeContext,
  { keys }: ChangeMaterial,
): Promise<Result<void>> {
  const { made, stamp, sameKey, template } = operations;
  const way = wayOf(operations, context);
  if (made === 'here')
    return operations.do === 'request' ? makeHere(operations, credential, keys) : dropHere(stamp, keys);
  if (operations.do === 'request') return way.makeRequest(template, stamp, sameKey, credential);
  return way.discardRequest === undefined
    ? fail('change.refused', `The guide does not say how ${way.device} drops a request.`)
    : way.discardRequest(stamp, sameKey, credential);
}

async function makeHere(
  { template, stamp }: RequestOperations,
  { keyPassphrase }: WriteCredential,
  keys: KeyStore,
): Promise<Result<void>> {
  if (keyPassphrase === undefined || keyPassphrase.length < MIN_PASSPHRASE)
    return fail(
      'identity.passphrase',
      `A passphrase of at least ${MIN_PASSPHRASE} characters locks the new key. Keep it: it is asked again when the certificate is installed.`,
    );
  const request = await makeRequest(template);
  const locked = await encryptPrivateKey(request.pkcs8, keyPassphrase);
  request.pkcs8.fill(0);
  const saved = await keys.save(keyName(stamp), locked);
  return saved.ok ? keys.save(requestName(stamp), request.requestPem) : saved;
}

async function dropHere(stamp: string, keys: KeyStore): Promise<Result<void>> {
  const request = await keys.remove(requestName(stamp));
  return request.ok ? keys.remove(keyName(stamp)) : request;
}

/** What waits now, against what was planned. */
export async function readRequestBack(
  operations: RequestOperations,
  context: ProbeContext,
  { keys }: ChangeMaterial,
): Promise<Result<ReadBack>> {
  const found = await waitingRequest(operations, context, keys);
  if (!found.ok) return found;
  const request = found.value;
  if (operations.do === 'discard') {
    const gone = request.request === undefined;
    return ok({ asPlanned: gone, differences: gone ? [] : ['The request is still there.'], state: request });
  }
  if (request.request === undefined)
    return ok({ asPlanned: false, differences: ['There is no request.'], state: request });
  const facts = await readRequest(request.request);
  if (!facts.ok) return facts;
  const differences = requestDifferences(facts.value, operations.template);
  if (operations.sameKey) {
    const shown = await shownCertificate(operations.endpoint, context);
    if (!shown.ok) return shown;
    if (shown.value !== undefined && publicKeyOf(shown.value) !== facts.value.publicKeySha256)
      differences.push('The request is for another key than the one of the certificate that the device shows.');
  }
  return ok({ asPlanned: differences.length === 0, differences, state: request });
}

async function waitingRequest(
  operations: RequestOperations,
  context: ProbeContext,
  keys: KeyStore,
): Promise<Result<RequestState>> {
  const { made, stamp, sameKey } = operations;
  const found =
    made === 'here' ? await storedRequest(stamp, keys) : await wayOf(operations, context).waiting(stamp, sameKey);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({});
  const facts = await readRequest(found.value);
  if (!facts.ok) return facts;
  const { pem, subject, names, key, publicKeySha256 } = facts.value;
  return ok({ request: pem, subject, names: [...names], key, publicKeySha256 });
}

async function storedRequest(stamp: string, keys: KeyStore): Promise<Result<string | undefined>> {
  const [request, key] = [await keys.read(requestName(stamp)), await keys.read(keyName(stamp))];
  for (const each of [request, key]) if (!each.ok) return each.error.code === 'input.not-found' ? ok(undefined) : each;
  return request.ok ? ok(request.value) : request;
}

/** Plans the way back of a request: it is dropped, and with it the key that nobody certified. */
export async function planDiscard(
  change: ChangePlan,
  operations: RequestOperations,
  state: unknown,
  context: ProbeContext,
  material: ChangeMaterial,
): Promise<Result<ChangePlan>> {
  const then = stateForUndo(change, state, requestStateSchema);
  if (!then.ok) return then;
  if (material.enrolment.installed !== undefined && material.enrolment.request?.stamp === operations.stamp)
    return fail('change.refused', 'The certificate for this request is installed. Undo the installation first.');
  const way = wayOf(operations, context);
  if (operations.made === 'device' && way.discardRequest === undefined)
    return fail('change.refused', `The guide does not say how ${way.device} drops a request.`);
  const now = await waitingRequest(operations, context, material.keys);
  if (!now.ok) return now;
  if (now.value.publicKeySha256 !== then.value.publicKeySha256)
    return fail('change.state-differs', 'The request that waits is not the one that was made here.');
  return ok({
    kind: declaration.id,
    summary: operations.sameKey ? 'Drop the request.' : 'Drop the request and the key that was made for it.',
    diff: `- request:    ${then.value.subject ?? ''}\n- key:        ${operations.sameKey ? 'stays' : (then.value.key ?? '')}\n`,
    operations: { ...operations, do: 'discard' } satisfies RequestOperations,
    preImage: then.value,
    undo: true,
  });
}

/** Files beside the session that belong to a request. */
export function keyName(stamp: string): string {
  return `${stamp}.key.pem`;
}

function requestName(stamp: string): string {
  return `${stamp}.csr.pem`;
}
