import { attributeFault, type Fault, fault, memberFault } from './fault.ts';
import { DENIED, isDenied } from '../engine/wire/ldap-acl.ts';
import { ordinaryDescriptor } from './ldap-descriptor.ts';
import { DN, DOMAIN_SID, HELP_DESK_SID, NAMES, PEOPLE, people, personDn } from './directory-names.ts';
import { guardedDescriptor, plantBiomed } from './tree.ts';

const GLOBAL_SECURITY = String(0x8000_0002 | 0);
const GLOBAL_DISTRIBUTION = '2';

const group = { control: 'access.clinical-group', probe: 'directory.group' };
const nesting = { control: 'access.group-nesting', probe: 'directory.group' };
const guarded = { control: 'access.group-guarded', probe: 'directory.group' };

/** As AD sets a group up, and the right to write its members for the help desk besides. */
const delegated = guardedDescriptor([HELP_DESK_SID]);

/** What is wrong with the role groups, and with who is in them. */
export const GROUP_FAULTS: readonly Fault[] = [
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
  memberFault('group-broad', {
    ...group,
    title: `Domain Users is nested in ${NAMES.clinical}`,
    shipped: true,
    group: DN.wardStaff,
    members: [DN.domainUsers],
  }),
  memberFault('group-disabled-members', {
    ...group,
    title: `Disabled accounts are members of ${NAMES.clinical}`,
    shipped: true,
    group: DN.clinical,
    members: people(PEOPLE.disabled),
  }),
  memberFault('group-stale-members', {
    ...group,
    title: `People who have not logged on for a year are members of ${NAMES.clinical}`,
    group: DN.clinical,
    members: people(PEOPLE.stale),
  }),
  attributeFault('group-service-account', {
    ...group,
    title: `An account that serves a program is a member of ${NAMES.clinical}`,
    dn: personDn(PEOPLE.ward[0] + 1),
    attribute: 'servicePrincipalName',
    wrong: ['HTTP/mdip.hospital.example'],
    right: [],
  }),
  attributeFault('group-distribution', {
    ...group,
    title: `${NAMES.administrator} is a distribution group`,
    dn: DN.administrator,
    attribute: 'groupType',
    wrong: [GLOBAL_DISTRIBUTION],
    right: [GLOBAL_SECURITY],
  }),
  memberFault('role-two-hats', {
    control: 'access.separation-of-duties',
    probe: 'directory.access',
    title: 'The administrators of the platform are clinical users too',
    group: DN.clinical,
    members: people(PEOPLE.administrators),
  }),
  memberFault('role-nested-since', {
    control: 'access.changes',
    probe: 'directory.access',
    title: `Since the last bundle somebody nested ${NAMES.wardStaff} in ${NAMES.biomed}`,
    group: DN.biomed,
    members: [DN.wardStaff],
  }),
  attributeFault('leaver-signs-in', {
    control: 'access.sign-in',
    probe: 'directory.sign-in',
    title: 'The account of somebody who has left was never disabled',
    dn: personDn(PEOPLE.leaver),
    attribute: 'userAccountControl',
    wrong: ['512'],
    right: ['514'],
  }),
  memberFault('group-circle', {
    ...nesting,
    title: `${NAMES.clinical} contains itself: it is nested in ${NAMES.wardStaff}`,
    group: DN.wardStaff,
    members: [DN.clinical],
  }),
  fault('group-help-desk', {
    ...guarded,
    title: `The help desk can change who is in ${NAMES.clinical}`,
    shipped: true,
    active: ({ directory }) => {
      const entry = directory.get(DN.clinical);
      const [held] = entry === undefined ? [] : directory.values(entry, 'nTSecurityDescriptor');
      return held !== undefined && delegated.equals(Buffer.from(held));
    },
    set: ({ directory }, on) => {
      if (directory.get(DN.clinical) !== undefined)
        directory.set(DN.clinical, 'nTSecurityDescriptor', [on ? delegated : guardedDescriptor()]);
    },
  }),
  fault('group-unprotected', {
    control: 'access.group-protected',
    probe: 'directory.group',
    title: `${NAMES.administrator} can be deleted by a slip of the hand`,
    shipped: true,
    active: ({ directory }) => {
      const entry = directory.get(DN.administrator);
      const [held] = entry === undefined ? [] : directory.values(entry, 'nTSecurityDescriptor');
      return held !== undefined && isDenied(Buffer.from(held), DENIED.object) !== true;
    },
    set: ({ directory }, on) => {
      if (directory.get(DN.administrator) !== undefined)
        directory.set(DN.administrator, 'nTSecurityDescriptor', [
          on ? ordinaryDescriptor(DOMAIN_SID) : guardedDescriptor(),
        ]);
    },
  }),
  attributeFault('group-unmanaged', {
    ...guarded,
    title: `Nobody answers for ${NAMES.clinical}`,
    shipped: true,
    dn: DN.clinical,
    attribute: 'managedBy',
    wrong: [],
    right: [DN.domainAdmins],
  }),
];
