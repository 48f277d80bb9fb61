import { fail, ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap-entry.ts';
import { DENIED, isDenied } from './ldap-acl.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parentDn } from './ldap-names.ts';

/** Part of a security descriptor that is asked for: its DACL (MS-ADTS 3.1.1.3.4.1.11). */
const DACL = 4;

/** One access control list as it stands: of an object, or of what it lies in. */
export type DeletionList = { readonly entry: LdapEntry; readonly dacl: Buffer; readonly denied: boolean };

/**
 * Whether everyone is denied deleting an object, as far as one of the two lists that decide it goes. Errors: those of
 * reading, `change.state-differs` (no such object), `ldap.no-right` (the list is hidden), `change.refused` (not understood).
 */
export async function readDeletionList(
  { session }: SiteDirectory,
  dn: string,
  role: keyof typeof DENIED,
): Promise<Result<DeletionList>> {
  const read = await session.read(dn, ['objectGUID', 'nTSecurityDescriptor'], DACL);
  if (!read.ok) return read;
  if (read.value === undefined) return fail('change.state-differs', `There is no ${dn}.`, { place: dn });
  const [dacl] = read.value.bytes('nTSecurityDescriptor');
  if (dacl === undefined) return fail('ldap.no-right', `The access control list of ${dn} may not be read.`);
  const denied = isDenied(dacl, DENIED[role]);
  return denied === undefined
    ? fail('change.refused', `The access control list of ${dn} could not be understood.`)
    : ok({ entry: read.value, dacl, denied });
}

/**
 * Whether an object is protected from accidental deletion: both lists deny it, because either right would do to delete it.
 * A sentence where that may not be read. Errors: those of the connection.
 */
export async function readProtection(directory: SiteDirectory, dn: string): Promise<Result<boolean | string>> {
  const parent = parentDn(dn);
  if (parent === undefined) return ok('it lies in nothing');
  for (const [place, role] of [
    [dn, 'object'],
    [parent, 'parent'],
  ] as const) {
    const list = await readDeletionList(directory, place, role);
    if (list.ok) {
      if (!list.value.denied) return ok(false);
    } else if (['ldap.no-right', 'change.refused', 'change.state-differs'].includes(list.error.code))
      return ok(list.error.message);
    else return list;
  }
  return ok(true);
}
