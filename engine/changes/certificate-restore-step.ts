import { certificateEnroll as declaration } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { type DeployOperations, type DeployState, deployStateSchema, wayOf } from './certificate-plan.ts';
import { describeCertificate, presentedOf, shownCertificate } from './certificate-shown.ts';
import type { ChangePlan } from './change.ts';
import { stateForUndo } from './undo.ts';

/** Plans the way back of an installation: the certificate and key before, which the device keeps. */
export async function planRestore(
  change: ChangePlan,
  operations: DeployOperations,
  preImage: DeployState,
  state: unknown,
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  const then = stateForUndo(change, state, deployStateSchema);
  if (!then.ok) return then;
  const way = wayOf(operations, context);
  if (way.restore === undefined)
    return fail('change.refused', `${way.device} does not hand the former certificate back, so this is not undone.`);
  const shown = await shownCertificate(operations.endpoint, context);
  if (!shown.ok) return shown;
  const place = await way.place(operations.stamp);
  if (!place.ok) return place;
  const now: DeployState = { presented: presentedOf(shown.value), ...place.value };
  if (now.presented !== then.value.presented || now.file !== then.value.file || now.kept !== then.value.kept)
    return fail('change.state-differs', 'Somebody has changed the certificate of the device since.');
  if (now.kept === false) return fail('change.refused', 'The former certificate is not kept on the device any more.');
  const where = `${operations.endpoint.host}:${operations.endpoint.port}`;
  return ok({
    kind: declaration.id,
    summary: `Put the former certificate of ${way.device} back.`,
    diff: `${[
      ...(shown.value === undefined ? [] : [`- ${where}: ${describeCertificate(shown.value)}`]),
      `+ ${where}: the former one, SHA-256 ${preImage.presented}`,
      ...way
        .installLines(operations.stamp)
        .filter((line) => line.startsWith('run:') && line.endsWith(restartOf(operations))),
    ].join('\n')}\n`,
    operations: {
      ...withoutFile(operations),
      do: 'restore',
      wanted: preImage.presented,
      ...(preImage.file === undefined ? {} : { wantedFile: preImage.file }),
    } satisfies DeployOperations,
    preImage: now,
    undo: true,
  });
}

function withoutFile({ wantedFile: _file, ...operations }: DeployOperations): Omit<DeployOperations, 'wantedFile'> {
  return operations;
}

function restartOf({ by }: DeployOperations): string {
  return 'ssh' in by ? by.ssh.restart : '';
}
