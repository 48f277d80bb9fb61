import { stringify } from 'yaml';
import { siteSchema } from '../core/site/schema.ts';
import { DEVICE_NAME, EMR_NAME, SERVER_TRIALS, TRIALS } from './certificates.ts';
import { CRL_HOST, OCSP_HOST } from './revocation.ts';
import { BASE_DN, CANARIES, NAMES } from './directory-names.ts';

export type SitePorts = {
  readonly dc1: { ldap: number; ldaps: number };
  readonly dc2: { ldap: number; ldaps: number };
  readonly emr: { secure: number; clear: number };
  readonly device: { admin: number; adminClear: number; telnet: number; debug: number };
  readonly authority: { crl: number; ocsp: number };
};

const LOOPBACK = '127.0.0.1';
export const DC_NAMES = { dc1: 'dc1.hospital.example', dc2: 'dc2.hospital.example' } as const;
/** Files beside the site file. */
export const SITE_FILES = { site: 'site.yaml', anchor: 'hospital-ca.pem' } as const;
/** What the hospital decided that the guide reference-mdip asks for; another guide has no such inputs. */
export const REFERENCE_INPUTS = { auditCollector: 'siem.hospital.example' } as const;

/** The site file's text. Throws where it does not fit the schema, which would be a mistake of this file. */
export function siteText(ports: SitePorts, keyId: string, inputs: Readonly<Record<string, unknown>>): string {
  const adminUrl = `https://${DEVICE_NAME}:${ports.device.admin}`;
  const credential = { user: 'lockstep', secret: 'device-admin' };
  const device = (port: number) => ({ host: DEVICE_NAME, port });
  const site = {
    site: 'practice-hospital',
    name: 'PRACTICE Hospital',
    practice: true,
    hosts: Object.fromEntries(
      [DC_NAMES.dc1, DC_NAMES.dc2, EMR_NAME, DEVICE_NAME, CRL_HOST, OCSP_HOST].map((name) => [name, LOOPBACK]),
    ),
    directory: {
      kind: 'active-directory',
      baseDn: BASE_DN,
      servers: (['dc1', 'dc2'] as const).map((id) => ({ id, host: DC_NAMES[id], ...ports[id] })),
      anchors: ['hospital-ca'],
      bindAccount: `${NAMES.bindAccount}@hospital.example`,
      secret: 'directory-bind',
      canary: {
        account: { user: CANARIES.account, secret: 'canary' },
        mustRefuse: { user: CANARIES.mustRefuse, secret: 'canary-leaver' },
        lockoutAfter: 10,
      },
    },
    anchors: [{ id: 'hospital-ca', file: SITE_FILES.anchor }],
    identities: [...TRIALS, ...SERVER_TRIALS].map((kind) => ({
      id: `trial-${kind}`,
      kind,
      certificate: `trial-${kind}.pem`,
      key: `trial-${kind}.key`,
    })),
    people: { keyId },
    inputs,
    roles: [
      { id: 'clinical', name: 'Bedside view', group: NAMES.clinical },
      { id: 'biomed', name: 'Biomedical engineering', group: NAMES.biomed },
      { id: 'administrator', name: 'Administration', group: NAMES.administrator },
    ],
    devices: [
      {
        id: 'gateway',
        name: 'MDIP gateway',
        host: DEVICE_NAME,
        adminUrl,
        credential,
        endpoints: {
          admin: device(ports.device.admin),
          'admin-clear': device(ports.device.adminClear),
          telnet: device(ports.device.telnet),
          debug: device(ports.device.debug),
        },
        allowedPorts: [ports.device.admin],
        heartbeat: { url: `${adminUrl}/api/health` },
      },
    ],
    links: [
      {
        id: 'emr',
        name: 'Results to the EMR',
        protocol: 'hl7-mllp',
        client: { device: 'gateway' },
        server: { host: EMR_NAME, port: ports.emr.secure, anchors: ['hospital-ca'] },
        clearPorts: [ports.emr.clear],
        identities: TRIALS.map((kind) => `trial-${kind}`),
        impostor: {
          address: LOOPBACK,
          port: 0,
          trigger: { url: `${adminUrl}/api/test-message`, credential },
          identities: SERVER_TRIALS.map((kind) => `trial-${kind}`),
        },
      },
    ],
  };
  siteSchema.parse(site);
  return `# PRACTICE: made by Lockstep's practice hospital; the ports are those of this run.\n${stringify(site, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
