import { stockCommands } from '../../core/bundle/stock-commands.ts';

/** Names of the files in which the reader keeps the roots that they trust. */
const ROOTS = ['engineer-root.pem', 'hospital-root.pem'];

/** Stock commands that check a bundle without Lockstep, as its README says them. */
export function opensslLines(bundle: string, countersigned: boolean): string {
  return stockCommands(bundle, countersigned ? ROOTS : ROOTS.slice(0, 1)).join('\n');
}
