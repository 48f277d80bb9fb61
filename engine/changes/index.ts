import type { Change } from './change.ts';
import { directoryCreateGroup } from './directory-create-group.ts';

/** Every change that can be made, one line each. */
export const CHANGES: readonly Change[] = [directoryCreateGroup as unknown as Change];
