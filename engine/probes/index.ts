import type { Probe } from '../context.ts';
import { directoryConnection } from './directory-connection.ts';

/** Every probe that can be run, one line each. */
export const PROBES: readonly Probe[] = [
  directoryConnection,
];
