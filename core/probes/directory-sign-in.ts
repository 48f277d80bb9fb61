import { z } from 'zod';
import { credentialSchema, idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

const attemptSchema = z.strictObject({
  outcome: z.enum(['accepted', 'refused']).describe('Whether the directory let the account in'),
  code: z
    .string()
    .optional()
    .describe("When refused: the directory's sub-code, e.g. 533 for a disabled account (MS-ERREF, in hexadecimal)"),
  reason: z.string().optional().describe('When refused: what that means, in words'),
});

/** `directory.sign-in`: what the product does when somebody signs in, done once with an account that consented. */
export const directorySignIn = declareProbe({
  id: 'directory.sign-in',
  title: 'Sign-in of a canary account',
  version: 2,
  params: z.strictObject({
    account: credentialSchema.describe('Account of somebody who consented, and the name of its secret'),
    mustRefuse: credentialSchema
      .optional()
      .describe('Disabled or expired account that must not get in, and the name of the secret with its right password'),
    roles: z
      .array(z.strictObject({ id: idSchema, name: z.string().optional(), group: z.string().min(1).max(256) }))
      .min(1)
      .max(50)
      .describe('Every role of the product with its group, e.g. $site.roles'),
  }),
  facts: z.strictObject({
    signIn: attemptSchema.describe('The attempt with the canary'),
    roles: z.array(z.string()).optional().describe('Ids of the roles that its groups give it'),
    groups: z.int().optional().describe('Number of groups that count for it, through all nesting'),
    how: z
      .enum(['token-groups', 'walk'])
      .optional()
      .describe('Whether the directory told its groups, or the members of the role groups were walked'),
    lockout: z
      .strictObject({
        threshold: z.int().describe('Failed logons until the canary is locked out; 0: never'),
        failed: z.int().optional().describe('Failed logons that counted before the attempt'),
        source: z
          .enum(['account', 'site'])
          .describe(
            'Whether the policy that holds for the account says so, or the site file because that may not be read',
          ),
      })
      .optional()
      .describe('How far the canary was from its lockout'),
    mustRefuse: attemptSchema.optional().describe('The attempt with the disabled or expired account'),
  }),
  visible: ({ account, mustRefuse }) => [
    `One logon of ${account.user}, and a read of its state by the bind account before.`,
    ...(mustRefuse === undefined ? [] : [`One failed logon of ${mustRefuse.user}, which is disabled or expired.`]),
  ],
  rights:
    'an ordinary domain user that may read badPwdCount and the lockout policy that holds for the account (or the site file states after how many failures it is locked out); nothing is tried where these are not known or the account is near its lockout',
  deadlineMs: 60_000,
});
