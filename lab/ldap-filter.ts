import { at, BerError, type Element, readElements, readText } from './ber.ts';
import type { Entry, PracticeDirectory } from './ldap-directory.ts';
import { dnKey, parseDn } from './ldap-names.ts';
import { attributeType } from './ldap-schema.ts';
import { sidToBytes } from './ldap-values.ts';

const BIT_AND = '1.2.840.113556.1.4.803';
const BIT_OR = '1.2.840.113556.1.4.804';
const IN_CHAIN = '1.2.840.113556.1.4.1941';
const MAX_DEPTH = 32;

export type Matcher = (entry: Entry) => boolean;

/** Turns a filter (RFC 4511 4.5.1.7) into a function. Throws BerError where it is malformed or too deep. */
export function readFilter(element: Element, directory: PracticeDirectory, depth = 0): Matcher {
  if (depth > MAX_DEPTH) throw new BerError('filter nested too deeply');
  const nested = (): Matcher[] => readElements(element.content).map((child) => readFilter(child, directory, depth + 1));
  const pair = (): { attribute: string; value: Buffer } => {
    const parts = readElements(element.content);
    return { attribute: readText(at(parts, 0)), value: at(parts, 1).content };
  };
  switch (element.tag) {
    case 0xa0: {
      const all = nested();
      return (entry) => all.every((matches) => matches(entry));
    }
    case 0xa1: {
      const any = nested();
      return (entry) => any.some((matches) => matches(entry));
    }
    case 0xa2: {
      const [inner] = nested();
      if (inner === undefined) throw new BerError('empty not');
      return (entry) => !inner(entry);
    }
    case 0xa3:
    case 0xa8: {
      const { attribute, value } = pair();
      return equality(directory, attribute, value);
    }
    case 0xa4:
      return substrings(directory, readElements(element.content));
    case 0xa5:
    case 0xa6: {
      const { attribute, value } = pair();
      const wanted = value.toString('utf8');
      const sign = element.tag === 0xa5 ? 1 : -1;
      return (entry) =>
        directory.values(entry, attribute).some((found) => sign * order(attribute, found.toString(), wanted) >= 0);
    }
    case 0x87: {
      const attribute = element.content.toString('utf8');
      return (entry) => directory.values(entry, attribute).length > 0;
    }
    case 0xa9:
      return extensible(directory, readElements(element.content));
    default:
      throw new BerError(`filter choice ${element.tag}`);
  }
}

function equality(directory: PracticeDirectory, attribute: string, value: Buffer): Matcher {
  const text = value.toString('utf8');
  const syntax = attributeType(attribute)?.syntax ?? 'text';
  if (syntax === 'secret') return () => false;
  if (attribute.toLowerCase() === 'objectcategory' && parseDn(text) === undefined) {
    // AD lets a class's short name stand for its category's DN.
    const short =
      { user: 'person', organizationalunit: 'organizational-unit' }[text.toLowerCase()] ?? text.toLowerCase();
    return (entry) =>
      directory.values(entry, attribute).some((found) => dnKey(found.toString()).startsWith(`cn=${short},`));
  }
  if (syntax === 'dn') {
    const key = dnKey(text);
    return (entry) => directory.values(entry, attribute).some((found) => dnKey(found.toString()) === key);
  }
  if (syntax === 'binary') {
    const bytes = sidToBytes(text) ?? value;
    return (entry) => directory.values(entry, attribute).some((found) => Buffer.isBuffer(found) && found.equals(bytes));
  }
  const wanted = text.toLowerCase();
  return (entry) => directory.values(entry, attribute).some((found) => found.toString().toLowerCase() === wanted);
}

function substrings(directory: PracticeDirectory, parts: readonly Element[]): Matcher {
  const attribute = readText(at(parts, 0));
  const pieces = readElements(at(parts, 1, 0x30).content).map((piece) => ({
    tag: piece.tag,
    text: readText(piece).toLowerCase(),
  }));
  const matches = (value: string): boolean => {
    let from = 0;
    for (const piece of pieces) {
      if (piece.tag === 0x80) {
        if (!value.startsWith(piece.text)) return false;
        from = piece.text.length;
      } else if (piece.tag === 0x82) {
        return value.length - piece.text.length >= from && value.endsWith(piece.text);
      } else {
        const found = value.indexOf(piece.text, from);
        if (found === -1) return false;
        from = found + piece.text.length;
      }
    }
    return true;
  };
  // AD does not match parts of a DN.
  if (attributeType(attribute)?.syntax === 'dn') return () => false;
  return (entry) =>
    directory.values(entry, attribute).some((value) => !Buffer.isBuffer(value) && matches(value.toLowerCase()));
}

function extensible(directory: PracticeDirectory, parts: readonly Element[]): Matcher {
  const text = (tag: number): string | undefined => parts.find((part) => part.tag === tag)?.content.toString('utf8');
  const rule = text(0x81);
  const attribute = text(0x82);
  const value = text(0x83);
  if (attribute === undefined || value === undefined) throw new BerError('extensible match without attribute or value');
  if (rule === BIT_AND || rule === BIT_OR) {
    if (!/^-?\d{1,20}$/.test(value)) return () => false;
    const mask = BigInt.asUintN(64, BigInt(value));
    return (entry) =>
      directory.values(entry, attribute).some((found) => {
        if (!/^-?\d+$/.test(found.toString())) return false;
        const bits = BigInt.asUintN(64, BigInt(found.toString())) & mask;
        return rule === BIT_AND ? bits === mask : bits !== 0n;
      });
  }
  if (rule === IN_CHAIN) return inChain(directory, attribute, value);
  if (rule === undefined) return equality(directory, attribute, Buffer.from(value));
  return () => false;
}

function inChain(directory: PracticeDirectory, attribute: string, dn: string): Matcher {
  const target = dnKey(dn);
  return (entry) => {
    const seen = new Set<string>();
    const queue = directory.values(entry, attribute).map((value) => dnKey(value.toString()));
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      if (key === target) return true;
      if (seen.has(key)) continue;
      seen.add(key);
      const next = directory.get(key);
      if (next !== undefined) queue.push(...directory.values(next, attribute).map((value) => dnKey(value.toString())));
    }
    return false;
  };
}

function order(attribute: string, left: string, right: string): number {
  if (attributeType(attribute)?.syntax === 'integer' && /^-?\d+$/.test(left) && /^-?\d+$/.test(right)) {
    const difference = BigInt(left) - BigInt(right);
    return difference === 0n ? 0 : difference > 0n ? 1 : -1;
  }
  return left.toLowerCase().localeCompare(right.toLowerCase(), 'en');
}
