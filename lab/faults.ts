import { X509Certificate } from 'node:crypto';
import type { CertificateSpec } from './certificates.ts';
import { FACTORY_PASSWORD } from './device.ts';
import { hardenedSettings } from './device-settings.ts';
import { dnKey } from './ldap-names.ts';
import { groupAccountType } from './ldap-write.ts';
import type { LabParts } from './parts.ts';
import { DN, NAMES, PEOPLE, people, plantBiomed } from './tree.ts';

const CLOCK_AHEAD_MS = 12 * 60_000;
const OLD_LEVEL = 3;
const LEVEL = 7;
const GLOBAL_SECURITY = String(0x8000_0002 | 0);
const GLOBAL_DISTRIBUTION = '2';

/** One thing that is wrong on purpose. `active` looks at the state, so that mending by hand counts. */
export type Fault = {
  readonly id: string;
  readonly title: string;
  /** Control of the guide reference-mdip that turns red. */
  readonly control: string;
  readonly probe: string;
  readonly verdict: 'fail' | 'error';
  readonly shipped: boolean;
  readonly on: (parts: LabParts) => void | Promise<void>;
  readonly off: (parts: LabParts) => void | Promise<void>;
  readonly active: (parts: LabParts) => boolean;
};

type Switch = {
  readonly title: string;
  readonly control: string;
  readonly probe: string;
  readonly verdict?: 'error';
  readonly shipped?: true;
  readonly set: (parts: LabParts, on: boolean) => void | Promise<void>;
  readonly active: (parts: LabParts) => boolean;
};

function fault(id: string, part: Switch): Fault {
  return {
    id,
    title: part.title,
    control: part.control,
    probe: part.probe,
    verdict: part.verdict ?? 'fail',
    shipped: part.shipped ?? false,
    on: (parts) => part.set(parts, true),
    off: (parts) => part.set(parts, false),
    active: part.active,
  };
}

/** A wrong property of a server's certificate. */
function certificateFault(
  id: string,
  part: { title: string; control: string; probe: string; shipped?: true; of: 'dc' | 'emr' | 'device'; wrong: Partial<CertificateSpec> },
): Fault {
  const [property, value] = Object.entries(part.wrong)[0] as [keyof CertificateSpec, never];
  const right = { issuer: 'hospital', name: 'right', validity: 'good' }[property] as never;
  const spec = (parts: LabParts): CertificateSpec =>
    part.of === 'dc' ? parts.dcFace.certificate : part.of === 'emr' ? parts.emr.state.certificate : parts.device.state.certificate;
  return fault(id, {
    ...part,
    active: (parts) => spec(parts)[property] === value,
    set: async (parts, on) => {
      // Mending one fault leaves a sibling (another wrong value of the same property) as it is.
      if (on) spec(parts)[property] = value;
      else if (spec(parts)[property] === value) spec(parts)[property] = right;
      await parts.refresh();
    },
  });
}

/** A setting of the device: its fault is where it differs from `right`. */
function deviceFault(
  id: string,
  part: { title: string; control: string; shipped?: true; probe?: string; wrong: DeepPartial<LabParts['device']['state']['settings']> },
): Fault {
  const rightOf = (parts: LabParts) => hardenedSettings({ ldaps: parts.controllers.dc1.ldaps.port, emr: parts.emr.secure.port });
  const wrongOf = (parts: LabParts) => JSON.parse(JSON.stringify(part.wrong).replaceAll('<ldap>', String(parts.controllers.dc1.ldap.port)));
  return fault(id, {
    title: part.title,
    control: part.control,
    probe: part.probe ?? 'http.request',
    ...(part.shipped === undefined ? {} : { shipped: part.shipped }),
    active: (parts) => leaves(wrongOf(parts)).some(([path, wrong]) => JSON.stringify(get(parts.device.state.settings, path)) === JSON.stringify(wrong)),
    set: async (parts, on) => {
      const settings = structuredClone(parts.device.state.settings);
      for (const [path, wrong] of leaves(wrongOf(parts))) put(settings, path, on ? wrong : get(rightOf(parts), path));
      parts.device.state.settings = settings;
      await parts.refresh();
    },
  });
}

type DeepPartial<T> = { [K in keyof T]?: T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? DeepPartial<T[K]> : T[K] | string };

function leaves(value: unknown, path: readonly string[] = []): [string[], unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[[...path], value]];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

function get(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
}

function put(root: unknown, path: readonly string[], value: unknown): void {
  const parent = get(root, path.slice(0, -1)) as Record<string, unknown>;
  parent[path.at(-1) as string] = value;
}

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

const has = (parts: LabParts, group: string, member: string): boolean => {
  const entry = parts.directory.get(group);
  return entry !== undefined && parts.directory.values(entry, 'member').some((value) => dnKey(value.toString()) === dnKey(member));
};

/** Puts members into a group or takes them out; nothing happens where the group is missing. */
function setMembers(parts: LabParts, group: string, members: readonly string[], on: boolean): void {
  const entry = parts.directory.get(group);
  if (entry === undefined) return;
  const keys = members.map(dnKey);
  const others = parts.directory.values(entry, 'member').filter((value) => !keys.includes(dnKey(value.toString())));
  parts.directory.set(group, 'member', on ? [...others, ...members] : others);
}

function memberFault(id: string, part: { title: string; control: string; probe: string; shipped?: true; group: string; members: readonly string[] }): Fault {
  return fault(id, {
    ...part,
    active: (parts) => part.members.some((member) => has(parts, part.group, member)),
    set: (parts, on) => setMembers(parts, part.group, part.members, on),
  });
}

function attributeFault(
  id: string,
  part: { title: string; control: string; probe: string; shipped?: true; dn: string; attribute: string; wrong: readonly string[]; right: readonly string[] },
): Fault {
  return fault(id, {
    ...part,
    active: (parts) => {
      const entry = parts.directory.get(part.dn);
      return entry !== undefined && parts.directory.first(entry, part.attribute) === part.wrong[0];
    },
    set: (parts, on) => {
      if (parts.directory.get(part.dn) === undefined) return;
      parts.directory.set(part.dn, part.attribute, on ? part.wrong : part.right);
      if (part.attribute === 'groupType') parts.directory.set(part.dn, 'sAMAccountType', [groupAccountType(Number((on ? part.wrong : part.right)[0]))]);
    },
  });
}

function clientFault(id: string, title: string, set: (client: LabParts['emr']['state']['client'], on: boolean) => void, active: (client: LabParts['emr']['state']['client']) => boolean, shipped?: true): Fault {
  return fault(id, {
    title,
    control: 'link.emr.client-certificate',
    probe: 'tls.client-authentication',
    ...(shipped === undefined ? {} : { shipped }),
    active: (parts) => active(parts.emr.state.client),
    set: async (parts, on) => {
      set(parts.emr.state.client, on);
      await parts.refresh();
    },
  });
}

const directory = { control: 'access.directory-secure', probe: 'directory.connection' };
const namesAndClock = { control: 'access.directory-names-and-clock', probe: 'directory.connection' };
const group = { control: 'access.clinical-group', probe: 'directory.group' };
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
  certificateFault('dc-cert-expired', { ...directory, of: 'dc', title: "The domain controllers' certificate has expired", wrong: { validity: 'expired' } }),
  certificateFault('dc-cert-expiring', { control: 'certificate.directory-validity', probe: 'tls.endpoint', of: 'dc', title: "The domain controllers' certificate expires in 9 days", wrong: { validity: 'expiring' } }),
  certificateFault('dc-cert-untrusted', { ...directory, of: 'dc', title: "An unknown authority issued the domain controllers' certificate", wrong: { issuer: 'unknown' } }),
  fault('dc-old-tls', {
    ...directory,
    probe: 'tls.endpoint',
    title: 'The domain controllers accept TLS 1.0 and 1.1',
    active: (parts) => parts.dcFace.oldVersions,
    set: (parts, on) => {
      parts.dcFace.oldVersions = on;
    },
  }),
  certificateFault('dc-cert-wrong-name', { ...namesAndClock, of: 'dc', title: "The domain controllers' certificate carries another name", wrong: { name: 'wrong' } }),
  fault('dc-clock-off', {
    ...namesAndClock,
    title: "The domain controllers' clock is 12 minutes ahead",
    active: (parts) => parts.policies.dc1.clockAheadMs !== 0,
    set: (parts, on) => void Object.values(parts.policies).forEach((item) => (item.clockAheadMs = on ? CLOCK_AHEAD_MS : 0)),
  }),
  fault('dc-functional-level', {
    ...namesAndClock,
    title: 'The domain still runs at the 2008 functional level',
    active: (parts) => parts.policies.dc1.functionalLevel < LEVEL,
    set: (parts, on) => void Object.values(parts.policies).forEach((item) => (item.functionalLevel = on ? OLD_LEVEL : LEVEL)),
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
  fault('group-missing', {
    ...group,
    title: `There is no group ${NAMES.biomed}`,
    shipped: true,
    active: (parts) => parts.directory.get(DN.biomed) === undefined,
    set: (parts, on) => {
      if (on) parts.directory.remove(DN.biomed);
      else if (parts.directory.get(DN.biomed) === undefined) plantBiomed(parts.directory);
    },
  }),
  memberFault('group-broad', { ...group, title: `Domain Users is nested in ${NAMES.clinical}`, shipped: true, group: DN.wardStaff, members: [DN.domainUsers] }),
  memberFault('group-disabled-members', { ...group, title: `Disabled accounts are members of ${NAMES.clinical}`, shipped: true, group: DN.clinical, members: people(PEOPLE.disabled) }),
  memberFault('group-stale-members', { ...group, title: `People who have not logged on for a year are members of ${NAMES.clinical}`, group: DN.clinical, members: people(PEOPLE.stale) }),
  attributeFault('group-distribution', { ...group, title: `${NAMES.administrator} is a distribution group`, dn: DN.administrator, attribute: 'groupType', wrong: [GLOBAL_DISTRIBUTION], right: [GLOBAL_SECURITY] }),
  deviceFault('groups-shared', { title: 'Two roles of the device map to one group', control: 'access.separate-groups', shipped: true, wrong: { directory: { roleGroups: { biomed: NAMES.clinical } } } }),
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
  attributeFault('bind-account-service-name', { ...account, title: 'The bind account has a service principal name, so that its password can be attacked offline', dn: DN.bindAccount, attribute: 'servicePrincipalName', wrong: ['HTTP/lockstep.hospital.example'], right: [] }),
  attributeFault('password-no-lockout', { ...policy, title: 'Wrong passwords never lock an account', shipped: true, dn: DN.domain, attribute: 'lockoutThreshold', wrong: ['0'], right: ['10'] }),
  attributeFault('password-short', { ...policy, title: 'Passwords may have 6 characters', dn: DN.domain, attribute: 'minPwdLength', wrong: ['6'], right: ['14'] }),
  fault('device-default-password', {
    control: 'access.local-default-password',
    probe: 'http.request',
    title: 'The factory account has the password from the manual',
    shipped: true,
    active: (parts) => parts.device.state.users.get('admin') === FACTORY_PASSWORD,
    set: (parts, on) => void parts.device.state.users.set('admin', on ? FACTORY_PASSWORD : parts.changedPassword),
  }),
  deviceFault('device-no-auto-logoff', { title: 'Sessions on the device never end', control: 'access.auto-logoff', shipped: true, wrong: { session: { inactivityMinutes: 0 } } }),
  deviceFault('device-credential-cache', { title: 'The device keeps directory passwords for ever', control: 'access.credential-cache', shipped: true, wrong: { directory: { credentialCacheDays: -1 } } }),
  deviceFault('device-directory-clear', { title: 'The device asks the directory in clear, and whoever answers', control: 'access.device-directory-link', shipped: true, wrong: { directory: { url: 'ldap://dc1.hospital.example:<ldap>', verifyServer: false } } }),
  certificateFault('emr-cert-wrong-name', { ...emrServer, title: "The EMR's certificate carries the name of the former interface engine", shipped: true, wrong: { name: 'wrong' } }),
  certificateFault('emr-cert-untrusted', { ...emrServer, title: "An unknown authority issued the EMR's certificate", wrong: { issuer: 'unknown' } }),
  certificateFault('emr-cert-self-signed', { ...emrServer, title: "The EMR's certificate signs itself", wrong: { issuer: 'self' } }),
  certificateFault('emr-cert-expired', { ...emrValidity, title: "The EMR's certificate has expired", wrong: { validity: 'expired' } }),
  certificateFault('emr-cert-expiring', { ...emrValidity, title: "The EMR's certificate expires in 9 days", shipped: true, wrong: { validity: 'expiring' } }),
  certificateFault('device-cert-expiring', { ...deviceWeb, title: "The device's web certificate expires in 9 days", shipped: true, wrong: { validity: 'expiring' } }),
  certificateFault('device-cert-self-signed', { ...deviceWeb, title: "The device's web certificate signs itself", wrong: { issuer: 'self' } }),
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
  clientFault('emr-client-cert-not-asked', 'The EMR does not ask for a client certificate', (client, on) => (client.ask = !on), (client) => !client.ask, true),
  clientFault('emr-client-cert-any-ca', 'The EMR takes client certificates of any authority', (client, on) => (client.anyCa = on), (client) => client.anyCa),
  clientFault('emr-client-cert-expired-ok', 'The EMR takes expired client certificates', (client, on) => (client.expiredOk = on), (client) => client.expiredOk),
  clientFault('emr-client-cert-revoked-ok', 'The EMR takes revoked client certificates', (client, on) => (client.revokedOk = on), (client) => client.revokedOk),
  clientFault('emr-client-subject-any', "The EMR takes any of the hospital's certificates, whoever holds it", (client, on) => (client.anySubject = on), (client) => client.anySubject),
  deviceFault('device-verify-off', { title: "The device does not verify the EMR's certificate", control: 'link.emr.device-refuses-impostor', probe: 'tls.impostor', shipped: true, wrong: { emrLink: { verifyServer: false } } }),
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
  deviceFault('device-debug-port', { title: 'An undocumented debug port is open on the device', control: 'network.ports', probe: 'tcp.ports', shipped: true, wrong: { services: { debug: true } } }),
  deviceFault('device-telnet', { title: 'The console of the device is open in clear', control: 'network.legacy-services', probe: 'tcp.ports', shipped: true, wrong: { services: { telnet: true } } }),
  deviceFault('device-http-clear', { title: 'The administration page is served in clear', control: 'web.https-only', shipped: true, wrong: { services: { clearHttp: 'serve' } } }),
  deviceFault('device-api-open', { title: 'The API answers without credentials', control: 'web.api-credentials', shipped: true, wrong: { web: { anonymousApi: true } } }),
  deviceFault('device-no-security-headers', { title: 'The web pages lack security headers', control: 'web.security-headers', shipped: true, wrong: { web: { securityHeaders: false } } }),
  deviceFault('audit-not-forwarded', { title: 'Audit events stay on the device', control: 'audit.forwarding', shipped: true, wrong: { audit: { syslogHost: '', syslogTls: false } } }),
  deviceFault('time-manual', { title: 'The clock of the device is set by hand', control: 'audit.time-source', shipped: true, wrong: { time: { source: 'manual', servers: [] } } }),
];
