import { Client } from 'ldapts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { evaluateParams, makePlan } from '../../core/guide/plan.ts';
import { directoryCreateOu } from '../../engine/changes/directory-create-ou.ts';
import { directoryProtectFromDeletion } from '../../engine/changes/directory-protect-from-deletion.ts';
import { directoryRemoveMembers } from '../../engine/changes/directory-remove-members.ts';
import { directorySetAttributes } from '../../engine/changes/directory-set-attributes.ts';
import { CHANGES } from '../../engine/changes/index.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { value } from '../support/evidence.ts';
import { type HardenedLab, startHardenedLab, throughJournal } from '../support/hardened-lab.ts';
import { ordinaryDescriptor } from '../../lab/ldap-descriptor.ts';
import { DN, DOMAIN_SID, NAMES } from '../../lab/directory-names.ts';
import { judgeInLab, REFERENCE_GUIDE } from '../support/lab-walk.ts';

let hardened: HardenedLab;
let lab: HardenedLab['lab'];
let context: HardenedLab['context'];

beforeAll(async () => {
  hardened = await startHardenedLab();
  ({ lab, context } = hardened);
});
afterAll(() => hardened?.stop());
beforeEach(() => hardened.reset());

describe('changes in the practice hospital', () => {
  const GROUPS = 'OU=Groups,DC=hospital,DC=example';

  it.each([
    [directoryCreateOu.declaration.id, { name: 'MDIP, "wards"', container: GROUPS, description: 'Groups of the MDIP' }],
    [
      directoryRemoveMembers.declaration.id,
      { group: NAMES.clinical, members: [NAMES.wardStaff, 'S-1-5-21-domain-513'] },
    ],
    [directorySetAttributes.declaration.id, { object: NAMES.biomed, managedBy: 'eva.birke', description: 'Engineers' }],
    [directoryProtectFromDeletion.declaration.id, { object: 'OU=Service,DC=hospital,DC=example' }],
    ['directory.add-members', { group: NAMES.biomed, members: [NAMES.wardStaff, 'eva.birke'] }],
  ])('%s is made, read back and undone', async (id, params) => {
    const one = CHANGES.find(({ declaration }) => declaration.id === id);
    if (one === undefined) throw new Error(id);
    const made = value(await one.plan(one.declaration.params.parse(params), context()));
    value(await one.apply(throughJournal(made), lab.writeCredential, context()));
    const read = value(await one.readBack(throughJournal(made), context()));
    expect(read).toMatchObject({ asPlanned: true });
    const undo = value(await one.planUndo(throughJournal(made), throughJournal(read.state), context()));
    value(await one.apply(throughJournal(undo), lab.writeCredential, context()));
    expect(value(await one.readBack(throughJournal(undo), context()))).toMatchObject({ asPlanned: true });
    expect(value(await one.readBack(made, context())).state).toEqual(throughJournal(made.preImage));
  });

  it('keeps the hospital’s administrators', async () => {
    const params = { group: 'Domain Admins', members: [NAMES.writeAccount], nested: false };
    expect(await directoryRemoveMembers.plan(params, context())).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: 'This would leave Domain Admins without anybody who can log in.' },
    });
    expect(lab.parts.directory.get(DN.domainAdmins)).toBeDefined();
  });

  it('lets nobody delete what is protected, not even the administrator', async () => {
    const { user, password } = lab.writeCredential;
    const client = new Client({
      url: `ldaps://127.0.0.1:${lab.ports.dc1.ldaps}`,
      tlsOptions: { ca: context().anchor('hospital-ca') ?? '', servername: 'dc1.hospital.example' },
    });
    await client.bind(user, password);
    try {
      lab.parts.directory.set(DN.biomed, 'nTSecurityDescriptor', [ordinaryDescriptor(DOMAIN_SID)]);
      const made = value(await directoryProtectFromDeletion.plan({ object: NAMES.biomed }, context()));
      value(await directoryProtectFromDeletion.apply(made, lab.writeCredential, context()));
      await expect(client.del(DN.biomed)).rejects.toMatchObject({ code: 50 });
      await expect(client.del(DN.wardStaff)).rejects.toMatchObject({ code: 50 });
      const { state } = value(await directoryProtectFromDeletion.readBack(made, context()));
      const back = value(await directoryProtectFromDeletion.planUndo(made, state, context()));
      value(await directoryProtectFromDeletion.apply(back, lab.writeCredential, context()));
      await client.del(DN.biomed);
      expect(lab.parts.directory.get(DN.biomed)).toBeUndefined();
    } finally {
      await client.unbind();
    }
  });

  it.each([
    ['group-broad', 'access.group-nesting', `which is nested in ${NAMES.clinical}`],
    ['group-unmanaged', 'access.group-guarded', 'managedBy'],
    ['group-unprotected', 'access.group-protected', 'Everyone (S-1-1-0) is denied Delete'],
    ['group-missing', 'access.clinical-group', NAMES.biomed],
    ['device-directory-clear', 'access.device-directory-link', '/directory/verifyServer: true'],
    ['device-no-auto-logoff', 'access.auto-logoff', '/session/inactivityMinutes: 15'],
    ['device-credential-cache', 'access.credential-cache', '/directory/credentialCacheDays: 7'],
    ['device-stale-anchor', 'certificate.pinned-anchor', 'Hospital Root CA'],
    ['device-debug-port', 'network.ports', '/services/debug: false'],
    ['device-telnet', 'network.legacy-services', '/services/telnet: false'],
    ['device-http-clear', 'web.https-only', '/services/clearHttp: "redirect"'],
    ['device-api-open', 'web.api-credentials', '/web/anonymousApi: false'],
    ['device-no-security-headers', 'web.security-headers', '/web/securityHeaders: true'],
    ['audit-not-forwarded', 'audit.forwarding', '/audit/syslogHost: "siem.hospital.example"'],
    ['time-manual', 'audit.time-source', '/time/servers: ["dc1.hospital.example","dc2.hospital.example"]'],
  ])('%s is mended by what the reference guide offers under %s', async (fault, step, says) => {
    await lab.setFault(fault, true);
    const judge = async () =>
      (await judgeInLab(lab, (item) => item.control.id === step)).filter(({ verdict }) => verdict !== 'pass');
    const [broken] = await judge();
    expect(broken?.verdict).toBe('fail');
    const guide = value(await loadGuide(REFERENCE_GUIDE, {}));
    const planned = makePlan(guide.guide, value(await loadSite(lab.siteFile)).sealed);
    const item = planned.ok ? planned.value.items.find(({ key }) => key === broken?.key) : undefined;
    const one = CHANGES.find(({ declaration }) => declaration.id === item?.control.change?.kind);
    if (one === undefined || item === undefined) throw new Error('no change');
    const params = value(evaluateParams(item.control.change?.with ?? {}, item.values));
    const made = value(await one.plan(one.declaration.params.parse(params), context()));
    expect(`${made.summary} ${made.diff}`).toContain(says);
    const onDevice = { user: 'lockstep', password: lab.secrets['device-admin'] ?? '' };
    const writer = made.kind.startsWith('directory.') ? lab.writeCredential : onDevice;
    value(await one.apply(throughJournal(made), writer, context()));
    expect(value(await one.readBack(throughJournal(made), context()))).toMatchObject({ asPlanned: true });
    expect(await judge()).toEqual([]);
  });
});
