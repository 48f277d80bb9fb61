import { attributeFault, certificateFault, type Fault, fault, has, setMembers } from './fault.ts';
import { DN } from './directory-names.ts';

const CLOCK_AHEAD_MS = 12 * 60_000;
const OLD_LEVEL = 3;
const LEVEL = 7;

const directory = { control: 'access.directory-secure', probe: 'directory.connection' };
const namesAndClock = { control: 'access.directory-names-and-clock', probe: 'directory.connection' };
const account = { control: 'access.bind-account', probe: 'directory.account' };
const policy = { control: 'access.password-policy', probe: 'directory.password-policy' };

/** What can be wrong with the domain controllers, the bind account and the password policy. */
export const DIRECTORY_FAULTS: readonly Fault[] = [
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
];
