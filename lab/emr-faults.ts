import { certificateFault, clientFault, type Fault, fault } from './fault.ts';

const emrServer = { control: 'certificate.emr-server', probe: 'tls.endpoint', of: 'emr' as const };
const emrValidity = { control: 'certificate.emr-validity', probe: 'tls.endpoint', of: 'emr' as const };

/** What can be wrong with the EMR. */
export const EMR_FAULTS: readonly Fault[] = [
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
];
