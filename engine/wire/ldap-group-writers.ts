import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import type { directoryGroup } from '../../core/probes/directory-group.ts';
import { ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import type { LdapEntry } from './ldap.ts';
import { nameOf } from './ldap-lookup.ts';
import type { Membership } from './ldap-members.ts';
import { normalizeDn } from './ldap-names.ts';
import { pseudonymOf, type SiteDirectory } from './ldap-site.ts';
import { readWritersOf, type Writer } from './ldap-writers.ts';

type Facts = Pick<z.input<typeof directoryGroup.facts>, 'writers'>;
type NestedWriter = NonNullable<NonNullable<Facts['writers']>['nested']>[number];

/** Nested groups whose access control lists are read. */
const MOST_LISTS = 2_000;

/** Who can change the membership of a group: of the group itself, and of every nested one. Facts of `directory.group`. */
export async function describeWriters(
  directory: SiteDirectory,
  group: LdapEntry,
  { groups, complete, hidden }: Membership,
  context: ProbeContext,
): Promise<Result<{ facts: Facts; absent: AbsentFact[] }>> {
  const partial = whyNotEvery(groups, complete, hidden);
  const dns = [group, ...(partial === undefined ? groups : [])].map(({ dn }) => dn);
  const read = await readWritersOf(directory, dns);
  if (!read.ok) return read;
  const own = read.value.get(normalizeDn(group.dn)) ?? [];
  if (typeof own === 'string') return ok({ facts: {}, absent: [{ path: 'writers', reason: own }] });
  const principals = own.map((writer) => {
    const pseudonym = writer.type === 'person' ? pseudonymOf(context, writer.sid) : undefined;
    const { type, name, rights, privileged } = writer;
    return {
      type,
      rights: [...rights],
      privileged,
      ...(name === undefined ? {} : { name }),
      ...(pseudonym === undefined ? {} : { pseudonym }),
    };
  });
  const delegates = principals.filter(({ privileged }) => !privileged);
  const nested = partial ?? writersOfNested(groups, read.value, context);
  if (typeof nested === 'string') {
    const absent = ['writers.nested', 'writers.delegated'].map((path) => ({ path, reason: nested }));
    return ok({ facts: { writers: { principals } }, absent });
  }
  const delegated = [...delegates, ...nested].map(({ name, pseudonym }) => name ?? pseudonym ?? 'person');
  return ok({ facts: { writers: { principals, nested, delegated: [...new Set(delegated)].sort() } }, absent: [] });
}

function whyNotEvery(
  groups: readonly LdapEntry[],
  complete: boolean,
  hidden: readonly LdapEntry[],
): string | undefined {
  if (!complete || hidden.length > 0) return 'not every nested group was found, and each of them has writers';
  return groups.length > MOST_LISTS ? `more than ${MOST_LISTS} groups are nested` : undefined;
}

/** Who can change one of the nested groups and is no built-in administrator; else why that is not known. */
function writersOfNested(
  groups: readonly LdapEntry[],
  writers: ReadonlyMap<string, readonly Writer[] | string>,
  context: ProbeContext,
): NestedWriter[] | string {
  const bySid = new Map<string, NestedWriter>();
  for (const group of groups) {
    const own = writers.get(normalizeDn(group.dn)) ?? [];
    if (typeof own === 'string') return `${nameOf(group)}: ${own}`;
    for (const { type, name, sid, rights, privileged } of own) {
      if (privileged) continue;
      const known = bySid.get(sid);
      const pseudonym = type === 'person' ? pseudonymOf(context, sid) : undefined;
      bySid.set(sid, {
        type,
        ...(name === undefined ? {} : { name }),
        ...(pseudonym === undefined ? {} : { pseudonym }),
        rights: [...new Set([...(known?.rights ?? []), ...rights])].sort(),
        groups: [...(known?.groups ?? []), nameOf(group)].sort(),
      });
    }
  }
  return [...bySid.values()];
}
