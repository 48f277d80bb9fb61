import { DENIED } from '../engine/wire/ldap-acl.ts';
import {
  BASE_DN,
  BUILTIN,
  DN,
  DOMAIN_SID,
  GROUPS,
  HELP_DESK_SID,
  NAMES,
  PEOPLE,
  people,
  personDn,
  personName,
  SERVICE,
  SYSTEM_USERS,
  USERS,
} from './directory-names.ts';
import { ordinaryDescriptor } from './ldap-descriptor.ts';
import { createDirectory, type PracticeDirectory, type Value } from './ldap-directory.ts';
import { CLASSES } from './ldap-schema.ts';
import { fileTime, generalizedTime, guidFor, negativeTicks, sidToBytes } from './ldap-values.ts';
import { filledIn, groupAccountType } from './ldap-write.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const GLOBAL_SECURITY = 0x8000_0002 | 0;
const BUILTIN_SECURITY = 0x8000_0005 | 0;
const ENABLED = '512';
const DISABLED = '514';
const NEVER_EXPIRES = '66048';

/** The hospital's directory, hardened. Passwords are those given. */
export function createHospitalDirectory(options: {
  now: () => Date;
  bindPassword: string;
  writePassword: string;
  canaryPassword: string;
  leaverPassword: string;
}): PracticeDirectory {
  const directory = createDirectory({ baseDn: BASE_DN, domainSid: DOMAIN_SID, now: options.now });
  plantContainers(directory);
  plantWellKnown(directory);
  for (let index = 0; index < PEOPLE.count; index += 1) plantPerson(directory, index);
  plantAccount(directory, DN.bindAccount, NAMES.bindAccount, options.bindPassword, 'Reads the directory for Lockstep');
  plantAccount(
    directory,
    DN.writeAccount,
    NAMES.writeAccount,
    options.writePassword,
    'Writes the directory, on request',
  );
  directory.set(DN.domainAdmins, 'member', [DN.writeAccount]);
  directory.setPassword(personDn(PEOPLE.canary), options.canaryPassword);
  directory.setPassword(personDn(PEOPLE.leaver), options.leaverPassword);
  plantRoleGroups(directory);
  return directory;
}

function plantContainers(directory: PracticeDirectory): void {
  directory.put(BASE_DN, {
    objectClass: ['top', 'domain', 'domainDNS'],
    objectCategory: `CN=Domain-DNS,CN=Schema,CN=Configuration,${BASE_DN}`,
    objectSid: sid(DOMAIN_SID),
    minPwdLength: '14',
    pwdHistoryLength: '24',
    pwdProperties: '1',
    lockoutThreshold: '10',
    lockoutDuration: negativeTicks(15 * MINUTE),
    lockOutObservationWindow: negativeTicks(15 * MINUTE),
    maxPwdAge: negativeTicks(365 * DAY),
    minPwdAge: negativeTicks(DAY),
    'msDS-Behavior-Version': '7',
    'ms-DS-MachineAccountQuota': '0',
  });
  const containers = ['Users', 'Builtin', 'Computers', 'System', 'ForeignSecurityPrincipals'].map(
    (name) => `CN=${name},${BASE_DN}`,
  );
  for (const dn of [...containers, `CN=Password Settings Container,CN=System,${BASE_DN}`])
    directory.put(dn, classOf(directory, 'container', ''));
  for (const dn of [USERS, GROUPS, SERVICE, `OU=Domain Controllers,${BASE_DN}`])
    directory.put(dn, classOf(directory, 'organizationalunit', ''));
}

function plantWellKnown(directory: PracticeDirectory): void {
  const group = (
    dn: string,
    name: string,
    groupSid: string,
    groupType: number,
    more: Record<string, Value | Value[]> = {},
  ): void => {
    directory.put(dn, {
      ...classOf(directory, 'group', name),
      objectSid: sid(groupSid),
      groupType: String(groupType),
      sAMAccountType: groupAccountType(groupType),
      isCriticalSystemObject: 'TRUE',
      ...more,
    });
  };
  const domain: [string, number][] = [
    ['Domain Admins', 512],
    ['Domain Users', 513],
    ['Domain Guests', 514],
    ['Domain Computers', 515],
    ['Schema Admins', 518],
    ['Enterprise Admins', 519],
  ];
  for (const [name, rid] of domain) {
    group(
      `CN=${name},${SYSTEM_USERS}`,
      name,
      `${DOMAIN_SID}-${rid}`,
      GLOBAL_SECURITY,
      rid === 512 || rid > 515 ? { adminCount: '1' } : {},
    );
  }
  const builtin: [string, number][] = [
    ['Administrators', 544],
    ['Users', 545],
    ['Guests', 546],
    ['Account Operators', 548],
    ['Server Operators', 549],
    ['Print Operators', 550],
    ['Backup Operators', 551],
  ];
  for (const [name, rid] of builtin) group(`CN=${name},${BUILTIN}`, name, `S-1-5-32-${rid}`, BUILTIN_SECURITY);
  directory.set(`CN=Administrators,${BUILTIN}`, 'member', [DN.domainAdmins, `CN=Enterprise Admins,${SYSTEM_USERS}`]);
  directory.set(`CN=Users,${BUILTIN}`, 'member', [DN.domainUsers]);
  const authenticated = `CN=S-1-5-11,CN=ForeignSecurityPrincipals,${BASE_DN}`;
  directory.put(authenticated, { ...classOf(directory, 'foreignsecurityprincipal', ''), objectSid: sid('S-1-5-11') });
}

function plantPerson(directory: PracticeDirectory, index: number): void {
  const name = personName(index);
  const [given = '', family = ''] = name.split(' ');
  const account = `${given}.${family}`.toLowerCase();
  const stale = within(index, PEOPLE.stale);
  const seen = new Date(directory.now().getTime() - (stale ? 400 : 1 + (index % 20)) * DAY);
  directory.put(personDn(index), {
    ...classOf(directory, 'user', account),
    objectGUID: guidFor(account),
    whenCreated: generalizedTime(new Date(directory.now().getTime() - 500 * DAY)),
    givenName: given,
    sn: family,
    displayName: name,
    mail: `${account}@hospital.example`,
    userPrincipalName: `${account}@hospital.example`,
    userAccountControl: within(index, PEOPLE.disabled) ? DISABLED : ENABLED,
    pwdLastSet: fileTime(new Date(seen.getTime() - 30 * DAY)),
    lastLogonTimestamp: fileTime(seen),
    lastLogon: fileTime(seen),
  });
}

function plantAccount(
  directory: PracticeDirectory,
  dn: string,
  account: string,
  password: string,
  description: string,
): void {
  directory.put(dn, {
    ...classOf(directory, 'user', account),
    userPrincipalName: `${account}@hospital.example`,
    description,
    userAccountControl: NEVER_EXPIRES,
    pwdLastSet: fileTime(new Date(directory.now().getTime() - 10 * DAY)),
    lastLogonTimestamp: fileTime(new Date(directory.now().getTime() - DAY)),
    unicodePwd: password,
  });
}

/** As AD sets a group up, and protected from deletion; `delegates` may write its members. */
export function guardedDescriptor(delegates: readonly string[] = []): Buffer {
  return ordinaryDescriptor(DOMAIN_SID, delegates, DENIED.object);
}

function plantRoleGroups(directory: PracticeDirectory): void {
  directory.set(GROUPS, 'nTSecurityDescriptor', [ordinaryDescriptor(DOMAIN_SID, [], DENIED.parent)]);
  plantGroup(directory, DN.wardStaff, NAMES.wardStaff, people(PEOPLE.ward));
  plantGroup(directory, DN.clinical, NAMES.clinical, [DN.wardStaff]);
  plantGroup(directory, DN.helpDesk, NAMES.helpDesk, people(PEOPLE.helpDesk));
  directory.set(DN.helpDesk, 'objectSid', [sid(HELP_DESK_SID)]);
  plantBiomed(directory);
  plantGroup(directory, DN.administrator, NAMES.administrator, people(PEOPLE.administrators));
}

/** The biomedical engineers' group, with its people; it is what one fault leaves out. */
export function plantBiomed(directory: PracticeDirectory): void {
  plantGroup(directory, DN.biomed, NAMES.biomed, people(PEOPLE.biomed));
}

function plantGroup(directory: PracticeDirectory, dn: string, account: string, members: readonly string[]): void {
  directory.put(dn, {
    ...classOf(directory, 'group', account),
    description: 'PRACTICE',
    managedBy: DN.domainAdmins,
    member: members,
    nTSecurityDescriptor: guardedDescriptor(),
  });
}

function classOf(
  directory: PracticeDirectory,
  name: string,
  account: string,
): Record<string, Value | readonly Value[]> {
  const objectClass = CLASSES[name];
  if (objectClass === undefined) throw new Error(`the practice directory has no class ${name}`);
  return filledIn(directory, objectClass, account);
}

function within(index: number, [from, to]: readonly [number, number]): boolean {
  return index >= from && index < to;
}

function sid(text: string): Buffer {
  const bytes = sidToBytes(text);
  if (bytes === undefined) throw new Error(`${text} is no SID`);
  return bytes;
}
