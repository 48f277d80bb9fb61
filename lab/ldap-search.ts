import {
  at,
  BerError,
  type Element,
  encode,
  encodeInteger,
  encodeOctets,
  readElements,
  readInteger,
  readText,
  TAG,
} from './ber.ts';
import type { Entry, PracticeDirectory, Value } from './ldap-directory.ts';
import { descriptorFlags, shownDescriptor } from './ldap-descriptor.ts';
import { readFilter } from './ldap-filter.ts';
import {
  attributeParts,
  CONTROL,
  type Control,
  type LdapResult,
  OPERATION,
  RESULT,
  writeMessage,
} from './ldap-messages.ts';
import { parentDn, parseDn } from './ldap-names.ts';
import { type Bound, type DirectoryPolicy, NOT_BOUND } from './ldap-policy.ts';
import { attributeType } from './ldap-schema.ts';
import { rootDse } from './ldap-root.ts';

const MAX_CURSORS = 16;
const SCOPES = ['base', 'one', 'subtree'] as const;

/** Paged searches that one connection has open, by cookie. */
export type Cursors = Map<
  string,
  { readonly request: string; readonly entries: readonly Entry[]; readonly at: number }
>;

export type SearchContext = {
  readonly directory: PracticeDirectory;
  readonly policy: DirectoryPolicy;
  readonly bound: Bound;
  readonly hostName: string;
  readonly cursors: Cursors;
};

/** Answers a search: the messages before the result, the result, and the response's controls. */
export function search(
  context: SearchContext,
  id: number,
  operation: Element,
  controls: readonly Control[],
): { messages: Buffer[]; result: LdapResult; controls: Control[] } {
  const { directory, policy } = context;
  const parts = readElements(operation.content);
  const base = readText(at(parts, 0, TAG.octets));
  const scope = SCOPES[readInteger(at(parts, 1, TAG.enumerated))];
  const sizeLimit = readInteger(at(parts, 3, TAG.integer));
  const typesOnly = at(parts, 5, TAG.boolean).content[0] !== 0;
  const matches = readFilter(at(parts, 6), directory);
  const wanted = readElements(at(parts, 7, TAG.sequence).content).map(readText);
  const done = (result: LdapResult, messages: Buffer[] = [], answer: Control[] = []) => ({
    messages,
    result,
    controls: answer,
  });
  if (scope === undefined) throw new BerError('scope');

  if (base === '' && scope === 'base') {
    const root = rootDse(directory, policy, context.hostName);
    return done(
      { code: RESULT.success },
      matches(root) ? [entryMessage(context, id, root, wanted, typesOnly, { base: false, descriptor: undefined })] : [],
    );
  }
  if (context.bound === undefined && !policy.anonymousSearch) return done(NOT_BOUND);
  if (parseDn(base) === undefined)
    return done({ code: RESULT.invalidDnSyntax, message: '0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME)' });
  if (directory.get(base) === undefined) return done({ code: RESULT.noSuchObject, ...noSuchObject(directory, base) });

  const paged = controls.find((control) => control.oid === CONTROL.paged);
  const request = operation.content.toString('base64');
  const page = paged?.value === undefined ? undefined : readPage(paged.value);
  const cursor = page === undefined || page.cookie === '' ? undefined : context.cursors.get(page.cookie);
  if (page !== undefined && page.cookie !== '' && cursor?.request !== request) {
    return done({
      code: RESULT.unavailableCriticalExtension,
      message: '00002EE2: SvcErr: DSID-031408A9, problem 5010 (UNAVAIL_EXTENSION), data 0',
    });
  }
  if (page !== undefined) context.cursors.delete(page.cookie);
  const found =
    cursor?.entries ?? [...directory.all()].filter((entry) => directory.isBelow(entry, base, scope) && matches(entry));
  const start = cursor?.at ?? 0;
  const limit = Math.min(
    policy.maxPageSize,
    page === undefined || page.size === 0 ? policy.maxPageSize : page.size,
    sizeLimit === 0 ? Number.MAX_SAFE_INTEGER : sizeLimit,
  );
  const slice = found.slice(start, start + limit);
  const shown = { base: scope === 'base', descriptor: descriptorFlags(controls) };
  const messages = slice.map((entry) => entryMessage(context, id, entry, wanted, typesOnly, shown));
  const more = start + slice.length < found.length;
  if (page === undefined) return done({ code: more ? RESULT.sizeLimitExceeded : RESULT.success }, messages);
  let cookie = '';
  if (more && page.size > 0) {
    cookie = `${id}.${start + slice.length}.${context.cursors.size}`;
    if (context.cursors.size >= MAX_CURSORS) context.cursors.clear();
    context.cursors.set(cookie, { request, entries: found, at: start + slice.length });
  }
  const value = encode(TAG.sequence, encodeInteger(0), encodeOctets(cookie));
  return done({ code: RESULT.success }, messages, [{ oid: CONTROL.paged, critical: false, value }]);
}

function readPage(value: Buffer): { size: number; cookie: string } {
  const parts = readElements(at(readElements(value), 0, TAG.sequence).content);
  return { size: readInteger(at(parts, 0, TAG.integer)), cookie: readText(at(parts, 1, TAG.octets)) };
}

/** AD's wording, with the nearest ancestor that exists. */
export function noSuchObject(directory: PracticeDirectory, dn: string): { matched: string; message: string } {
  let matched = parentDn(dn);
  for (let depth = 0; depth < 64 && matched !== '' && directory.get(matched) === undefined; depth += 1)
    matched = parentDn(matched);
  return {
    matched,
    message: `0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'${matched}'\n`,
  };
}

/** What is shown on some requests only: tokenGroups on a base search, parts of the security descriptor by a control. */
type Shown = { readonly base: boolean; readonly descriptor: number | undefined };

function entryMessage(
  context: SearchContext,
  id: number,
  entry: Entry,
  wanted: readonly string[],
  typesOnly: boolean,
  shown: Shown,
): Buffer {
  const attributes = selected(context, entry, wanted, shown).map((attribute) =>
    attributeParts(attribute.name, typesOnly ? [] : attribute.values),
  );
  return writeMessage(id, OPERATION.searchEntry, [
    encodeOctets(entry.dn),
    encode(TAG.sequence, ...(attributes.length === 0 ? [Buffer.alloc(0)] : attributes)),
  ]);
}

function selected(
  context: SearchContext,
  entry: Entry,
  wanted: readonly string[],
  shown: Shown,
): { name: string; values: readonly Value[] }[] {
  const { directory, policy } = context;
  const names = wanted.includes('1.1') && wanted.length === 1 ? [] : wanted.length === 0 ? ['*'] : wanted;
  const chosen = new Map<string, { name: string; values: readonly Value[] }>();
  const add = (asked: string): void => {
    const [attribute = '', ...options] = asked.split(';');
    const type = attributeType(attribute);
    const name = entry.attributes.get(attribute.toLowerCase())?.name ?? type?.name ?? attribute;
    if (type?.syntax === 'secret') return;
    const values = valuesOf(directory, entry, attribute, shown);
    if (values.length === 0) return;
    const range = /^range=(\d{1,9})-(\d{1,9}|\*)$/i.exec(options.find((option) => /^range=/i.test(option)) ?? '');
    const start = range === null ? 0 : Number(range[1]);
    const end = range === null || range[2] === '*' ? values.length - 1 : Math.min(Number(range[2]), values.length - 1);
    const last = Math.min(end, start + policy.maxValueRange - 1);
    if (range === null && last === values.length - 1) chosen.set(name.toLowerCase(), { name, values });
    else
      chosen.set(name.toLowerCase(), {
        name: `${name};range=${start}-${last >= values.length - 1 ? '*' : last}`,
        values: values.slice(start, last + 1),
      });
  };
  const addUnlessAsked = (name: string): void => {
    if (name !== 'ntsecuritydescriptor') add(name);
  };
  for (const name of names) {
    if (name === '*') for (const stored of [...entry.attributes.keys(), 'memberof']) addUnlessAsked(stored);
    else if (name !== '+') add(name);
  }
  return [...chosen.values()];
}

function valuesOf(directory: PracticeDirectory, entry: Entry, attribute: string, shown: Shown): readonly Value[] {
  const values = directory.values(entry, attribute);
  switch (attribute.toLowerCase()) {
    case 'tokengroups':
      return shown.base ? tokenGroups(directory, entry) : [];
    case 'ntsecuritydescriptor': {
      const { descriptor } = shown;
      return descriptor === undefined ? [] : values.map((value) => shownDescriptor(Buffer.from(value), descriptor));
    }
    default:
      return values;
  }
}

function tokenGroups(directory: PracticeDirectory, entry: Entry): Value[] {
  return [...directory.groupsOf(entry)].flatMap((key) => {
    const group = directory.get(key);
    return group === undefined ? [] : directory.values(group, 'objectSid').slice(0, 1);
  });
}
