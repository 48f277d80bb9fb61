import type { ChangeDeclaration } from '../changes/declaration.ts';
import type { ProbeDeclaration } from '../probes/declaration.ts';
import { addDuration } from '../verdict/duration.ts';
import { type Guide, RESERVED_NAMES } from './schema.ts';
import type { Shape } from './shapes.ts';

/** Where in the guide a fault lies: a path, and an offset in the value there. */
export type Report = (path: readonly PropertyKey[], message: string, within?: number) => void;

/** What the check of one part needs to know of the whole. */
export type GuideContext = {
  readonly guide: Guide;
  readonly probes: ReadonlyMap<string, ProbeDeclaration>;
  readonly changes: ReadonlyMap<string, ChangeDeclaration>;
  readonly names: ReadonlyMap<string, Shape>;
  readonly report: Report;
  /** Names of inputs that something uses. */
  readonly used: Set<string>;
};

/** CEL and its own reserved words; a guide cannot name anything so. */
const RESERVED = new Set<string>([
  ...RESERVED_NAMES,
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

/** Whether a name means something else in expressions. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** Whether evidence that is good for so long is good at all. */
export function isInstant(duration: string): boolean {
  const start = new Date(0);
  return addDuration(start, duration).getTime() === start.getTime();
}
