import { z } from 'zod';
import { credentialSchema } from '../site/schema.ts';
import { declareChange } from './declaration.ts';

/**
 * `device.role-group`: which directory group each role of a product is read from, for devices whose administration API shows
 * and takes settings as JSON with `directory.roleGroups`. Its undo puts the former groups back.
 */
export const deviceRoleGroup = declareChange({
  id: 'device.role-group',
  title: "Set the directory group of the product's roles",
  version: 1,
  params: z.strictObject({
    url: z
      .url({ protocol: /^https$/ })
      .describe('Settings of the device: GET shows them, PUT takes the parts that change'),
    credential: credentialSchema.optional().describe('Account that reads the settings'),
    anchors: z.array(z.string()).min(1).optional().describe('Ids of the site anchors; default: all of the site'),
    roles: z
      .array(z.object({ id: z.string().min(1).max(80), group: z.string().min(1).max(256) }))
      .min(1)
      .max(50)
      .describe('Roles by the id that the device uses, each with its group'),
  }),
  visible: ({ url }) => [`One PUT request to ${url} with the write credential: an entry in the device's own log.`],
  rights: "change the device's settings (an administrator of the device)",
});
