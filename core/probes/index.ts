import type { ProbeDeclaration } from './declaration.ts';
import { directoryAccount } from './directory-account.ts';
import { directoryConnection } from './directory-connection.ts';
import { directoryGroup } from './directory-group.ts';
import { directoryPasswordPolicy } from './directory-password-policy.ts';

/** Every probe that a guide may name; the types of parameters and facts are erased here. */
export const PROBE_DECLARATIONS = [
  directoryAccount,
  directoryConnection,
  directoryGroup,
  directoryPasswordPolicy,
] as unknown as readonly ProbeDeclaration[];
