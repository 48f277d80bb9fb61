export const BASE_DN = 'DC=hospital,DC=example';
export const DOMAIN_SID = 'S-1-5-21-1004336348-1177238915-682003330';
/** Fixed, so that the access control lists may name it. */
export const HELP_DESK_SID = `${DOMAIN_SID}-1101`;
export const USERS = `OU=Users,${BASE_DN}`;
export const GROUPS = `OU=Groups,${BASE_DN}`;
export const SERVICE = `OU=Service,${BASE_DN}`;
export const SYSTEM_USERS = `CN=Users,${BASE_DN}`;
export const BUILTIN = `CN=Builtin,${BASE_DN}`;

// Invented people; the names are of plants and places, so that nobody finds themselves here.
const GIVEN = 'Ada Ben Cleo Dag Eva Finn Gro Hugo Ida Jan Kira Leo Mia Nils Ola Pia Quin Rosa Sten Tove'.split(' ');
const FAMILY = 'Ahorn Birke Distel'.split(' ');

/** Fixed names that the faults and the site refer to. */
export const NAMES = {
  clinical: 'MDIP-Clinical',
  biomed: 'MDIP-Biomed',
  administrator: 'MDIP-Administrators',
  wardStaff: 'Ward-Staff',
  helpDesk: 'Help-Desk',
  bindAccount: 'svc-lockstep',
  writeAccount: 'dir-admin',
} as const;

/** DNs of the objects that faults touch. */
export const DN = {
  domain: BASE_DN,
  clinical: `CN=${NAMES.clinical},${GROUPS}`,
  biomed: `CN=${NAMES.biomed},${GROUPS}`,
  administrator: `CN=${NAMES.administrator},${GROUPS}`,
  wardStaff: `CN=${NAMES.wardStaff},${GROUPS}`,
  helpDesk: `CN=${NAMES.helpDesk},${GROUPS}`,
  domainUsers: `CN=Domain Users,${SYSTEM_USERS}`,
  domainAdmins: `CN=Domain Admins,${SYSTEM_USERS}`,
  bindAccount: `CN=${NAMES.bindAccount},${SERVICE}`,
  writeAccount: `CN=${NAMES.writeAccount},${SERVICE}`,
} as const;

/** DN of the nth synthetic person, from 0. */
export function personDn(index: number): string {
  return `CN=${personName(index)},${USERS}`;
}

/** Name of the nth synthetic person, from 0. */
export function personName(index: number): string {
  return `${GIVEN[index % GIVEN.length]} ${FAMILY[Math.floor(index / GIVEN.length)]}`;
}

/** How many people there are, and which of them have left (disabled) or not logged on for a year (stale). */
export const PEOPLE = {
  count: GIVEN.length * FAMILY.length,
  ward: [0, 18],
  biomed: [20, 24],
  administrators: [24, 26],
  helpDesk: [26, 29],
  disabled: [54, 57],
  stale: [57, 60],
  /** A nurse who lets Lockstep try one sign-in, and somebody who has left. */
  canary: 0,
  leaver: 56,
} as const;

/** Names under which the canaries sign in. */
export const CANARIES = { account: accountOf(PEOPLE.canary), mustRefuse: accountOf(PEOPLE.leaver) } as const;

function accountOf(index: number): string {
  return `${personName(index).replace(' ', '.').toLowerCase()}@hospital.example`;
}

/** DNs of the people from the first index up to, not including, the second. */
export function people([from, to]: readonly [number, number]): string[] {
  return Array.from({ length: to - from }, (_, offset) => personDn(from + offset));
}
