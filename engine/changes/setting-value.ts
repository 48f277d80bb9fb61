import { isDeepStrictEqual } from 'node:util';
import { pointerSteps } from '../../core/json-pointer.ts';
import { fingerprint, oneLine, readCertificatesPem } from '../keys/read-certificate.ts';
import { isSecretKey } from './hidden-values.ts';

/** A number under such a key counts or measures: for how many days passwords are kept is no password. */
const MEASURE = /(?:days|hours|minutes|seconds|ms|length|age|count|attempts|lifetime|timeout|ttl|size|limit)$/i;
const ONE_CERTIFICATE = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/** Of a value only the members that `named` has, at any depth; undefined where one of them is missing. */
export function membersNamed(value: unknown, named: unknown): unknown {
  if (!isObject(named)) return value;
  if (!isObject(value)) return undefined;
  const members: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(named)) {
    const found = Object.hasOwn(value, key) ? membersNamed(value[key], part) : undefined;
    if (found === undefined) return undefined;
    members[key] = found;
  }
  return members;
}

/** The whole with `value` at these steps; `merge` keeps the members that it does not name (RFC 7396, without removals). */
export function withValue(
  node: unknown,
  [step, ...rest]: readonly string[],
  value: unknown,
  { merge }: { readonly merge: boolean },
): unknown {
  if (step === undefined) return merge ? laidOver(node, value) : value;
  if (Array.isArray(node))
    return node.map((item, index) =>
      String(index) === step ? withValue(item, rest, value, { merge }) : (item as unknown),
    );
  const object = isObject(node) ? node : {};
  return { ...object, [step]: withValue(object[step], rest, value, { merge }) };
}

function laidOver(node: unknown, value: unknown): unknown {
  if (!isObject(node) || !isObject(value)) return value;
  return {
    ...node,
    ...Object.fromEntries(Object.entries(value).map(([key, part]) => [key, laidOver(node[key], part)])),
  };
}

/** Whether two values are the same setting. Devices wrap the lines of a certificate (RFC 7468) as they like. */
export function sameSetting(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(unwrapped(one), unwrapped(other));
}

function unwrapped(value: unknown): unknown {
  if (typeof value === 'string') return ONE_CERTIFICATE.exec(value)?.[1]?.replaceAll(/\s/g, '') ?? value;
  if (Array.isArray(value)) return value.map(unwrapped);
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unwrapped(part)]))
    : value;
}

/** Whether a value at a pointer is a secret, or has one in it, by what it and whatever it lies in are called. */
export function holdsSecret(at: string, value: unknown): boolean {
  const steps = pointerSteps(at);
  return isSecret(steps.at(-1) ?? '', value, steps.some(isSecretKey));
}

function isSecret(key: string, value: unknown, named: boolean): boolean {
  if (isBranch(value))
    return Object.entries(value).some(([inner, part]) => isSecret(inner, part, named || isSecretKey(inner)));
  if (!named || typeof value === 'boolean' || value === null || value === undefined) return false;
  return typeof value !== 'number' || !MEASURE.test(key);
}

/** Before and after as lines for a person: a line for each member, and a certificate by what it is. */
export function settingDiff(name: string, before: unknown, after: unknown): string {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.map((key) => settingDiff(`${name}/${key}`, before[key], after[key])).join('');
  }
  if (sameSetting(before, after)) return `   ${name}: ${showSetting(after)}\n`;
  const line = (sign: string, value: unknown) =>
    value === undefined ? '' : `${sign}  ${name}: ${showSetting(value)}\n`;
  return `${line('-', before)}${line('+', after)}`;
}

/** Pointers to what differs, down to the members of objects. */
export function changedPlaces(at: string, before: unknown, after: unknown): readonly string[] {
  if (sameSetting(before, after)) return [];
  if (!isObject(after)) return [at];
  return Object.entries(after).flatMap(([key, part]) =>
    changedPlaces(`${at}/${key}`, isObject(before) ? before[key] : undefined, part),
  );
}

/** A value in one line. */
export function showSetting(value: unknown): string {
  if (typeof value !== 'string' || !ONE_CERTIFICATE.test(value)) return JSON.stringify(value);
  const read = readCertificatesPem(value);
  const [certificate] = read.ok ? read.value : [];
  return certificate === undefined
    ? JSON.stringify(value)
    : `certificate of ${oneLine(certificate.node.subject)}, until ${certificate.notAfter.toISOString().slice(0, 10)}, SHA-256 ${fingerprint(certificate)}`;
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isBranch(value) && !Array.isArray(value);
}
