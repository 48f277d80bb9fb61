import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { nameOf } from '../wire/ldap-lookup.ts';
import { ldifModify, normalizeDn } from '../wire/ldap-names.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { domainOf, parseNumber, relativeId } from '../wire/ldap-values.ts';
import type { ChangePlan } from './change.ts';
import { alsoIn, type Naming, namingBelow } from './membership-paths.ts';
import { type Leaving, mayJoin, mayLeave } from './membership-rules.ts';
import { type Edit, isDirectMember, type Operations, type State } from './membership-state.ts';
import { findPrincipal, findTargetGroup, type Principal, referenceOf } from './principal.ts';

/** The members of one group that come or go, while a plan is made. */
type Part = {
  readonly group: Principal & { guid: string };
  readonly path?: readonly string[];
  readonly members: { readonly label: string; readonly principal: Principal }[];
};

type Params = { readonly group: string; readonly members: readonly string[]; readonly nested?: boolean };

const WORDS = { add: { do: 'Put', to: 'into' }, delete: { do: 'Take', to: 'out of' } } as const;

/** Plans to put members into a group, or to take them out. Those who are there (or gone) already are left out. */
export function planMembership(
  kind: string,
  way: Operations['do'],
  params: Params,
  context: ProbeContext,
): Promise<Result<ChangePlan>> {
  return withDirectory(context, async (directory) => {
    if (directory.root.kind !== 'active-directory')
      return fail('change.refused', 'Members are only changed in Active Directory.');
    const group = await findTargetGroup(directory, params.group);
    if (!group.ok) return group;
    const parts =
      way === 'add' ? await joining(directory, group.value, params) : await leaving(directory, group.value, params);
    if (!parts.ok) return parts;
    const edits: Edit[] = [];
    const notes: string[] = [];
    const leavers: Leaving[] = [];
    for (const part of parts.value) {
      const members = part.members.map(({ principal }) => principal);
      if (way === 'add') {
        const allowed = await mayJoin(directory, part.group, members);
        if (!allowed.ok) return allowed;
      }
      leavers.push({ group: part.group, members });
      const elsewhere = part.path === undefined ? ok([]) : await alsoIn(directory, part.group.entry, part.path);
      if (!elsewhere.ok) return elsewhere;
      if (elsewhere.value.length > 0)
        notes.push(`${nameOf(part.group.entry)} is in ${elsewhere.value.join(', ')} too, which this touches as well.`);
      edits.push(editOf(part));
    }
    if (way === 'delete') {
      const allowed = await mayLeave(directory, leavers, context);
      if (!allowed.ok) return allowed;
    }
    return ok(planOf(kind, { do: way, edits }, false, notes));
  });
}

function editOf({ group, path, members }: Part): Edit {
  return {
    group: { dn: group.dn, guid: group.guid, sid: group.sid },
    name: nameOf(group.entry),
    members: members.map(({ label, principal }) => ({
      sid: principal.sid,
      reference: referenceOf(principal),
      label,
    })),
    ...(path === undefined ? {} : { path: [...path] }),
  };
}

/** A plan of these operations, whether it goes on or is an undo. */
export function planOf(
  kind: string,
  operations: Operations,
  undo: boolean,
  warnings: readonly string[] = [],
): ChangePlan {
  const { do: way, edits } = operations;
  const preImage: State = edits.map(({ group, members }) => ({
    group,
    present: Object.fromEntries(members.map(({ sid }) => [sid, way === 'delete'])),
  }));
  const sentences = edits.map(({ name, members, path }) => {
    const labels = members.map(({ label }) => label).join(', ');
    const nested = path === undefined ? '' : `, which is nested in ${path[0] ?? ''}`;
    return `${WORDS[way].do} ${labels} ${WORDS[way].to} the group ${name}${nested}${undo ? ' again' : ''}.`;
  });
  return {
    kind,
    summary: [...sentences, ...warnings].join(' '),
    diff: edits.map((edit) => ldifOf(way, edit)).join('\n'),
    operations,
    preImage,
    undo,
  };
}

function ldifOf(way: Operations['do'], { group, members, path }: Edit): string {
  const notes = members
    .filter(({ reference }) => reference.startsWith('<'))
    .map(({ sid, label }) => `${sid} is ${label}`);
  if (path !== undefined) notes.unshift(path.join(' > '));
  const values = members.map(({ reference }) => reference);
  return ldifModify(group.dn, [{ do: way, attribute: 'member', values }], { notes });
}

async function joining(
  directory: SiteDirectory,
  group: Principal & { guid: string },
  params: Params,
): Promise<Result<Part[]>> {
  const part: Part = { group, members: [] };
  for (const label of params.members) {
    const found = await findPrincipal(directory, label);
    if (!found.ok) return found;
    const principal = found.value;
    if (principal === undefined)
      return fail('change.refused', `There is no account or group ${label} in the directory.`);
    const present = await isDirectMember(directory, group.dn, principal.dn);
    if (!present.ok) return present;
    if (!present.value) note(part, label, principal);
  }
  return part.members.length === 0
    ? fail('change.refused', `All of them are in ${nameOf(group.entry)} already.`)
    : ok([part]);
}

async function leaving(
  directory: SiteDirectory,
  group: Principal & { guid: string },
  { members, nested = false }: Params,
): Promise<Result<Part[]>> {
  const parts = new Map<string, Part>();
  const into = (key: string, make: Part) => {
    const part = parts.get(key) ?? make;
    parts.set(key, part);
    return part;
  };
  const deeper: { label: string; naming: readonly Naming[] }[] = [];
  for (const label of members) {
    const found = await findPrincipal(directory, label);
    if (!found.ok) return found;
    const principal = found.value;
    if (principal === undefined) continue;
    const present = await isDirectMember(directory, group.dn, principal.dn);
    if (!present.ok) return present;
    if (present.value) note(into(normalizeDn(group.dn), { group, members: [] }), label, principal);
    else if (hasAsPrimary(principal, group.sid)) return primaryGroup(label, nameOf(group.entry));
    const naming = await namingBelow(directory, group, principal);
    if (!naming.ok) return naming;
    if (naming.value.length > 0) deeper.push({ label, naming: naming.value });
    if (!nested) continue;
    for (const { group: inner, path } of naming.value) {
      const there = await findTargetGroup(directory, inner.dn);
      if (!there.ok) return there;
      note(into(normalizeDn(inner.dn), { group: there.value, path, members: [] }), label, principal);
    }
  }
  if (parts.size > 0) return ok([...parts.values()]);
  const [hidden] = deeper;
  const way = hidden?.naming[0];
  return fail(
    'change.refused',
    hidden === undefined || way === undefined
      ? `None of them is in ${nameOf(group.entry)}, itself or by way of another group.`
      : `${hidden.label} is in ${nameOf(group.entry)} by way of ${way.path.slice(1).join(' > ')} only, and the guide changes no group but ${nameOf(group.entry)} itself. Take ${hidden.label} out of ${way.path.at(-1)}, or ${way.path[1]} out of ${nameOf(group.entry)}.`,
  );
}

function note({ members }: Part, label: string, principal: Principal): void {
  if (!members.some((one) => one.principal.sid === principal.sid)) members.push({ label, principal });
}

function hasAsPrimary(member: Principal, groupSid: string): boolean {
  const primary = parseNumber(member.entry.text('primaryGroupID'));
  return primary === relativeId(groupSid) && domainOf(member.sid) === domainOf(groupSid);
}

function primaryGroup(label: string, name: string): Result<never> {
  return fail(
    'change.refused',
    `${label} has ${name} as its primary group. Choose another primary group for it first.`,
  );
}
