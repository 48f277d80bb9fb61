import { z } from 'zod';
import { certificateTemplateSchema, type CertificateTemplate } from '../certificate-template.ts';
import type { EventData, JournalEvent } from './events.ts';

/** What the request step leaves in the journal: public facts only. */
export const requestStateSchema = z.strictObject({
  /** PKCS#10 in PEM; absent where there is no request. */
  request: z.string().optional(),
  subject: z.string().optional(),
  names: z.array(z.string()).optional(),
  key: z.string().optional(),
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  publicKeySha256: z.string().optional(),
});
export type RequestState = z.output<typeof requestStateSchema>;

const requestPlanSchema = z.object({
  do: z.literal('request'),
  made: z.enum(['device', 'here']),
  sameKey: z.boolean(),
  template: certificateTemplateSchema,
  stamp: z.string(),
});
const deployPlanSchema = z.object({ do: z.literal('deploy'), request: z.string(), chain: z.string() });

/** A part of a change that waits for somebody in its middle: the request, or its installation, or the way back of either. */
export type ChangeStep = {
  readonly do: 'request' | 'discard' | 'deploy' | 'restore';
  readonly made: 'device' | 'here';
};

const stepSchema = z.object({
  do: z.enum(['request', 'discard', 'deploy', 'restore']),
  made: z.enum(['device', 'here']),
});

/** The part that a plan is; undefined for changes of one part. */
export function stepOf(operations: unknown): ChangeStep | undefined {
  return stepSchema.safeParse(operations).data;
}

/** A request that was made and not taken back. */
export type MadeRequest = {
  /** The change that made it. */
  readonly change: string;
  readonly at: string;
  readonly made: 'device' | 'here';
  readonly sameKey: boolean;
  readonly template: CertificateTemplate;
  /** Part of the names of the files that belong to it. */
  readonly stamp: string;
  readonly pem: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly key: string;
  readonly publicKeySha256: string;
};

/** How far a step's certificate has come; everything absent: nothing was asked for. */
export type Enrolment = {
  readonly request?: MadeRequest;
  /** Chain (PEM, leaf first) of the last plan to install what came back. */
  readonly received?: string;
  /** The change that installed it, as planned and not undone. */
  readonly installed?: string;
};

/** Reads from the journal how far the certificate of a step has come, so that a resumed session goes on there. */
export function enrolmentOf(events: readonly JournalEvent[], key: string): Enrolment {
  const planned = new Map<string, EventData<'change.planned'>>();
  const undone = new Set(events.flatMap((event) => (event.type === 'change.undone' ? [event.data.change] : [])));
  let request: MadeRequest | undefined;
  let received: string | undefined;
  let installed: string | undefined;
  for (const { type, data, at } of events) {
    if (!('key' in data) || data.key !== key) continue;
    if (type === 'change.planned') {
      planned.set(data.change, data);
      const deploy = deployPlanSchema.safeParse(data.operations);
      if (deploy.success && !data.undo && deploy.data.request === request?.change) received = deploy.data.chain;
    }
    if (type !== 'change.readback' || !data.asPlanned || undone.has(data.change)) continue;
    const plan = planned.get(data.change);
    if (plan === undefined || plan.undo) continue;
    const made = requestPlanSchema.safeParse(plan.operations);
    const state = requestStateSchema.safeParse(data.state);
    if (made.success && state.success && state.data.request !== undefined) {
      const { subject = '', names = [], key: kind = '', publicKeySha256 = '' } = state.data;
      const { do: _do, ...rest } = made.data;
      request = {
        change: data.change,
        at,
        ...rest,
        pem: state.data.request,
        subject,
        names,
        key: kind,
        publicKeySha256,
      };
      received = undefined;
      installed = undefined;
    }
    const deploy = deployPlanSchema.safeParse(plan.operations);
    if (deploy.success && deploy.data.request === request?.change) installed = data.change;
  }
  return {
    ...(request === undefined ? {} : { request }),
    ...(received === undefined ? {} : { received }),
    ...(installed === undefined ? {} : { installed }),
  };
}
