import type { z } from 'zod';
import type { ChangeDeclaration } from '../../core/changes/declaration.ts';
import type { Result } from '../../core/result.ts';
import type { Enrolment } from '../../core/session/enrolment.ts';
import type { ProbeContext } from '../context.ts';
import type { Received } from '../keys/received.ts';

/** Asked for one change, used once, dropped. */
export type WriteCredential = {
  readonly user: string;
  readonly password: string;
  /** Locks a key that is made here, and opens it again when it is carried to the device. */
  readonly keyPassphrase?: string;
};

/** What a change that waits for somebody in its middle gets from the session beside its parameters. */
export type ChangeMaterial = {
  readonly enrolment: Enrolment;
  /** What was imported for this plan. */
  readonly received?: Received;
  readonly keys: KeyStore;
};

/** Files beside the session. Keys in it are locked; none of it goes into a bundle. Errors: `journal.write`, `input.not-found`. */
export type KeyStore = {
  readonly save: (name: string, text: string) => Promise<Result<void>>;
  readonly read: (name: string) => Promise<Result<string>>;
  readonly remove: (name: string) => Promise<Result<void>>;
};

/** What will be written, shown before it is. Plain JSON; goes to the journal, so it holds no secret. */
export type ChangePlan = {
  readonly kind: string;
  /** One sentence: what, where. */
  readonly summary: string;
  /** The diff as people read it; for a directory: LDIF (RFC 2849). */
  readonly diff: string;
  /** What `apply` executes; private to the change's own file. */
  readonly operations: unknown;
  /** The state before, as read now. */
  readonly preImage: unknown;
  /** True for the plan that undoes an earlier one. */
  readonly undo: boolean;
};

/** What was found after the write. `state` is what an undo will be compared with. */
export type ReadBack = {
  readonly asPlanned: boolean;
  readonly differences: readonly string[];
  readonly state: unknown;
};

/** What is worth recording of a write besides that it was made. */
export type AppliedNote = {
  /** The operator confirmed from a new connection that the device can still be reached; until then it would have undone it. */
  readonly confirmed?: { readonly seconds: number; readonly at: string };
};

/** A declaration with the code that plans, writes, reads back and plans the way back. */
export type Change<P extends z.ZodType = z.ZodType> = {
  readonly declaration: ChangeDeclaration<P>;
  /** Reads with the ordinary credential; `change.refused` where nothing is to be done or it would lock somebody out. */
  readonly plan: (params: z.output<P>, context: ProbeContext, material?: ChangeMaterial) => Promise<Result<ChangePlan>>;
  /** Writes. Refuses with `change.state-differs` where the state is no longer the plan's pre-image. */
  readonly apply: (
    plan: ChangePlan,
    credential: WriteCredential,
    context: ProbeContext,
    material?: ChangeMaterial,
  ) => Promise<Result<void | AppliedNote>>;
  readonly readBack: (plan: ChangePlan, context: ProbeContext, material?: ChangeMaterial) => Promise<Result<ReadBack>>;
  /** Plans the undo of `plan`, refused where the state differs from `state` as read back then. */
  readonly planUndo: (
    plan: ChangePlan,
    state: unknown,
    context: ProbeContext,
    material?: ChangeMaterial,
  ) => Promise<Result<ChangePlan>>;
  /** Milliseconds that a step of the plan may take, where the usual is too short. */
  readonly deadlineMs?: (plan: ChangePlan) => number;
  /** The plan as lines for PowerShell's ActiveDirectory module; absent where a directory team could not do it. */
  readonly powershell?: (plan: ChangePlan) => Result<readonly string[]>;
};
