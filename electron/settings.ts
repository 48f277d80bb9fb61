import { join } from 'node:path';
import { z } from 'zod';
import { createJsonStore, type JsonStore } from './json-store.ts';

const MOST_RECENT = 10;

const settingsSchema = z.strictObject({
  appearance: z.enum(['system', 'light', 'dark']).default('system'),
  /** Last used first. */
  sites: z
    .array(z.strictObject({ path: z.string().max(4096), name: z.string().max(200) }))
    .max(MOST_RECENT)
    .default([]),
  identities: z
    .array(z.strictObject({ path: z.string().max(4096), subject: z.string().max(2000).optional() }))
    .max(MOST_RECENT)
    .default([]),
});
export type Settings = z.output<typeof settingsSchema>;

/** What the app remembers between starts: no secret, nothing of a hospital but where its files lie. */
export function createSettings(folder: string): JsonStore<Settings> {
  return createJsonStore(join(folder, 'settings.json'), settingsSchema, {
    appearance: 'system',
    sites: [],
    identities: [],
  });
}

/** Puts `entry` first in a list of recent files and drops what is too old. */
export function remember<E extends { readonly path: string }>(list: readonly E[], entry: E): E[] {
  return [entry, ...list.filter((one) => one.path !== entry.path)].slice(0, MOST_RECENT);
}
