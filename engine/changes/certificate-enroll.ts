import type { z } from 'zod';
import { certificateEnroll as declaration } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { readCertificatesPem } from '../keys/read-certificate.ts';
import type { Received } from '../keys/received.ts';
import { applyDeploy, planDeploy, readDeployBack } from './certificate-deploy-step.ts';
import { readPlan } from './certificate-plan.ts';
import { applyRequest, planDiscard, planRequest, readRequestBack } from './certificate-request-step.ts';
import { planRestore } from './certificate-restore-step.ts';
import type { Change, ChangeMaterial, ChangePlan } from './change.ts';

type Params = z.output<typeof declaration.params>;

/** A small device takes its time: up to four files, its check, and its restart twice where the first one fails. */
const APPLY_MS = 150_000;

const WITHOUT_SESSION = fail(
  'session.state',
  'A certificate is asked for within a session, which remembers the request.',
);

/** The step that is next: a request, or, once something came back, its installation. After that the renewal begins anew. */
async function plan(params: Params, context: ProbeContext, material?: ChangeMaterial): Promise<Result<ChangePlan>> {
  if (material === undefined) return WITHOUT_SESSION;
  const { request, installed } = material.enrolment;
  if (request === undefined || (installed !== undefined && material.received === undefined))
    return material.received === undefined
      ? planRequest(params, context)
      : fail('change.refused', 'No request was made here, so nothing can come back for it. Plan the request first.');
  const received = material.received === undefined ? receivedBefore(material) : ok(material.received);
  if (!received.ok) return received;
  if (received.value === undefined)
    return fail(
      'change.refused',
      `The request of ${request.at} waits for the hospital's authority. Hand it over and import what comes back, or undo the request.`,
    );
  return planDeploy(params, request, received.value, context);
}

/** What was imported for an earlier plan: it is in the journal, so a resumed session need not be given it again. */
function receivedBefore({ enrolment }: ChangeMaterial): Result<Received | undefined> {
  if (enrolment.received === undefined) return ok(undefined);
  const certificates = readCertificatesPem(enrolment.received);
  return certificates.ok ? ok({ form: 'PEM', certificates: certificates.value, withKey: false }) : certificates;
}

/** A device's certificate from key to renewal; see core/changes. */
export const certificateEnroll: Change<typeof declaration.params> = {
  declaration,
  plan,
  deadlineMs: () => APPLY_MS,
  async apply(change, credential, context, material) {
    if (material === undefined) return WITHOUT_SESSION;
    const read = readPlan(change);
    if (!read.ok) return read;
    return read.value.step === 'request'
      ? applyRequest(read.value.operations, credential, context, material)
      : applyDeploy(read.value.operations, read.value.preImage, credential, context, material);
  },
  async readBack(change, context, material) {
    if (material === undefined) return WITHOUT_SESSION;
    const read = readPlan(change);
    if (!read.ok) return read;
    return read.value.step === 'request'
      ? readRequestBack(read.value.operations, context, material)
      : readDeployBack(read.value.operations, read.value.preImage, context);
  },
  async planUndo(change, state, context, material) {
    if (material === undefined) return WITHOUT_SESSION;
    const read = readPlan(change);
    if (!read.ok) return read;
    return read.value.step === 'request'
      ? planDiscard(change, read.value.operations, state, context, material)
      : planRestore(change, read.value.operations, read.value.preImage, state, context);
  },
};
