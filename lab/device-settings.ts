import { z } from 'zod';

/** The gateway's settings as its API shows them. */
export const deviceSettingsSchema = z.strictObject({
  directory: z.strictObject({
    url: z.string().max(300),
    verifyServer: z.boolean(),
    roleGroups: z.strictObject({
      clinical: z.string().max(256),
      biomed: z.string().max(256),
      administrator: z.string().max(256),
    }),
    credentialCacheDays: z.int().min(-1).max(3650),
  }),
  emrLink: z.strictObject({
    host: z.string().max(253),
    port: z.int().min(1).max(65535),
    serverName: z.string().max(253),
    verifyServer: z.boolean(),
    clientCertificate: z.boolean(),
  }),
  session: z.strictObject({ inactivityMinutes: z.int().min(0).max(1440) }),
  audit: z.strictObject({
    enabled: z.boolean(),
    syslogHost: z.string().max(253),
    syslogPort: z.int().min(1).max(65535),
    syslogTls: z.boolean(),
  }),
  time: z.strictObject({ source: z.enum(['ntp', 'manual']), servers: z.array(z.string().max(253)).max(8) }),
  services: z.strictObject({ telnet: z.boolean(), debug: z.boolean(), clearHttp: z.enum(['redirect', 'serve']) }),
  web: z.strictObject({ securityHeaders: z.boolean(), anonymousApi: z.boolean() }),
});
export type DeviceSettings = z.output<typeof deviceSettingsSchema>;

/** The settings after hardening. */
export function hardenedSettings(ports: { ldaps: number; emr: number }): DeviceSettings {
  return {
    directory: {
      url: `ldaps://dc1.hospital.example:${ports.ldaps}`,
      verifyServer: true,
      roleGroups: { clinical: 'MDIP-Clinical', biomed: 'MDIP-Biomed', administrator: 'MDIP-Administrators' },
      credentialCacheDays: 3,
    },
    emrLink: {
      host: 'emr.hospital.example',
      port: ports.emr,
      serverName: 'emr.hospital.example',
      verifyServer: true,
      clientCertificate: true,
    },
    session: { inactivityMinutes: 15 },
    audit: { enabled: true, syslogHost: 'siem.hospital.example', syslogPort: 6514, syslogTls: true },
    time: { source: 'ntp', servers: ['dc1.hospital.example'] },
    services: { telnet: false, debug: false, clearHttp: 'redirect' },
    web: { securityHeaders: true, anonymousApi: false },
  };
}

/** Lays the parts that a PUT gave over the settings; a sentence where they do not fit. */
export function mergeSettings(settings: DeviceSettings, given: unknown): DeviceSettings | string {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'the body must be a JSON object';
  const merged: Record<string, unknown> = { ...settings };
  for (const [section, values] of Object.entries(given)) {
    if (!Object.hasOwn(settings, section)) return `there is no setting ${JSON.stringify(section)}`;
    if (typeof values !== 'object' || values === null || Array.isArray(values)) return `${section} must be an object`;
    merged[section] = { ...settings[section as keyof DeviceSettings], ...values };
  }
  const parsed = deviceSettingsSchema.safeParse(merged);
  return parsed.success
    ? parsed.data
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}
