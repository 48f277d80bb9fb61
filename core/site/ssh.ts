import { z } from 'zod';
import { fail, ok, type Result } from '../result.ts';
import type { Device, Site, SshAccess } from './schema.ts';

/** Old algorithms that a guide may name for a device that speaks nothing better, with the part of the key exchange they stand for. */
export const LEGACY_SSH_ALGORITHMS = {
  'diffie-hellman-group14-sha1': 'kex',
  'ssh-rsa': 'serverHostKey',
  'aes256-cbc': 'cipher',
  'aes128-cbc': 'cipher',
  'hmac-sha1': 'hmac',
} as const;
export type LegacySshAlgorithm = keyof typeof LEGACY_SSH_ALGORITHMS;

/** As a parameter of a change that goes over SSH. */
export const legacySshSchema = z
  .array(z.enum(Object.keys(LEGACY_SSH_ALGORITHMS) as [LegacySshAlgorithm, ...LegacySshAlgorithm[]]))
  .max(5)
  .default([])
  .describe('Old SSH algorithms that this product needs; goes on record. Default: none');

/** The device with its SSH access. Error: `change.refused` (the site file names none). */
export function sshDevice(device: string, { devices }: Pick<Site, 'devices'>): Result<Device & { ssh: SshAccess }> {
  const found = devices.find(({ id }) => id === device);
  return found?.ssh === undefined
    ? fail(
        'change.refused',
        `The site file names no SSH access for the device ${device}: give it ssh with user, hostKey and secret.`,
        { place: device, fixBy: 'hospital' },
      )
    : ok({ ...found, ssh: found.ssh });
}

/** Says so where the site file names no SSH access for a device. */
export function lacksSsh(device: string, site: Pick<Site, 'devices'>): string | undefined {
  const found = sshDevice(device, site);
  return found.ok ? undefined : found.error.message;
}
