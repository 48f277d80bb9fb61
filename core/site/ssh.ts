import { z } from 'zod';

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
