import { z } from 'zod';
import { idSchema } from '../site/schema.ts';

const identifiers = z.array(z.string().min(1).max(60)).min(1);

/** A framework that guides refer to: its questions, and what they correspond to in other frameworks. */
export const frameworkSchema = z
  .strictObject({
    framework: idSchema,
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/)
      .describe('Of this file, not of the framework'),
    title: z.string().min(1).max(200),
    source: z.string().min(1).max(500),
    mappings: z.record(idSchema, z.string().min(1).max(500)).describe('Other frameworks by id, each with edition'),
    questions: z.record(
      z.string().regex(/^[A-Z]+-\d+(\.\d+)*$/),
      z.strictObject({ text: z.string().min(1).max(300), maps: z.record(idSchema, identifiers).default({}) }),
    ),
  })
  .superRefine((framework, context) => {
    for (const [id, question] of Object.entries(framework.questions)) {
      for (const name of Object.keys(question.maps)) {
        if (!Object.hasOwn(framework.mappings, name))
          context.addIssue({
            code: 'custom',
            path: ['questions', id, 'maps', name],
            message: `"${name}" is not among the mappings`,
          });
      }
    }
  });
export type Framework = z.output<typeof frameworkSchema>;
