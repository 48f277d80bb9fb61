import { z } from 'zod';

export const STATEMENT_FORMAT = 'lockstep-statement/1';

/** What a countersigner says, in a file of its own that the countersignature covers. */
export const statementSchema = z.strictObject({
  format: z.literal(STATEMENT_FORMAT),
  /** Whose root the countersignature is checked against. */
  party: z.literal('hospital'),
  /** Who signs, as they want to be named. */
  name: z.string().min(1).max(200),
  /** Their function in the hospital, in their own words. */
  role: z.string().max(200),
  remark: z.string().max(8000),
  /** Item keys (`control@kind:id`) whose waivers the countersigner accepts. */
  acceptedWaivers: z.array(z.string().max(400)).max(10_000),
  at: z.iso.datetime(),
});
export type Statement = z.output<typeof statementSchema>;

/** The one form in which a statement is written. */
export function renderStatement(statement: Statement): string {
  const { format, party, name, role, remark, acceptedWaivers, at } = statement;
  return `${JSON.stringify({ format, party, name, role, remark, acceptedWaivers, at }, null, 2)}\n`;
}
