/// <reference types="vite/client" />
import guideText from '../../../assets/guides/reference-mdip.yaml?raw';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { makePlan, type PlanItem } from '../../../core/guide/plan.ts';
import { guideSchema } from '../../../core/guide/schema.ts';
import type { GuideView, ItemView, SiteView } from '../../../core/ipc.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { parseYaml } from '../../../core/yaml.ts';
import { visibleOf } from '../../../engine/session/visible.ts';

export const DIGEST = {
  signer: '9f2c41d07be8a3365d1c90ef7742ab68c05d3e91f7a8b26404be13d9ca5570e1',
  anchor: '3a77c0de914b52f806ed11b39a4dc87520fe6619ab0de0c4f31277ab90dd5e42',
  bundle: 'c1de0f53a8b94e27016fd2a7c94b38e5d7702a61be94c38f0d25a6b17f3e8094',
  guide: '1'.repeat(64),
  site: '2'.repeat(64),
} as const;

const SITE = {
  site: 'st-anne',
  name: 'St. Anne’s Hospital',
  practice: true,
  directory: {
    kind: 'active-directory',
    baseDn: 'DC=hospital,DC=test',
    servers: [
      { id: 'dc1', host: 'dc1.hospital.test', ldaps: 636, ldap: 389 },
      { id: 'dc2', host: 'dc2.hospital.test', ldaps: 636, ldap: 389 },
    ],
    anchors: ['hospital-ca'],
    bindAccount: 'svc-lockstep@hospital.test',
  },
  anchors: [{ id: 'hospital-ca', pem: 'PEM' }],
  roles: [
    { id: 'clinical', name: 'Clinical user', group: 'MDIP-Clinical' },
    { id: 'biomed', name: 'Biomedical engineer', group: 'MDIP-Biomed' },
    { id: 'admin', name: 'Administrator', group: 'MDIP-Admins' },
  ],
  devices: [
    {
      id: 'mdip-1',
      name: 'MDIP gateway, ICU',
      host: 'mdip1.hospital.test',
      adminUrl: 'https://mdip1.hospital.test:8443',
      allowedPorts: [8443],
      endpoints: {
        admin: { host: 'mdip1.hospital.test', port: 8443 },
        'admin-clear': { host: 'mdip1.hospital.test', port: 8080 },
        telnet: { host: 'mdip1.hospital.test', port: 23 },
        debug: { host: 'mdip1.hospital.test', port: 9229 },
      },
    },
  ],
  links: [
    {
      id: 'emr-vitals',
      name: 'Vital signs to the EMR',
      protocol: 'hl7-mllp',
      client: { device: 'mdip-1' },
      server: { host: 'emr.hospital.test', port: 2576 },
      clearPorts: [2575],
    },
    {
      id: 'emr-alarms',
      name: 'Alarms to the EMR',
      protocol: 'hl7-mllp',
      client: { device: 'mdip-1' },
      server: { host: 'alarms.hospital.test', port: 2577 },
    },
  ],
};

/** The reference guide over the practice site, as main's snapshot shows its items. */
export function practiceItems(): readonly ItemView[] {
  const guide = parseYaml(guideText, guideSchema);
  if (!guide.ok) throw new Error(`the reference guide is faulty: ${JSON.stringify(guide.faults)}`);
  const plan = makePlan(guide.value, siteSchema.parse(SITE));
  if (!plan.ok) throw new Error(`the reference guide does not fit the test's site: ${JSON.stringify(plan.error)}`);
  return plan.value.items.map(viewItem);
}

function viewItem(item: PlanItem): ItemView {
  const { control } = item;
  const change = CHANGE_DECLARATIONS.find((declared) => declared.id === control.change?.kind);
  return {
    key: item.key,
    control: {
      id: control.id,
      revision: control.revision,
      title: control.title,
      owner: control.owner,
      group: control.group ?? control.id.split('.')[0] ?? control.id,
      why: control.why,
      instructions: control.instructions,
      references: control.references,
      validFor: control.validFor,
      ...(control.manual === undefined
        ? {}
        : { manual: { ...control.manual, answers: Object.keys(control.manual.answers) } }),
      ...(change === undefined
        ? {}
        : {
            change: {
              kind: change.id,
              title: change.title,
              rights: change.rights,
              visible: [
                'One bind with the write credential and the creation of a group: on Windows events 4727 or 4754.',
              ],
            },
          }),
    },
    target: item.target,
    applies: item.applies.kind !== 'no',
    link: item.control.expect.length > 0,
    checks: item.checks.map((check, index) => ({
      probe: check.probe,
      title: PROBE_DECLARATIONS.find((declared) => declared.id === check.probe)?.title ?? check.probe,
      visible: visibleOf(item, index),
    })),
  };
}

/** The guide as the start page shows it. */
export function practiceGuide(trust: GuideView['trust'] = 'trusted'): GuideView {
  const guide = parseYaml(guideText, guideSchema);
  if (!guide.ok) throw new Error('the reference guide is faulty');
  const { value } = guide;
  return {
    id: value.guide,
    version: value.version,
    title: value.title,
    summary: value.summary,
    publisher: value.publisher,
    product: {
      vendor: value.product.vendor,
      name: value.product.name,
      versions: value.product.versions,
      observed: value.product.observe !== undefined,
    },
    controls: value.controls.length,
    trust,
    ...(trust === 'unsigned'
      ? {}
      : {
          signer: {
            subject: 'CN=Example Medical Systems Product Security, O=Example Medical Systems',
            issuer: 'CN=PRACTICE Publisher Root',
            sha256: DIGEST.signer,
            notAfter: '2028-11-01T00:00:00.000Z',
          },
        }),
    inputs: Object.entries(value.inputs).map(([name, input]) => ({
      name,
      title: input.title,
      type: input.type,
      owner: input.owner,
      help: input.help,
    })),
  };
}

/** The site as the site page shows it. */
export function practiceSite(): SiteView {
  return {
    id: SITE.site,
    name: SITE.name,
    practice: SITE.practice,
    directory: {
      kind: SITE.directory.kind,
      baseDn: SITE.directory.baseDn,
      servers: SITE.directory.servers.map((server) => server.host),
      bindAccount: SITE.directory.bindAccount,
    },
    anchors: [
      {
        id: 'hospital-ca',
        subject: 'CN=PRACTICE St. Anne’s Hospital CA',
        sha256: DIGEST.anchor,
        notAfter: '2031-05-01T00:00:00.000Z',
      },
    ],
    roles: SITE.roles,
    devices: SITE.devices.map(({ id, name, host }) => ({ id, name, host })),
    links: SITE.links.map(({ id, name, protocol, client, server }) => ({
      id,
      name,
      protocol,
      device: client.device,
      server: `${server.host}:${server.port}`,
    })),
  };
}
