import { z } from 'zod';
import { certificateEnroll, httpsEnrolmentSchema, sshEnrolmentSchema } from '../../core/changes/certificate-enroll.ts';
import { certificateTemplateSchema } from '../../core/certificate-template.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { requestStateSchema } from '../../core/session/enrolment.ts';
import { endpointSchema } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import { httpsWay } from './certificate-https.ts';
import { sshWay } from './certificate-ssh.ts';
import type { Way } from './certificate-way.ts';
import type { ChangePlan } from './change.ts';

/** Plans come back from a journal, so what they hold is checked before it is executed. */
const common = {
  endpoint: endpointSchema,
  by: z.union([z.strictObject({ ssh: sshEnrolmentSchema }), z.strictObject({ https: httpsEnrolmentSchema })]),
  made: z.enum(['device', 'here']),
  sameKey: z.boolean(),
  /** Part of the names of files: the time of planning. */
  stamp: z.string().regex(/^\d{8}T\d{6}Z$/),
};
const pem = z.string().max(262_144);

export const requestOperationsSchema = z.strictObject({
  do: z.enum(['request', 'discard']),
  ...common,
  template: certificateTemplateSchema,
});
export type RequestOperations = z.output<typeof requestOperationsSchema>;

export const deployOperationsSchema = z.strictObject({
  do: z.enum(['deploy', 'restore']),
  ...common,
  /** The change that made the request. */
  request: z.string(),
  requestStamp: common.stamp,
  /** Certificate first, then the authorities above it. */
  chain: pem,
  certificate: pem,
  intermediates: pem,
  /** What the endpoint must show afterwards: SHA-256, or `nothing`. */
  wanted: z.string(),
  /** What the certificate file must be afterwards; absent where the way cannot tell. */
  wantedFile: z.string().optional(),
  /** Anchors that the other side holds. */
  anchors: z.array(z.string()).optional(),
});
export type DeployOperations = z.output<typeof deployOperationsSchema>;

/** What is looked at before and after an installation; what an undo is compared with. */
export const deployStateSchema = z.strictObject({
  /** SHA-256 of the certificate that the endpoint shows, or `nothing`. */
  presented: z.string(),
  file: z.string().optional(),
  kept: z.boolean().optional(),
});
export type DeployState = z.output<typeof deployStateSchema>;

export type ReadPlan =
  | { readonly step: 'request'; readonly operations: RequestOperations }
  | { readonly step: 'deploy'; readonly operations: DeployOperations; readonly preImage: DeployState };

/** The parts of a plan that this change has made. Error: `change.refused`. */
export function readPlan(change: ChangePlan): Result<ReadPlan> {
  if (change.kind === certificateEnroll.id) {
    const request = requestOperationsSchema.safeParse(change.operations);
    if (request.success && requestStateSchema.safeParse(change.preImage).success)
      return ok({ step: 'request', operations: request.data });
    const deploy = deployOperationsSchema.safeParse(change.operations);
    const preImage = deployStateSchema.safeParse(change.preImage);
    if (deploy.success && preImage.success)
      return ok({ step: 'deploy', operations: deploy.data, preImage: preImage.data });
  }
  return fail('change.refused', 'The plan is not one that this change has made.');
}

/** The way onto the device that a plan names. */
export function wayOf({ by, endpoint }: Pick<RequestOperations, 'by' | 'endpoint'>, context: ProbeContext): Way {
  return 'ssh' in by ? sshWay(by.ssh, context) : httpsWay(by.https, endpoint.host, context);
}

/** A time as part of a file name. */
export function stampOf(now: Date): string {
  return `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
