import { ipcMain, type IpcMainInvokeEvent } from 'electron';
import type { z } from 'zod';
import { type Channel, INPUTS, type Output } from '../core/ipc.ts';
import { fail } from '../core/result.ts';
import { isAppUrl } from './app-paths.ts';

/** One function per channel; its input is checked before it is called. */
export type Handlers = {
  readonly [C in Channel]: (input: z.output<(typeof INPUTS)[C]>) => Output<C> | Promise<Output<C>>;
};

export type RouterOptions = {
  readonly handlers: Handlers;
  /** Whether this is the window that main opened. */
  readonly isOurs: (webContentsId: number) => boolean;
  /** For the log: one line without any value that crossed. */
  readonly report: (line: string) => void;
};

/**
 * Registers every channel of the contract behind the one wrapper: only the main frame of our window, on our origin, may
 * call; what it sends must fit the channel's schema; whatever happens comes back as a Result. Errors of the wrapper:
 * `ipc.invalid` (with the place inside the input, never the value, which may be a secret), `internal`.
 */
export function installRouter(options: RouterOptions): void {
  for (const channel of Object.keys(INPUTS) as Channel[]) {
    ipcMain.handle(channel, (event, input: unknown) => answer(channel, event, input, options));
  }
}

async function answer<C extends Channel>(
  channel: C,
  event: IpcMainInvokeEvent,
  input: unknown,
  { handlers, isOurs, report }: RouterOptions,
): Promise<Output<C>> {
  if (!isOurPage(event, isOurs)) {
    report(`${channel}: refused, the sender is not the app's page`);
    return fail('ipc.invalid', "Refused: only the app's own page may ask for this.");
  }
  const parsed = INPUTS[channel].safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = [channel, ...(issue?.path.map(String) ?? [])].join('.');
    report(`${channel}: refused, the input does not fit at ${place} (${issue?.code})`);
    return fail('ipc.invalid', 'The page sent something that does not fit what was agreed.', {
      place,
      ...(issue === undefined ? {} : { cause: issue.code }),
    });
  }
  try {
    return await (handlers[channel] as (value: unknown) => Output<C> | Promise<Output<C>>)(parsed.data);
  } catch (error) {
    report(`${channel}: ${(error as Error)?.stack ?? String(error)}`);
    return fail('internal', 'Something went wrong inside Lockstep. Nothing is known to be lost; try again.', {
      place: channel,
      cause: String((error as Error)?.message ?? error),
    });
  }
}

function isOurPage(event: IpcMainInvokeEvent, isOurs: RouterOptions['isOurs']): boolean {
  const frame = event.senderFrame;
  // A frame that went away while its message was under way has none, and one inside another has a parent.
  return frame !== null && frame.parent === null && isOurs(event.sender.id) && isAppUrl(frame.url);
}
