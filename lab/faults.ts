import { X509Certificate } from 'node:crypto';
import { FACTORY_PASSWORD } from './device-state.ts';
import {
  attributeFault,
  certificateFault,
  clientFault,
  deviceFault,
  type Fault,
  fault,
  has,
  setMembers,
} from './fault.ts';
import { GROUP_FAULTS } from './group-faults.ts';
import { DN, NAMES } from './tree.ts';

const CLOCK_AHEAD_MS = 12 * 60_000;
const OLD_LEVEL = 3;
const LEVEL = 7;

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

const directory = { control: 'access.directory-secure', probe: 'directory.connection' };
const namesAndClock = { control: 'access.directory-names-and-clock', probe: 'directory.connection' };
const account = { control: 'access.bind-account', probe: 'directory.account' };
const policy = { control: 'access.password-policy', probe: 'directory.password-policy' };
const emrServer = { control: 'certificate.emr-server', probe: 'tls.endpoint', of: 'emr' as const };
const emrValidity = { control: 'certificate.emr-validity', probe: 'tls.endpoint', of: 'emr' as const };
const deviceWeb = { control: 'certificate.device-web', probe: 'tls.endpoint', of: 'device' as const };

/** Every fault of the practice hospital. */
export const FAULTS: readonly Fault[] = [
  fault('dc-clear-bind', {
    ...directory,
    title: 'The domain controllers take passwords in clear',
    shipped: true,
    active: (parts) => parts.policies.dc1.clearBind,
    set: (parts, on) => void Object.values(parts.policies).forEach((item) => (item.clearBind = on)),
  }),
  fault('dc-anonymous-search', {
    ...directory,
    title: 'The domain controllers let strangers search',
    shipped: true,
    active: (parts) => parts.policies.dc1.anonymousSearch,
    set: (parts, on) => void Object.values(parts.policies).forEach((item) => (item.anonymousSearch = on)),
  }),
  certificateFault('dc-cert-expired', {
    ...directory,
    of: 'dc',
    title: "The domain controllers' certificate has expired",
    wrong: { validity: 'expired' },
  }),
  certificateFault('dc-cert-expiring', {
    control: 'certificate.directory-validity',
    probe: 'tls.endpoint',
    of: 'dc',
    title: "The domain controllers' certificate expires in 9 days",
    wrong: { validity: 'expiring' },
  }),
  certificateFault('dc-cert-untrusted', {
    ...directory,
    of: 'dc',
    title: "An unknown authority issued the domain controllers' certificate",
    wrong: { issuer: 'unknown' },
  }),
  fault('dc-old-tls', {
    ...directory,
    probe: 'tls.endpoint',
    title: 'The domain controllers accept TLS 1.0 and 1.1',
    active: (parts) => parts.dcFace.oldVersions,
    set: (parts, on) => {
      parts.dcFace.oldVersions = on;
    },
  }),
  certificateFault('dc-cert-wrong-name', {
    ...namesAndClock,
    of: 'dc',
    title: "The domain controllers' certificate carries another name",
    wrong: { name: 'wrong' },
  }),
  fault('dc-clock-off', {
    ...namesAndClock,
    title: "The domain controllers' clock is 12 minutes ahead",
    active: (parts) => parts.policies.dc1.clockAheadMs !== 0,
    set: (parts, on) =>
      void Object.values(parts.policies).forEach((item) => (item.clockAheadMs = on ? CLOCK_AHEAD_MS : 0)),
  }),
  fault('dc-functional-level', {
    ...namesAndClock,
    title: 'The domain still runs at the 2008 functional level',
    active: (parts) => parts.policies.dc1.functionalLevel < LEVEL,
    set: (parts, on) =>
      void Object.values(parts.policies).forEach((item) => (item.functionalLevel = on ? OLD_LEVEL : LEVEL)),
  }),
  fault('dc2-clear-bind', {
    ...namesAndClock,
    title: 'The second domain controller is set otherwise than the first: it takes passwords in clear',
    active: (parts) => parts.policies.dc2.clearBind && !parts.policies.dc1.clearBind,
    set: (parts, on) => {
      // Where both take them, that is another fault, which mending this one leaves as it is.
      if (on || !parts.policies.dc1.clearBind) parts.policies.dc2.clearBind = on;
    },
  }),
  fault('dc2-down', {
    ...namesAndClock,
    verdict: 'error',
    title: 'The second domain controller is switched off',
    shipped: true,
    active: (parts) => !parts.controllers.dc2.ldaps.isOpen(),
    set: (parts, on) => parts.controllers.dc2.setOpen(!on),
  }),
  fault('dc2-silent', {
    ...namesAndClock,
    verdict: 'error',
    title: 'The second domain controller hangs: it accepts and never answers',
    active: (parts) => parts.policies.dc2.silent,
    set: (parts, on) => {
      parts.policies.dc2.silent = on;
    },
  }),
  ...GROUP_FAULTS,
  deviceFault('groups-shared', {
    title: 'Two roles of the device map to one group',
    control: 'access.separate-groups',
    shipped: true,
    wrong: { directory: { roleGroups: { biomed: NAMES.clinical } } },
  }),
  fault('bind-account-privileged', {
    ...account,
    title: 'The bind account is a domain administrator',
    shipped: true,
    active: (parts) => has(parts, DN.domainAdmins, DN.bindAccount),
    set: (parts, on) => {
      setMembers(parts, DN.domainAdmins, [DN.bindAccount], on);
      // AD's protection of administrators stamps the account.
      parts.directory.set(DN.bindAccount, 'adminCount', on ? ['1'] : []);
    },
  }),
  attributeFault('bind-account-service-name', {
    ...account,
    title: 'The bind account has a service principal name, so that its password can be attacked offline',
    dn: DN.bindAccount,
    attribute: 'servicePrincipalName',
    wrong: ['HTTP/lockstep.hospital.example'],
    right: [],
  }),
  attributeFault('password-no-lockout', {
    ...policy,
    title: 'Wrong passwords never lock an account',
    shipped: true,
    dn: DN.domain,
    attribute: 'lockoutThreshold',
    wrong: ['0'],
    right: ['10'],
  }),
  attributeFault('password-short', {
    ...policy,
    title: 'Passwords may have 6 characters',
    dn: DN.domain,
    attribute: 'minPwdLength',
    wrong: ['6'],
    right: ['14'],
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
  certificateFault('emr-cert-wrong-name', {
    ...emrServer,
    title: "The EMR's certificate carries the name of the former interface engine",
    shipped: true,
    wrong: { name: 'wrong' },
  }),
  certificateFault('emr-cert-untrusted', {
    ...emrServer,
    title: "An unknown authority issued the EMR's certificate",
    wrong: { issuer: 'unknown' },
  }),
  certificateFault('emr-cert-self-signed', {
    ...emrServer,
    title: "The EMR's certificate signs itself",
    wrong: { issuer: 'self' },
  }),
  certificateFault('emr-cert-expired', {
    ...emrValidity,
    title: "The EMR's certificate has expired",
    wrong: { validity: 'expired' },
  }),
  certificateFault('emr-cert-expiring', {
    ...emrValidity,
    title: "The EMR's certificate expires in 9 days",
    shipped: true,
    wrong: { validity: 'expiring' },
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
  fault('emr-old-tls', {
    control: 'link.emr.tls-floor',
    probe: 'tls.endpoint',
    title: 'The EMR accepts TLS 1.0 and 1.1',
    shipped: true,
    active: (parts) => parts.emr.state.oldVersions,
    set: async (parts, on) => {
      parts.emr.state.oldVersions = on;
      await parts.refresh();
    },
  }),
  clientFault(
    'emr-client-cert-not-asked',
    'The EMR does not ask for a client certificate',
    (client, on) => (client.ask = !on),
    (client) => !client.ask,
    true,
  ),
  clientFault(
    'emr-client-cert-any-ca',
    'The EMR takes client certificates of any authority',
    (client, on) => (client.anyCa = on),
    (client) => client.anyCa,
  ),
  clientFault(
    'emr-client-cert-expired-ok',
    'The EMR takes expired client certificates',
    (client, on) => (client.expiredOk = on),
    (client) => client.expiredOk,
  ),
  clientFault(
    'emr-client-cert-revoked-ok',
    'The EMR takes revoked client certificates',
    (client, on) => (client.revokedOk = on),
    (client) => client.revokedOk,
  ),
  clientFault(
    'emr-client-subject-any',
    "The EMR takes any of the hospital's certificates, whoever holds it",
    (client, on) => (client.anySubject = on),
    (client) => client.anySubject,
  ),
  deviceFault('device-verify-off', {
    title: "The device does not verify the EMR's certificate",
    control: 'link.emr.device-refuses-impostor',
    probe: 'tls.impostor',
    shipped: true,
    wrong: { emrLink: { verifyServer: false } },
  }),
  fault('emr-silent', {
    control: 'link.emr.authenticated',
    probe: 'tls.endpoint',
    verdict: 'error',
    title: 'The EMR hangs: it accepts and never answers',
    active: (parts) => parts.emr.state.silent,
    set: (parts, on) => {
      parts.emr.state.silent = on;
    },
  }),
  fault('emr-clear-twin', {
    control: 'link.emr.no-clear-twin',
    probe: 'tcp.ports',
    title: 'The EMR takes HL7 in clear on a second port',
    shipped: true,
    active: (parts) => parts.emr.clear.isOpen(),
    set: (parts, on) => parts.emr.clear.setOpen(on),
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
