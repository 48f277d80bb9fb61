import { z } from 'zod';
import { declareProbe } from './declaration.ts';

const policySchema = z.strictObject({
  source: z
    .enum(['domain', 'fine-grained', 'ppolicy'])
    .describe('The domain policy, a password settings object, or an LDAP ppolicy entry'),
  name: z.string().optional().describe('Name of the password settings object or ppolicy entry'),
  minimumLength: z.int().optional().describe('Shortest password, in characters'),
  history: z.int().optional().describe('Former passwords that may not come back'),
  complexity: z.boolean().optional().describe('Several kinds of characters are demanded'),
  reversibleEncryption: z.boolean().optional().describe('Passwords are stored so that they can be read back'),
  expires: z.boolean().optional().describe('Passwords expire'),
  maximumAgeDays: z.number().optional().describe('Days after which a password expires; absent when it never does'),
  minimumAgeDays: z.number().optional().describe('Days before a password may be changed again'),
  lockoutThreshold: z.int().optional().describe('Failed logons until the account is locked; 0: never'),
  lockoutMinutes: z.number().optional().describe('Minutes for which it stays locked; 0: until somebody unlocks it'),
  lockoutWindowMinutes: z.number().optional().describe('Minutes after which failed logons are forgotten'),
});

/** `directory.password-policy`: the domain's password and lockout rules, and those that hold for one account. */
export const directoryPasswordPolicy = declareProbe({
  id: 'directory.password-policy',
  title: 'Password and lockout policy of the directory',
  version: 1,
  params: z.strictObject({
    account: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('Account whose effective policy is wanted; default: the bind account of the site'),
  }),
  facts: z.strictObject({
    domain: policySchema.optional().describe('The default policy of the domain'),
    effective: policySchema
      .optional()
      .describe('What holds for the account: a fine-grained policy where one wins, else the domain policy'),
    fineGrained: z
      .int()
      .optional()
      .describe('Number of password settings objects, where the bind account may read them'),
  }),
  visible: ({ account }) => [
    `One bind of the bind account, and reads of the domain policy and of ${account ?? 'the bind account'}.`,
  ],
  rights: 'an ordinary domain user; fine-grained policies may need more',
  deadlineMs: 30_000,
});
