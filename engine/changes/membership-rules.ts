import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { nameOf } from '../wire/ldap-lookup.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import type { SiteDirectory } from '../wire/ldap-site.ts';
import { guardAdministrators, isAdministrators, upwards } from './lockout-guard.ts';
import type { Principal } from './principal.ts';

/** Nothing is added to administrators, and no group is put into itself. */
export async function mayJoin(
  directory: SiteDirectory,
  group: Principal,
  members: readonly Principal[],
): Promise<Result<void>> {
  const administrators = await isAdministrators(directory, group.entry);
  if (!administrators.ok) return administrators;
  if (administrators.value)
    return fail('change.refused', `${nameOf(group.entry)} makes administrators. Lockstep never adds to such a group.`);
  const above = await upwards(directory, group.entry);
  if (!above.ok) return above;
  const keys = new Set(above.value.map((entry) => normalizeDn(entry.dn)));
  const circular = members.find((member) => keys.has(normalizeDn(member.dn)));
  return circular === undefined
    ? ok(undefined)
    : fail(
        'change.refused',
        `${nameOf(circular.entry)} contains ${nameOf(group.entry)}: nesting it would make a circle.`,
      );
}

/** Members that are about to leave a group. */
export type Leaving = { readonly group: Principal; readonly members: readonly Principal[] };

/** Nobody is locked out: neither the administrators, nor the accounts that this work is done with. */
export function mayLeave(
  directory: SiteDirectory,
  leaving: readonly Leaving[],
  context: ProbeContext,
): Promise<Result<void>> {
  const bind = context.site.directory?.bindAccount;
  const accounts = [...(bind === undefined ? [] : [bind]), directory.user];
  const removals = leaving.map(({ group, members }) => ({ group: group.entry, members: members.map(({ dn }) => dn) }));
  return guardAdministrators(directory, removals, accounts);
}
