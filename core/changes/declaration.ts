import { z } from 'zod';
import type { Site } from '../site/schema.ts';

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
  /** What a schema cannot say: rules between parameters, looked at as the guide writes them, expressions not yet evaluated. */
  readonly faults?: (given: unknown) => readonly ChangeFault[];
  /** Secrets that the parameters name, with what each is for. */
  readonly secrets?: (params: z.output<P>) => readonly { readonly name: string; readonly purpose: string }[];
  /** What the site file lacks for it, as a sentence; undefined where it lacks nothing. */
  readonly lacks?: (params: z.output<P>, site: Site) => string | undefined;
};

/** `path` is below `with`. */
export type ChangeFault = { readonly path: readonly string[]; readonly message: string };

/** Keeps the literal types of a declaration. */
export function declareChange<P extends z.ZodType>(declaration: ChangeDeclaration<P>): ChangeDeclaration<P> {
  return declaration;
}

/** Something in the directory, as a guide names it. */
export const principalSchema = z.string().min(1).max(1024);

/** The group that a change is about. */
export const groupSchema = principalSchema.describe('sAMAccountName, cn, DN or SID of the group');

/** Members by name. `S-1-5-21-domain-513` is the well-known group with that number in the site's domain, in any language. */
export const membersSchema = z.array(principalSchema).min(1).max(200);

/** The value of an RDN: no control characters; everything else is escaped. */
export const leafSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}]+$/u, 'a name cannot hold control characters')
  .regex(/^\S(?:.*\S)?$/u, 'a name cannot begin or end with a space');

/** A text attribute of one value. */
export const descriptionSchema = z.string().min(1).max(1024);
