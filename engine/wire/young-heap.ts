import { versions } from 'node:process';
import { setFlagsFromString } from 'node:v8';

/** People from which on a walk is a big one. */
const MANY = 2_000;

/**
 * Keeps V8 from doubling its young generation, again and again, while a big group is read: what is held of each person
 * makes it believe that all of it is worth holding, and that costs up to a hundred megabytes. For the rest of the process,
 * because the people stay. V8 reads this flag whenever it would grow; Electron may have frozen the flags.
 */
export function keepHeapSmall(people: number): void {
  if (people >= MANY && versions['electron'] === undefined) setFlagsFromString('--semi-space-growth-factor=1');
}
