import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { type AppError, appError, fail, ok, type Result } from '../core/result.ts';
import { appErrorSchema } from '../core/session/events.ts';
import type { ChildProcess } from './engine-process.ts';

const identitySchema = z.object({ path: z.string(), passphrase: z.string() });
const roles = <V extends z.ZodType>(value: V) => z.object({ engineer: value, hospital: value, publisher: value });

/** What the practice hospital says about itself once it stands. Paths are absolute; secrets are good for nothing else. */
const labInfoSchema = z.object({
  siteFile: z.string(),
  guides: z.array(z.object({ id: z.string(), path: z.string() })),
  secrets: z.record(z.string(), z.string()),
  siteKey: z.string(),
  writeCredential: z.object({ user: z.string(), password: z.string() }),
  deviceCredential: z.object({ user: z.string(), password: z.string() }).optional(),
  identities: roles(identitySchema),
  trust: roles(z.string()),
});
export type LabInfo = z.output<typeof labInfoSchema>;

const fromLabSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), lab: labInfoSchema }),
  z.object({ type: z.literal('failed'), error: appErrorSchema }),
  z.object({ type: z.literal('done') }),
]);

/** The practice hospital: a process of its own, on loopback. */
export type Practice = {
  /** Settles once, when it stands or failed to. */
  readonly info: Promise<Result<LabInfo>>;
  readonly stop: () => Promise<void>;
};

export type PracticeOptions = {
  /** Starts dist/electron/lab-host.js. */
  readonly fork: () => ChildProcess;
  /** Where it keeps its files. */
  readonly folder: string;
  readonly assets: string;
  readonly onDied: (error: AppError) => void;
};

const START_MS = 120_000;
const STOP_MS = 1_500;

/** Starts the practice hospital as its makers shipped it: with every fault that the guide finds. */
export function startPractice({ fork, folder, assets, onDied }: PracticeOptions): Practice {
  let child: ChildProcess | undefined;
  let stopping = false;
  let gone: () => void = () => undefined;
  const exited = new Promise<void>((resolve) => {
    gone = resolve;
  });

  const info = (async (): Promise<Result<LabInfo>> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (stopping) return fail('internal', 'Lockstep is closing.');
    const made = fork();
    child = made;
    return new Promise((resolve) => {
      let stands = false;
      const settle = (outcome: Result<LabInfo>) => {
        clearTimeout(timer);
        stands = outcome.ok;
        resolve(outcome);
      };
      const timer = setTimeout(
        () => settle(fail('internal', 'The practice hospital did not start in time.')),
        START_MS,
      );
      made.on('message', (message) => {
        const said = fromLabSchema.safeParse(message);
        if (!said.success)
          settle(
            fail('internal', 'The practice hospital said something that was not agreed.', {
              cause: said.error.issues[0]?.message ?? '',
            }),
          );
        else if (said.data.type === 'ready') settle(ok(said.data.lab));
        else if (said.data.type === 'failed') settle({ ok: false, error: withoutUndefined(said.data.error) });
      });
      made.on('exit', (code) => {
        gone();
        const error = appError('internal', 'The practice hospital stopped. Restart Lockstep to practise again.', {
          cause: `exit code ${code}`,
        });
        if (stands && !stopping) onDied(error);
        settle({ ok: false, error });
      });
      made.postMessage({ type: 'start', dir: folder, assetsDir: assets, shipped: true });
    });
  })();

  return {
    info,
    stop: async () => {
      stopping = true;
      if (child === undefined) return;
      child.postMessage({ type: 'stop' });
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
      child.kill();
    },
  };
}

function withoutUndefined(error: z.output<typeof appErrorSchema>): AppError {
  return appError(error.code, error.message, {
    fixBy: error.fixBy,
    ...(error.place === undefined ? {} : { place: error.place }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}
