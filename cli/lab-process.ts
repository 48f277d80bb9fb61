import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type AppError, appError, ok, type Result } from '../core/result.ts';
import { ASSETS, ROOT } from './host.ts';

/** What the practice hospital says about itself once it stands. Secrets stay in memory. */
export type LabInfo = {
  readonly siteFile: string;
  readonly guides: readonly { readonly id: string; readonly path: string }[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly siteKey: string;
  readonly writeCredential: { readonly user: string; readonly password: string };
  /** The hospital's own account on the gateway. */
  readonly deviceCredential: { readonly user: string; readonly password: string };
  readonly identities: Readonly<
    Record<'engineer' | 'hospital' | 'publisher', { readonly path: string; readonly passphrase: string }>
  >;
  readonly trust: Readonly<Record<'engineer' | 'hospital' | 'publisher', string>>;
  readonly faults: readonly {
    readonly id: string;
    readonly title: string;
    readonly control: string;
    readonly on: boolean;
  }[];
};

export type LabProcess = {
  readonly info: LabInfo;
  readonly setFault: (id: string, on: boolean) => Promise<Result<void>>;
  readonly harden: (ids?: readonly string[]) => Promise<Result<void>>;
  readonly stop: () => Promise<void>;
};

type Message = { type: 'ready'; lab: LabInfo } | { type: 'done' } | { type: 'failed'; error: AppError };

const START_MS = 60_000;
const STEP_MS = 30_000;

/** Starts the practice hospital in its own process. Error: whatever kept it from starting. */
export async function startLabProcess(dir: string, shipped: boolean): Promise<Result<LabProcess>> {
  const child = fork(join(ROOT, 'lab', 'host.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const first = await exchange(child, { type: 'start', dir, assetsDir: ASSETS, shipped }, START_MS);
  if (!first.ok || first.value.type !== 'ready') {
    child.kill();
    return first.ok ? { ok: false, error: appError('internal', 'The practice hospital did not start.') } : first;
  }
  const step = async (message: object): Promise<Result<void>> => {
    const answer = await exchange(child, message, STEP_MS);
    return answer.ok ? ok(undefined) : answer;
  };
  return ok({
    info: first.value.lab,
    setFault: (id, on) => step({ type: 'fault', id, on }),
    harden: (ids) => step({ type: 'harden', ...(ids === undefined ? {} : { ids }) }),
    stop: () => stop(child),
  });
}

function exchange(child: ChildProcess, message: object, ms: number): Promise<Result<Message>> {
  return new Promise((resolve) => {
    const settle = (result: Result<Message>) => {
      clearTimeout(timer);
      child.removeListener('message', onMessage);
      child.removeListener('exit', onExit);
      resolve(result);
    };
    const onMessage = (answer: unknown) => {
      const read = answer as Message;
      settle(read.type === 'failed' ? { ok: false, error: read.error } : ok(read));
    };
    const onExit = (code: number | null) =>
      settle({ ok: false, error: appError('internal', `The practice hospital ended with code ${code}.`) });
    const timer = setTimeout(
      () => settle({ ok: false, error: appError('internal', 'The practice hospital does not answer.') }),
      ms,
    );
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send(message);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.send({ type: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}
