import type { z } from 'zod';
import type { directoryAccess } from '../../core/probes/directory-access.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { normalizeDn } from './ldap-names.ts';
import { pseudonymOf, type SiteDirectory } from './ldap-site.ts';
import type { Walk } from './ldap-walk.ts';
import { readWritersOf } from './ldap-writers.ts';

type AccessFacts = z.input<typeof directoryAccess.facts>;
type Grantor = NonNullable<AccessFacts['roles'][number]['grantors']>[number];
type Shared = NonNullable<AccessFacts['grantors']>[number];

/** Groups of one role whose access control lists are read. */
const MAX_LISTS = 2_000;

/** Who can change one of the groups and is no built-in administrator; else why that is not known. */
export async function grantorsOf(
  directory: SiteDirectory,
  groups: Walk['groups'] | undefined,
  context: ProbeContext,
): Promise<Result<Grantor[] | string>> {
  if (groups === undefined) return ok('not every nested group was found, and each of them has writers');
  if (groups.length > MAX_LISTS)
    return ok(`more than ${MAX_LISTS} groups give the role, and each has a list of its own`);
  const dnOf = ({ dn, name }: Walk['groups'][number]) => dn ?? name;
  const lists = await readWritersOf(directory, groups.map(dnOf));
  if (!lists.ok) return lists;
  const bySid = new Map<string, Grantor>();
  for (const group of groups) {
    const writers = lists.value.get(normalizeDn(dnOf(group))) ?? [];
    if (typeof writers === 'string') return ok(`${group.name}: ${writers}`);
    for (const { type, name, sid, rights, privileged } of writers) {
      if (privileged) continue;
      const known = bySid.get(sid);
      const id = type === 'person' ? pseudonymOf(context, sid) : undefined;
      bySid.set(sid, {
        type,
        ...(name === undefined ? {} : { name }),
        ...(id === undefined ? {} : { id }),
        rights: [...new Set([...(known?.rights ?? []), ...rights])].sort(),
        groups: [...(known?.groups ?? []), group.name],
      });
    }
  }
  return ok([...bySid.values()].sort((a, b) => (wordOf(a) < wordOf(b) ? -1 : 1)));
}

/** A grantor in one word, by which they are put in order. */
function wordOf({ type, name, id }: Pick<Grantor, 'type' | 'name' | 'id'>): string {
  return name ?? id ?? type;
}

/** Everybody who can give a role, with which. Without the key of the site nobody can tell two people apart: each stands for themselves. */
export function grantorsOfAll(roles: readonly Pick<AccessFacts['roles'][number], 'id' | 'grantors'>[]): Shared[] {
  const found: { type: Grantor['type']; name?: string; id?: string; roles: string[] }[] = [];
  for (const { id: role, grantors = [] } of roles) {
    for (const { type, name, id } of grantors) {
      const isTheSame = (other: (typeof found)[number]) =>
        other.type === type && (name === undefined ? id !== undefined && other.id === id : other.name === name);
      const known = found.find(isTheSame);
      if (known !== undefined) known.roles.push(role);
      else
        found.push({
          type,
          ...(name === undefined ? {} : { name }),
          ...(id === undefined ? {} : { id }),
          roles: [role],
        });
    }
  }
  return found;
}
