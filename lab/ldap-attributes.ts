import { at, type Element, readElements, readText, TAG } from './ber.ts';
import type { PracticeDirectory, Value } from './ldap-directory.ts';
import { type LdapResult, RESULT } from './ldap-messages.ts';
import { dnKey } from './ldap-names.ts';
import { attributeType, isSystemOnly } from './ldap-schema.ts';
import { noSuchObject } from './ldap-search.ts';

/** Attributes of a write, by lower-case name. */
export type Given = Map<string, { name: string; values: Value[] }>;

/** A result in AD's words. */
export function refuse(code: number, message: string): LdapResult {
  return { code, message };
}

export function readAttribute(element: Element): { name: string; values: Value[] } {
  const parts = readElements(element.content);
  const asked = readText(at(parts, 0, TAG.octets)).split(';')[0] ?? '';
  const type = attributeType(asked);
  const binary = type?.syntax === 'binary' || type?.syntax === 'secret';
  const values = readElements(at(parts, 1, TAG.set).content).map((value) => (binary ? value.content : readText(value)));
  return { name: type?.name ?? asked, values };
}

export function checkAttribute(name: string, values: readonly Value[]): LdapResult | undefined {
  const type = attributeType(name);
  if (type === undefined)
    return refuse(
      RESULT.noSuchAttribute,
      `00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion operation, data 0, v4563`,
    );
  if (isSystemOnly(name))
    return refuse(
      RESULT.constraintViolation,
      `0000209A: AtrErr: DSID-03151BCE, #1: problem 1005 (CONSTRAINT_ATT_TYPE), Att ${name}`,
    );
  if (type.syntax === 'integer' && values.some((value) => !/^(-?\d{1,20}|TRUE|FALSE)$/.test(value.toString()))) {
    return refuse(
      RESULT.constraintViolation,
      `00000057: AtrErr: DSID-03151BCE, #1: problem 1005 (CONSTRAINT_ATT_TYPE), Att ${name}`,
    );
  }
  return undefined;
}

export function missingReference(directory: PracticeDirectory, given: Given): LdapResult | undefined {
  for (const value of given.get('member')?.values ?? []) {
    if (directory.get(value.toString()) === undefined)
      return { code: RESULT.noSuchObject, ...noSuchObject(directory, value.toString()) };
  }
  return undefined;
}

export function accountExists(directory: PracticeDirectory, account: string): boolean {
  const wanted = account.toLowerCase();
  return [...directory.all()].some((entry) => directory.first(entry, 'sAMAccountName')?.toLowerCase() === wanted);
}

export function comparer(name: string): (left: Value, right: Value) => boolean {
  const dn = attributeType(name)?.syntax === 'dn';
  const form = (value: Value): string =>
    dn ? dnKey(value.toString()) : Buffer.isBuffer(value) ? value.toString('hex') : value.toLowerCase();
  return (left, right) => form(left) === form(right);
}

/** AD's password form: UTF-16LE between double quotes. */
export function readPassword(value: Value): string | undefined {
  const text = Buffer.isBuffer(value) ? value.toString('utf16le') : '';
  return /^".*"$/s.test(text) ? text.slice(1, -1) : undefined;
}
