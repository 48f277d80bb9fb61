import type { LdapEntry } from './ldap.ts';
import { hasGroupClass } from './ldap-lookup.ts';

export type MemberKind = 'person' | 'computer' | 'group' | 'foreign' | 'other';

const PERSON_CLASSES = ['user', 'person', 'organizationalperson', 'inetorgperson', 'account', 'posixaccount'];

/** What an entry is to a membership. */
export function kindOf(entry: LdapEntry): MemberKind {
  const list = entry.texts('objectClass');
  const kind = kinds.get(list) ?? kindOfClasses(list.map((name) => name.toLowerCase()));
  kinds.set(list, kind);
  if (kind !== 'unknown') return kind;
  return entry.text('uid') === undefined ? 'other' : 'person';
}

/** Kinds by list of classes, which the entries of one search share. */
const kinds = new WeakMap<readonly string[], MemberKind | 'unknown'>();

function kindOfClasses(classes: readonly string[]): MemberKind | 'unknown' {
  if (hasGroupClass(classes)) return 'group';
  if (classes.includes('foreignsecurityprincipal')) return 'foreign';
  if (classes.includes('computer')) return 'computer';
  if (classes.includes('contact')) return 'other';
  // OpenLDAP lists only the classes that were written, not those above them.
  return PERSON_CLASSES.some((name) => classes.includes(name)) ? 'person' : 'unknown';
}
