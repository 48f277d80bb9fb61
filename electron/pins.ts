import { join } from 'node:path';
import { z } from 'zod';
import type { Result } from '../core/result.ts';
import { createJsonStore } from './json-store.ts';

const pinsSchema = z.strictObject({
  publishers: z.array(z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), at: z.iso.datetime() })).max(500),
});

/** The publishers that the person approved, by the SHA-256 (hex) of their certificate. */
export type Pins = {
  readonly list: () => Promise<readonly string[]>;
  readonly add: (sha256: string) => Promise<Result<null>>;
  readonly remove: (sha256: string) => Promise<Result<null>>;
};

/** Keeps the pins in `pins.json` below `folder`. */
export function createPins(folder: string, now: () => Date = () => new Date()): Pins {
  const store = createJsonStore(join(folder, 'pins.json'), pinsSchema, { publishers: [] });
  return {
    list: async () => (await store.read()).publishers.map((publisher) => publisher.sha256),
    add: (sha256) =>
      store.update(({ publishers }) => ({
        publishers: [...publishers.filter((one) => one.sha256 !== sha256), { sha256, at: now().toISOString() }],
      })),
    remove: (sha256) =>
      store.update(({ publishers }) => ({ publishers: publishers.filter((one) => one.sha256 !== sha256) })),
  };
}
