import type { ServiceInputs, ServiceMethod, ServiceOptions, ServiceOutput } from '../engine/service-contract.ts';
import type { Push } from '../core/ipc.ts';

/** From main to the engine's process. */
export type ToEngine =
  | { readonly type: 'start'; readonly options: ServiceOptions }
  | {
      [M in ServiceMethod]: {
        readonly type: 'call';
        readonly id: number;
        readonly method: M;
        readonly input: ServiceInputs[M];
      };
    }[ServiceMethod]
  | { readonly type: 'close' };

/** From the engine's process to main. */
export type FromEngine =
  | { readonly type: 'answer'; readonly id: number; readonly result: ServiceOutput<ServiceMethod> }
  | { readonly type: 'push'; readonly push: Push }
  | { readonly type: 'closed' };
