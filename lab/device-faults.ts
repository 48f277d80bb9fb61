import { X509Certificate } from 'node:crypto';
import { FACTORY_PASSWORD } from './device-state.ts';
import { certificateFault, deviceFault, type Fault, fault, forgetInstalled } from './fault.ts';
import { NAMES } from './directory-names.ts';

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

const deviceWeb = { control: 'certificate.device-web', probe: 'tls.endpoint', of: 'device' as const };

/** What can be wrong with the gateway. */
export const DEVICE_FAULTS: readonly Fault[] = [
  deviceFault('groups-shared', {
    title: 'Two roles of the device map to one group',
    control: 'access.separate-groups',
    shipped: true,
    wrong: { directory: { roleGroups: { biomed: NAMES.clinical } } },
  }),
  fault('device-default-password', {
    control: 'access.local-default-password',
    probe: 'http.request',
    title: 'The factory account has the password from the manual',
    shipped: true,
    active: (parts) => parts.device.state.users.get('admin') === FACTORY_PASSWORD,
    set: (parts, on) => void parts.device.state.users.set('admin', on ? FACTORY_PASSWORD : parts.changedPassword),
  }),
  deviceFault('device-no-auto-logoff', {
    title: 'Sessions on the device never end',
    control: 'access.auto-logoff',
    shipped: true,
    wrong: { session: { inactivityMinutes: 0 } },
  }),
  deviceFault('device-credential-cache', {
    title: 'The device keeps directory passwords for ever',
    control: 'access.credential-cache',
    shipped: true,
    wrong: { directory: { credentialCacheDays: -1 } },
  }),
  deviceFault('device-directory-clear', {
    title: 'The device asks the directory in clear, and whoever answers',
    control: 'access.device-directory-link',
    shipped: true,
    wrong: { directory: { url: 'ldap://dc1.hospital.example:<ldap>', verifyServer: false } },
  }),
  certificateFault('device-cert-expiring', {
    ...deviceWeb,
    title: "The device's web certificate expires in 9 days",
    shipped: true,
    wrong: { validity: 'expiring' },
  }),
  certificateFault('device-cert-self-signed', {
    ...deviceWeb,
    title: "The device's web certificate signs itself",
    wrong: { issuer: 'self' },
  }),
  fault('device-key-shared', {
    control: 'certificate.own-key',
    probe: 'certificate.shared',
    title: 'The device and the EMR have one certificate and key between them',
    active: ({ device: { state } }) => state.certificate.key === 'shared' && state.installed === undefined,
    set: async (parts, on) => {
      if (on) forgetInstalled(parts);
      for (const { state } of [parts.device, parts.emr]) state.certificate.key = on ? 'shared' : 'own';
      await parts.refresh();
    },
  }),
  fault('device-stale-anchor', {
    control: 'certificate.pinned-anchor',
    probe: 'certificate.pinned',
    title: "The device holds the hospital's former root certificate",
    shipped: true,
    active: (parts) => fingerprint(parts.device.state.anchorPem) !== fingerprint(parts.certificates.hospitalRoot),
    set: async (parts, on) => {
      parts.device.state.anchorPem = on ? parts.certificates.formerRoot : parts.certificates.hospitalRoot;
      await parts.refresh();
    },
  }),
  deviceFault('device-verify-off', {
    title: "The device does not verify the EMR's certificate",
    control: 'link.emr.device-refuses-impostor',
    probe: 'tls.impostor',
    shipped: true,
    wrong: { emrLink: { verifyServer: false } },
  }),
  deviceFault('device-debug-port', {
    title: 'An undocumented debug port is open on the device',
    control: 'network.ports',
    probe: 'tcp.ports',
    shipped: true,
    wrong: { services: { debug: true } },
  }),
  deviceFault('device-telnet', {
    title: 'The console of the device is open in clear',
    control: 'network.legacy-services',
    probe: 'tcp.ports',
    shipped: true,
    wrong: { services: { telnet: true } },
  }),
  deviceFault('device-http-clear', {
    title: 'The administration page is served in clear',
    control: 'web.https-only',
    shipped: true,
    wrong: { services: { clearHttp: 'serve' } },
  }),
  deviceFault('device-api-open', {
    title: 'The API answers without credentials',
    control: 'web.api-credentials',
    shipped: true,
    wrong: { web: { anonymousApi: true } },
  }),
  deviceFault('device-no-security-headers', {
    title: 'The web pages lack security headers',
    control: 'web.security-headers',
    shipped: true,
    wrong: { web: { securityHeaders: false } },
  }),
  deviceFault('audit-not-forwarded', {
    title: 'Audit events stay on the device',
    control: 'audit.forwarding',
    shipped: true,
    wrong: { audit: { syslogHost: '', syslogTls: false } },
  }),
  deviceFault('time-manual', {
    title: 'The clock of the device is set by hand',
    control: 'audit.time-source',
    shipped: true,
    wrong: { time: { source: 'manual', servers: [] } },
  }),
];
