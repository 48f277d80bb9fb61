import { X509Certificate } from 'node:crypto';
import type { GuideView, ItemView, PeopleView, SiteView, Snapshot } from '../core/ipc.ts';
import type { PlanItem } from '../core/guide/plan.ts';
import { PROBE_DECLARATIONS } from '../core/probes/index.ts';
import type { Site } from '../core/site/schema.ts';
import { namedSecrets } from './named-secrets.ts';
import type { LoadedGuide } from './session/load-guide.ts';
import { asksForNames } from './session/people.ts';
import type { Session } from './session/session.ts';
import { offeredChange, visibleOf } from './session/visible.ts';

/** A guide as the start page shows it. */
export function viewGuide({ guide, trust, signer }: LoadedGuide): GuideView {
  return {
    id: guide.guide,
    version: guide.version,
    title: guide.title,
    summary: guide.summary,
    publisher: guide.publisher,
    product: {
      vendor: guide.product.vendor,
      name: guide.product.name,
      versions: guide.product.versions,
      observed: guide.product.observe !== undefined,
    },
    controls: guide.controls.length,
    trust,
    ...(signer === undefined ? {} : { signer }),
    inputs: Object.entries(guide.inputs).map(([name, { title, type, owner, help }]) => ({
      name,
      title,
      type,
      owner,
      ...(help === undefined ? {} : { help }),
    })),
  };
}

/** A site as the site page shows it. */
export function viewSite(site: Site): SiteView {
  return {
    id: site.site,
    name: site.name,
    practice: site.practice,
    ...(site.directory === undefined
      ? {}
      : {
          directory: {
            kind: site.directory.kind,
            baseDn: site.directory.baseDn,
            servers:
              site.directory.servers.length > 0
                ? site.directory.servers.map((server) => server.host)
                : ['as DNS names them'],
            bindAccount: site.directory.bindAccount,
          },
        }),
    anchors: site.anchors.map((anchor) => ({ id: anchor.id, ...summarizePem(anchor.pem ?? '') })),
    roles: site.roles.map(({ id, name, group }) => ({ id, name, group })),
    devices: site.devices.map(({ id, name, host }) => ({ id, name, host })),
    links: site.links.map(({ id, name, protocol, client, server }) => ({
      id,
      name,
      protocol,
      device: client.device,
      server: `${server.host}:${server.port}`,
    })),
  };
}

/** One step of the walk. */
function viewItem(item: PlanItem, site: Site): ItemView {
  const { control } = item;
  const change = offeredChange(item, site);
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
      ...(control.validFor === undefined ? {} : { validFor: control.validFor }),
      ...(control.manual === undefined
        ? {}
        : {
            manual: {
              question: control.manual.question,
              evidence: control.manual.evidence,
              required: control.manual.required,
              answers: Object.keys(control.manual.answers),
            },
          }),
      ...(change === undefined
        ? {}
        : {
            change: {
              kind: change.declaration.id,
              title: change.declaration.title,
              rights: change.declaration.rights,
              visible: change.visible,
              ...(change.lacks === undefined ? {} : { lacks: change.lacks }),
            },
          }),
    },
    target: item.target,
    applies: item.applies.kind !== 'no',
    link: item.control.expect.length > 0,
    checks: item.checks.map((check, index) => ({
      probe: check.probe,
      title: PROBE_DECLARATIONS.find((candidate) => candidate.id === check.probe)?.title ?? check.probe,
      visible: visibleOf(item, index),
    })),
  };
}

/** The whole session as a page that was just loaded needs it. */
export function viewSession(session: Session, running: boolean): Snapshot {
  const { trust } = session.guide;
  return {
    session: session.id,
    guide: viewGuide(session.guide),
    site: viewSite(session.site.sealed),
    items: session.plan.items.map((item) => viewItem(item, session.site.sealed)),
    events: session.journal.events,
    secrets: namedSecrets(session.site.sealed, session.plan.items).map((secret) => ({
      ...secret,
      supplied: session.secrets.has(secret.name),
    })),
    running,
    ...(session.site.sealed.directory === undefined ? {} : { people: viewPeople(session) }),
    ...(trust === 'trusted'
      ? {}
      : {
          readOnly:
            trust === 'unsigned'
              ? 'This guide is not signed, so Lockstep reads and changes nothing.'
              : 'This guide is signed by a publisher whom you have not approved, so Lockstep reads and changes nothing.',
        }),
    notices: session.journal.notices,
  };
}

function viewPeople({ site, plan, memory }: Session): PeopleView {
  const expected = site.sealed.people?.keyId;
  return {
    keyed: memory.siteKey !== undefined,
    asking: asksForNames(plan.items).map(({ key, control, target }) => ({
      key,
      title: control.title,
      target: target.name,
    })),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** Subject (one line), SHA-256 (hex) and end (ISO 8601) of the first certificate of a PEM text. */
function summarizePem(pem: string): { subject: string; sha256: string; notAfter: string } {
  try {
    const certificate = new X509Certificate(pem);
    return {
      subject: certificate.subject.replaceAll('\n', ', '),
      sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      notAfter: new Date(certificate.validTo).toISOString(),
    };
  } catch (error) {
    return {
      subject: `unreadable: ${error instanceof Error ? error.message : String(error)}`,
      sha256: '',
      notAfter: '',
    };
  }
}
