import { relativeId } from './ldap-values.ts';

/** Principals that exist in every Windows domain without an entry of their own (MS-DTYP 2.4.2.4). */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'S-1-1-0': 'Everyone',
  'S-1-3-0': 'Creator Owner',
  'S-1-5-2': 'Network',
  'S-1-5-4': 'Interactive',
  'S-1-5-7': 'Anonymous Logon',
  'S-1-5-9': 'Enterprise Domain Controllers',
  'S-1-5-10': 'Self',
  'S-1-5-11': 'Authenticated Users',
  'S-1-5-15': 'This Organization',
  'S-1-5-18': 'Local System',
};

const BROAD_WELL_KNOWN = ['S-1-1-0', 'S-1-5-2', 'S-1-5-4', 'S-1-5-7', 'S-1-5-11', 'S-1-5-15'];
/** Users, Guests, Pre-Windows 2000 Compatible Access. */
const BROAD_BUILTIN = ['S-1-5-32-545', 'S-1-5-32-546', 'S-1-5-32-554'];
/** Domain Users, Domain Guests, Domain Computers. */
const BROAD_RIDS = [513, 514, 515];

/** System, Administrators, Account Operators, domain controllers. */
const PRIVILEGED = ['S-1-5-18', 'S-1-5-9', 'S-1-5-32-544', 'S-1-5-32-548'];
/** Administrator, Domain Admins, Domain Controllers, Schema Admins, Enterprise Admins. */
const PRIVILEGED_RIDS = [500, 512, 516, 518, 519];

/** Groups that make an account an administrator: the built-in ones by SID, those of the domain by RID. */
const ADMIN_BUILTIN = ['S-1-5-32-544', 'S-1-5-32-548', 'S-1-5-32-549', 'S-1-5-32-550', 'S-1-5-32-551'];
const ADMIN_RIDS = [512, 516, 518, 519, 520];

const inDomain = (sid: string) => sid.startsWith('S-1-5-21-');

/** Name of a principal that has no entry of its own. */
export function wellKnownName(sid: string): string | undefined {
  return WELL_KNOWN[sid];
}

/** Whether a principal stands for more or less everybody. */
export function isBroad(sid: string): boolean {
  return (
    BROAD_WELL_KNOWN.includes(sid) ||
    BROAD_BUILTIN.includes(sid) ||
    (inDomain(sid) && BROAD_RIDS.includes(relativeId(sid)))
  );
}

/** Whether a principal administers the domain anyway, so that rights on one group add nothing. */
export function isPrivileged(sid: string): boolean {
  return PRIVILEGED.includes(sid) || (inDomain(sid) && PRIVILEGED_RIDS.includes(relativeId(sid)));
}

/** Whether membership of a group makes somebody an administrator of the domain or of its controllers. */
export function isAdministrative(sid: string): boolean {
  return ADMIN_BUILTIN.includes(sid) || (inDomain(sid) && ADMIN_RIDS.includes(relativeId(sid)));
}
