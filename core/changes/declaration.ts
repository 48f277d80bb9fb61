import type { z } from 'zod';

/** What a change is, without code that touches anything. */
export type ChangeDeclaration<P extends z.ZodType = z.ZodType> = {
  /** Dotted id used in guides, e.g. `directory.create-group`. */
  readonly id: string;
  readonly title: string;
  readonly version: number;
  readonly params: P;
  /** What the hospital's monitoring will see. */
  readonly visible: (params: z.output<P>) => readonly string[];
  /** Rights the write credential needs, in words. */
  readonly rights: string;
};

/** Keeps the literal types of a declaration. */
export function declareChange<P extends z.ZodType>(declaration: ChangeDeclaration<P>): ChangeDeclaration<P> {
  return declaration;
}
