import { fail } from '../core/result.ts';
import type { Service } from '../engine/service-contract.ts';
import { createService } from '../engine/service.ts';
import type { FromEngine, ToEngine } from './engine-messages.ts';

/**
 * Entry of the engine's own process: hostile input and hundreds of endpoints are met here, where a stall or a crash does
 * not take the window along.
 */
const port = process.parentPort;
const say = (message: FromEngine) => port.postMessage(message);

let service: Service | undefined;

port.on('message', ({ data }: { data: ToEngine }) => void receive(data));

async function receive(message: ToEngine): Promise<void> {
  if (message.type === 'start') {
    service = createService(message.options);
    service.onPush((push) => say({ type: 'push', push }));
    return;
  }
  if (message.type === 'close') {
    await service?.close().catch((error: unknown) => console.error(error));
    say({ type: 'closed' });
    return;
  }
  const { id, method, input } = message;
  try {
    if (service === undefined) throw new Error('a call before the start');
    // Method and input belong together by the type of the message; the compiler cannot follow that through a union.
    const result = await (service.call as (method: string, input: unknown) => ReturnType<Service['call']>)(
      method,
      input,
    );
    say({ type: 'answer', id, result });
  } catch (error) {
    console.error(`${method}:`, error);
    say({
      type: 'answer',
      id,
      result: fail('internal', 'The engine came upon something unexpected.', {
        place: method,
        cause: String((error as Error)?.message ?? error),
      }),
    });
  }
}
