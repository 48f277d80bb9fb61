import { z } from 'zod';
import { jsonPointerSchema } from '../json-pointer.ts';
import { credentialSchema, deviceUrlSchema, idSchema } from '../site/schema.ts';
import { declareChange } from './declaration.ts';

/**
 * `http.setting`: one setting of a device that shows and takes it over its REST interface, by a mapping that the guide declares. It
 * is read, changed, read back, and its undo sets the old value again.
 */
export const httpSetting = declareChange({
  id: 'http.setting',
  title: 'Change a setting over the REST interface of the device',
  version: 1,
  params: z.strictObject({
    url: deviceUrlSchema.describe('GET shows the setting'),
    at: jsonPointerSchema
      .default('')
      .describe('Where in the answer the setting stands; empty: the whole answer, JSON or plain text'),
    value: z.unknown().describe('What it is to be'),
    merge: z
      .boolean()
      .default(false)
      .describe('The value names some members of an object: only these are read, changed and undone, the others stay'),
    write: z
      .strictObject({
        method: z.enum(['PUT', 'POST', 'PATCH']).default('PUT'),
        url: deviceUrlSchema.optional().describe('Default: the URL that shows it'),
        body: z
          .unknown()
          .optional()
          .describe(
            'What is sent: "{{ value }}" stands for the value, "{{ whole }}" for the whole answer with the value in it. Default: objects down to the value, or the value alone where it is the whole answer',
          ),
        type: z.enum(['json', 'text']).default('json').describe('JSON, or a value of plain text as it is'),
      })
      .default({ method: 'PUT', type: 'json' }),
    credential: credentialSchema.optional().describe('Account that reads the setting'),
    anchors: z.array(idSchema).min(1).optional().describe('Ids of the site anchors; default: all of the site'),
    guard: z
      .strictObject({
        seconds: z.int().min(10).max(600).default(60).describe('Time to confirm from a new connection'),
        url: deviceUrlSchema.optional().describe('GET shows the setting there, where the change moves it'),
      })
      .optional()
      .describe('For a change that may cut off the connection it is made over; taken by itself where that can be seen'),
  }),
  visible: ({ url, write }) => [
    `GET requests to ${url}, and one ${write.method} to ${write.url ?? url} with the write credential: entries in the device's own log.`,
  ],
  rights: "change the device's settings (an administrator of the device)",
});
