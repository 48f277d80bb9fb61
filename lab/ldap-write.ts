import { at, type Element, readElements, readInteger, readText, TAG } from './ber.ts';
import {
  accountExists,
  checkAttribute,
  comparer,
  type Given,
  missingReference,
  readAttribute,
  readPassword,
  refuse,
} from './ldap-attributes.ts';
import type { Entry, PracticeDirectory, Value } from './ldap-directory.ts';
import { DELETION, descriptorFlags, isDenied, replacedDescriptor } from './ldap-descriptor.ts';
import { type Control, type LdapResult, RESULT } from './ldap-messages.ts';
import { NO_RIGHT } from './ldap-policy.ts';
import { parentDn, parseDn } from './ldap-names.ts';
import { CLASSES, isMultiValued } from './ldap-schema.ts';
import { noSuchObject } from './ldap-search.ts';
import { fileTime, sidToBytes } from './ldap-values.ts';

const SECURITY = 0x8000_0000;
const SUCCESS: LdapResult = { code: RESULT.success };

/** Adds an object as AD does: checks class, parent, names and attributes, then fills in what AD fills in. */
export function add(directory: PracticeDirectory, operation: Element): LdapResult {
  const parts = readElements(operation.content);
  const dn = readText(at(parts, 0, TAG.octets));
  const rdn = parseDn(dn)?.[0];
  if (rdn === undefined)
    return refuse(RESULT.invalidDnSyntax, '0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8349');
  if (directory.get(dn) !== undefined)
    return refuse(RESULT.entryAlreadyExists, '00002071: UpdErr: DSID-0305038D, problem 6005 (ENTRY_EXISTS), data 0');
  if (directory.get(parentDn(dn)) === undefined) return { code: RESULT.noSuchObject, ...noSuchObject(directory, dn) };

  const given: Given = new Map();
  for (const element of readElements(at(parts, 1, TAG.sequence).content)) {
    const attribute = readAttribute(element);
    const fault = checkAttribute(attribute.name, attribute.values);
    if (fault !== undefined) return fault;
    given.set(attribute.name.toLowerCase(), { name: attribute.name, values: attribute.values });
  }
  const classes = (given.get('objectclass')?.values ?? []).map((value) => value.toString().toLowerCase());
  const objectClass =
    CLASSES[classes.at(-1) ?? ''] ?? CLASSES[classes.find((name) => CLASSES[name] !== undefined) ?? ''];
  if (objectClass === undefined)
    return refuse(
      RESULT.objectClassViolation,
      '0000207C: UpdErr: DSID-031514A0, problem 6002 (OBJ_CLASS_VIOLATION), data 0',
    );
  if (rdn.type.toUpperCase() !== objectClass.rdn)
    return refuse(RESULT.namingViolation, '00002099: NameErr: DSID-0305109C, problem 2005 (NAMING_VIOLATION), data 0');
  const missing = missingReference(directory, given);
  if (missing !== undefined) return missing;
  given.delete('objectclass');
  given.delete(rdn.type.toLowerCase());

  const account = given.get('samaccountname')?.values[0]?.toString() ?? rdn.value;
  const principal = objectClass.chain.some((name) => name === 'user' || name === 'group');
  if (principal && accountExists(directory, account)) {
    return refuse(RESULT.entryAlreadyExists, '00000524: UpdErr: DSID-031A11FA, problem 6005 (ENTRY_EXISTS), data 0');
  }
  const password = given.get('unicodepwd')?.values[0];
  given.delete('unicodepwd');
  const attributes = Object.fromEntries([...given.values()].map((attribute) => [attribute.name, attribute.values]));
  directory.put(dn, { ...filledIn(directory, objectClass, account, attributes), ...attributes });
  if (password !== undefined) directory.setPassword(dn, readPassword(password) ?? '');
  return SUCCESS;
}

/** Attributes that AD sets by itself on a new object of the class. */
export function filledIn(
  directory: PracticeDirectory,
  objectClass: { chain: readonly string[]; category: string },
  account: string,
  given: Readonly<Record<string, unknown>> = {},
): Record<string, Value | readonly Value[]> {
  const kind = objectClass.chain.at(-1);
  const own: Record<string, Value | readonly Value[]> = {
    objectClass: objectClass.chain,
    objectCategory: `CN=${objectClass.category},CN=Schema,CN=Configuration,${directory.baseDn}`,
  };
  if (kind !== 'user' && kind !== 'computer' && kind !== 'group') return own;
  own['sAMAccountName'] = account;
  own['objectSid'] = sidToBytes(`${directory.domainSid}-${directory.nextRid()}`) ?? Buffer.alloc(0);
  if (kind === 'group') {
    const groupType = Number((given['groupType'] as Value[] | undefined)?.[0]?.toString() ?? -2147483646);
    own['groupType'] = String(groupType);
    own['sAMAccountType'] = groupAccountType(groupType);
    return own;
  }
  own['primaryGroupID'] = kind === 'user' ? '513' : '515';
  own['sAMAccountType'] = kind === 'user' ? '805306368' : '805306369';
  own['userAccountControl'] = kind === 'user' ? '546' : '4128';
  own['accountExpires'] = '9223372036854775807';
  own['pwdLastSet'] = '0';
  for (const zero of ['badPwdCount', 'logonCount', 'lastLogon', 'msDS-User-Account-Control-Computed']) own[zero] = '0';
  return own;
}

/** `sAMAccountType` that goes with a group type (MS-SAMR 2.2.1.9). */
export function groupAccountType(groupType: number): string {
  const base = (groupType & 4) !== 0 ? 0x2000_0000 : 0x1000_0000;
  return String((groupType & SECURITY) !== 0 ? base : base + 1);
}

/** Modifies an object, all changes or none. */
export function modify(
  directory: PracticeDirectory,
  operation: Element,
  controls: readonly Control[] = [],
): LdapResult {
  const parts = readElements(operation.content);
  const dn = readText(at(parts, 0, TAG.octets));
  const entry = directory.get(dn);
  if (entry === undefined) return { code: RESULT.noSuchObject, ...noSuchObject(directory, dn) };
  const staged: Given = new Map();
  let password: string | undefined;
  for (const element of readElements(at(parts, 1, TAG.sequence).content)) {
    const change = readElements(element.content);
    const attribute = readAttribute(at(change, 1));
    const fault = checkAttribute(attribute.name, attribute.values);
    if (fault !== undefined) return fault;
    if (attribute.name.toLowerCase() === 'unicodepwd') {
      password = readPassword(attribute.values[0] ?? '');
      if (password === undefined)
        return refuse(
          RESULT.unwillingToPerform,
          '0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0',
        );
      continue;
    }
    const key = attribute.name.toLowerCase();
    const before = staged.get(key)?.values ?? [...directory.values(entry, key)];
    const after = changed(entry, attribute, before, readInteger(at(change, 0, TAG.enumerated)));
    if (!Array.isArray(after)) return after;
    if (key === 'ntsecuritydescriptor') {
      const descriptor = rewritten(directory, entry, after, controls);
      if (!Buffer.isBuffer(descriptor)) return descriptor;
      after.splice(0, after.length, descriptor);
    }
    staged.set(key, { name: attribute.name, values: after });
  }
  const missing = missingReference(directory, staged);
  if (missing !== undefined) return missing;
  for (const attribute of staged.values()) {
    directory.set(dn, attribute.name, attribute.values);
    if (attribute.name.toLowerCase() === 'grouptype')
      directory.set(dn, 'sAMAccountType', [groupAccountType(Number(attribute.values[0]?.toString()))]);
    if (attribute.name.toLowerCase() === 'pwdlastset' && attribute.values[0] === '-1')
      directory.set(dn, 'pwdLastSet', [fileTime(directory.now())]);
  }
  if (password !== undefined) directory.setPassword(dn, password);
  return SUCCESS;
}

function changed(
  entry: Entry,
  attribute: { name: string; values: Value[] },
  before: Value[],
  kind: number,
): Value[] | LdapResult {
  const same = comparer(attribute.name);
  const has = (list: readonly Value[], value: Value): boolean => list.some((other) => same(other, value));
  if (kind === 2) return attribute.values;
  if (kind === 0) {
    if (attribute.values.some((value) => has(before, value))) {
      return refuse(RESULT.entryAlreadyExists, '00000562: UpdErr: DSID-031A1254, problem 6005 (ENTRY_EXISTS), data 0');
    }
    const after = [...before, ...attribute.values];
    if (after.length > 1 && !isMultiValued(attribute.name)) {
      return refuse(
        RESULT.constraintViolation,
        `00002081: AtrErr: DSID-03151BCE, #1: problem 1005 (CONSTRAINT_ATT_TYPE), Att ${attribute.name}`,
      );
    }
    return after;
  }
  if (kind !== 1) return refuse(RESULT.protocolError, `unknown modification ${kind} of ${entry.dn}`);
  if (before.length === 0)
    return refuse(RESULT.noSuchAttribute, '00002085: AtrErr: DSID-03151F1D, #1: problem 1001 (NO_ATTRIBUTE_OR_VAL)');
  if (attribute.values.some((value) => !has(before, value))) {
    return attribute.name.toLowerCase() === 'member'
      ? refuse(RESULT.unwillingToPerform, '00000561: SvcErr: DSID-031A1236, problem 5003 (WILL_NOT_PERFORM), data 0')
      : refuse(RESULT.noSuchAttribute, '00002085: AtrErr: DSID-03151F1D, #1: problem 1001 (NO_ATTRIBUTE_OR_VAL)');
  }
  return attribute.values.length === 0 ? [] : before.filter((value) => !has(attribute.values, value));
}

/** Deletes a leaf and the links that point at it. */
export function remove(directory: PracticeDirectory, operation: Element): LdapResult {
  const dn = operation.content.toString('utf8');
  const entry = directory.get(dn);
  if (entry === undefined) return { code: RESULT.noSuchObject, ...noSuchObject(directory, dn) };
  if (directory.children(dn))
    return refuse(
      RESULT.notAllowedOnNonLeaf,
      '00002015: UpdErr: DSID-031A1254, problem 6003 (CANT_ON_NON_LEAF), data 0',
    );
  if (directory.first(entry, 'isCriticalSystemObject') === 'TRUE') {
    return refuse(
      RESULT.unwillingToPerform,
      '00002014: SvcErr: DSID-031A1236, problem 5003 (WILL_NOT_PERFORM), data 0',
    );
  }
  const parent = directory.get(parentDn(dn));
  if (
    isDenied(descriptorOf(directory, entry), DELETION.object) &&
    (parent === undefined || isDenied(descriptorOf(directory, parent), DELETION.parent))
  )
    return NO_RIGHT;
  directory.remove(dn);
  return SUCCESS;
}

function descriptorOf(directory: PracticeDirectory, entry: Entry): Buffer {
  return Buffer.from(directory.values(entry, 'nTSecurityDescriptor')[0] ?? '');
}

/** What a write of the descriptor leaves: without the control AD takes the whole, which nobody may here. */
function rewritten(
  directory: PracticeDirectory,
  entry: Entry,
  values: readonly Value[],
  controls: readonly Control[],
): Buffer | LdapResult {
  const [sent] = values;
  const flags = descriptorFlags(controls);
  if (flags === undefined || sent === undefined || values.length > 1) return NO_RIGHT;
  return (
    replacedDescriptor(descriptorOf(directory, entry), Buffer.from(sent), flags) ??
    refuse(RESULT.constraintViolation, '0000053A: AtrErr: DSID-03151BCE, problem 1005 (CONSTRAINT_ATT_TYPE), data 0')
  );
}
