import { z } from 'zod';
import { declareProbe } from './declaration.ts';

/** `directory.account`: what a service account is allowed to be and do. Default: the account Lockstep binds as. */
export const directoryAccount = declareProbe({
  id: 'directory.account',
  title: 'Directory account',
  version: 1,
  params: z.strictObject({
    account: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('sAMAccountName, userPrincipalName or DN; default: the bind account of the site'),
  }),
  facts: z.strictObject({
    exists: z.boolean().describe('The account is in the directory'),
    enabled: z.boolean().optional().describe('Not disabled'),
    locked: z.boolean().optional().describe('Locked out after failed logons'),
    expired: z.boolean().optional().describe('Past its account expiry'),
    passwordNeverExpires: z.boolean().optional().describe('The password is exempt from expiry'),
    passwordNotRequired: z.boolean().optional().describe('The account may have an empty password'),
    passwordAgeDays: z.number().optional().describe('Days since the password was set'),
    reversibleEncryption: z.boolean().optional().describe('The password is stored so that it can be read back'),
    noPreAuthentication: z
      .boolean()
      .optional()
      .describe('Kerberos without pre-authentication: hashes can be asked for by anybody'),
    desOnly: z.boolean().optional().describe('Kerberos limited to DES'),
    adminCount: z.boolean().optional().describe('Marked as (formerly) protected administrator'),
    privilegedGroups: z
      .array(z.string())
      .optional()
      .describe('Built-in administrative groups that the account is in, directly, through nesting or as primary group'),
    groups: z.int().optional().describe('Number of groups it is in, upwards through all nesting'),
    servicePrincipalNames: z.array(z.string()).optional().describe('Kerberos service names of the account'),
    kerberoastable: z
      .boolean()
      .optional()
      .describe('An enabled user account with a service name: any domain user can try its password offline'),
    delegation: z
      .enum(['none', 'constrained', 'protocol-transition', 'resource-based', 'unconstrained'])
      .optional()
      .describe('The widest way in which it may act for others'),
    encryptionTypes: z
      .array(z.enum(['des-cbc-crc', 'des-cbc-md5', 'rc4-hmac', 'aes128', 'aes256']))
      .optional()
      .describe('Kerberos encryption types set on the account; absent when none are set'),
  }),
  visible: ({ account }) => [
    `One bind of the bind account, and searches for ${account ?? 'the bind account'} and the groups it is in.`,
  ],
  rights: 'an ordinary domain user',
  deadlineMs: 30_000,
});
