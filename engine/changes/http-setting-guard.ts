import { setTimeout as sleep } from 'node:timers/promises';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import type { AppliedNote } from './change.ts';
import type { SettingOperations } from './http-setting.ts';
import { sameSetting, showSetting } from './setting-value.ts';

const MARGIN_MS = 2_000;
const PAUSE_MS = 1_000;

/** How the setting is read and put back over new connections. */
export type SettingWay = {
  readonly read: (url: string) => Promise<Result<unknown>>;
  readonly write: (url: string) => Promise<Result<void>>;
};

/**
 * No job can be left on a device that is only reached over REST, so nobody undoes the change when it cuts off the way. That is said,
 * and it is only made when the operator says yes twice. Error: `change.refused`.
 */
export async function mayGoOn({ url }: Pick<SettingOperations, 'url'>, context: ProbeContext): Promise<Result<void>> {
  const { host } = new URL(url);
  const questions = [
    `This changes the very way by which ${host} is reached. The device cannot undo it by itself, and Lockstep can only as long as it still reaches the device. Make the change all the same?`,
    `Is somebody at ${host}, or is there another way to it, so that it can be set right by hand if it is not reached any more?`,
  ];
  for (const question of questions)
    if (!(await context.ask(question, { kind: 'confirm' })))
      return fail('change.refused', 'This change may cut off its own way, and that was not accepted twice.', {
        place: url,
      });
  return ok(undefined);
}

/**
 * Reads the setting over new connections until that works, asks whether it may stay, and sets the old value again otherwise.
 * Errors: `change.failed`, which says whether the old value is there again.
 */
export async function confirmSetting(
  { url, at, value, guard }: Pick<SettingOperations, 'url' | 'at' | 'value' | 'guard'>,
  former: unknown,
  until: number,
  context: ProbeContext,
  way: SettingWay,
): Promise<Result<AppliedNote>> {
  const place = guard?.url ?? url;
  const last = new Date(until - MARGIN_MS);
  let cause: AppError | undefined;
  let why = 'No new connection could be opened';
  while (Date.now() < last.getTime() && !context.signal.aborted) {
    const seen = await way.read(place);
    if (seen.ok && sameSetting(seen.value, value)) {
      const yes = await context.ask(
        `The setting was changed, and a new connection to ${new URL(place).host} works. Keep the change?`,
        { until: last, otherwise: 'Lockstep sets the old value again', kind: 'confirm' },
      );
      if (yes) return ok({ confirmed: { seconds: guard?.seconds ?? 0, at: context.now().toISOString() } });
      why = 'Nobody confirmed the change';
      break;
    }
    if (!seen.ok) cause = seen.error;
    if (cause?.code === 'secret.missing') break;
    await pause(context);
  }
  const end = Date.now() + 1000 * (guard?.seconds ?? 0);
  for (;;) {
    for (const target of new Set([place, url])) {
      const back = await way.write(target);
      const seen = back.ok ? await way.read(url) : back;
      if (seen.ok && sameSetting(seen.value, former))
        return fail('change.failed', `${why}, so Lockstep set the old value again; it is there.`, about(url, cause));
      if (!seen.ok) cause = seen.error;
    }
    if (Date.now() > end || context.signal.aborted) break;
    await pause(context);
  }
  return fail(
    'change.failed',
    `${why}, and Lockstep cannot reach the device to set the old value again. Set ${at === '' ? url : at} to ${showSetting(former)} at the device.`,
    about(url, cause),
  );
}

function about(place: string, cause: AppError | undefined): { place: string; cause?: string } {
  return { place, ...(cause === undefined ? {} : { cause: `${cause.message} ${cause.cause ?? ''}`.trim() }) };
}

function pause(context: ProbeContext): Promise<unknown> {
  return sleep(PAUSE_MS, undefined, { signal: context.signal }).catch(() => undefined);
}
