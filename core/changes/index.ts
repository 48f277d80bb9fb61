import type { ChangeDeclaration } from './declaration.ts';
import { directoryCreateGroup } from './directory-create-group.ts';

/** Every change that a guide may name. */
export const CHANGE_DECLARATIONS: readonly ChangeDeclaration[] = [directoryCreateGroup as unknown as ChangeDeclaration];
