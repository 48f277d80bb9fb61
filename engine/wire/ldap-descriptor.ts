import { readGuid, readSid, sidLength } from './ldap-values.ts';

const GENERIC_ALL = 0x1000_0000;
const GENERIC_WRITE = 0x4000_0000;
const WRITE_DACL = 0x0004_0000;
const WRITE_OWNER = 0x0008_0000;
const WRITE_PROPERTY = 0x20;
const SELF_WRITE = 0x08;
/** Read property, generic read, generic all. */
const READ = 0x10 | 0x8000_0000 | GENERIC_ALL;
/** Every right a directory object has: what GenericAll is once it is stored on one. */
const ALL_ON_OBJECT = 0x000f_01ff;

const INHERIT_ONLY = 0x08;
/** Plain, object, and the conditional twins of both: where it is asked who can write, a condition that cannot be judged counts as met. */
const ALLOWED = [0x00, 0x09];
const ALLOWED_OBJECT = [0x05, 0x0b];
const DENIED = [0x01, 0x0a];
const DENIED_OBJECT = [0x06, 0x0c];
const CONDITIONAL = [0x09, 0x0a, 0x0b, 0x0c];

const MEMBER_ATTRIBUTE = 'bf9679c0-0de6-11d0-a285-00aa003049e2';
const MEMBERSHIP_PROPERTY_SET = 'bc0ac240-79a9-11d0-9020-00c04fc2d4cf';
const GROUP_CLASS = 'bf967a9c-0de6-11d0-a285-00aa003049e2';

/** Rights over the membership that one principal has. */
export type MembershipRight = { readonly sid: string; readonly rights: readonly string[] };

/** An entry that counts for a group itself. */
type Ace = {
  readonly allows: boolean;
  readonly conditional: boolean;
  readonly mask: number;
  readonly objectType?: string;
  readonly sid: string;
};
type Descriptor = {
  readonly owner?: string;
  /** In the order in which the directory judges them; absent: there is no list, so everybody may do everything. */
  readonly aces?: readonly Ace[];
};

/**
 * Reads who may change `member` from a self-relative security descriptor (MS-DTYP 2.4.6) of a group: the owner, and the
 * allow entries that apply to a group itself. Deny entries are not subtracted, so nobody who can is left out.
 * @returns one entry per SID in order of appearance; undefined when the descriptor is malformed or carries no DACL field
 */
export function membershipRights(bytes: Uint8Array): MembershipRight[] | undefined {
  const descriptor = readDescriptor(bytes);
  if (descriptor === undefined) return undefined;
  const found = new Map<string, Set<string>>();
  const grant = (sid: string, right: string) => found.set(sid, (found.get(sid) ?? new Set()).add(right));
  if (descriptor.owner !== undefined) grant(descriptor.owner, 'Owner');
  if (descriptor.aces === undefined) grant('S-1-1-0', 'GenericAll');
  for (const { allows, mask, objectType, sid } of descriptor.aces ?? [])
    if (allows) for (const right of rightsOf(mask, objectType)) grant(sid, right);
  return [...found].map(([sid, rights]) => ({ sid, rights: [...rights] }));
}

/**
 * Whether somebody with these SIDs is given the right to read `member` of a group (MS-ADTS 5.1.3.3.2): the first entry
 * that speaks of it decides. A condition that cannot be judged here gives nobody the right.
 * @returns undefined when the descriptor is malformed or carries no DACL field
 */
export function mayReadMembers(bytes: Uint8Array, sids: ReadonlySet<string>): boolean | undefined {
  const descriptor = readDescriptor(bytes);
  if (descriptor === undefined) return undefined;
  if (descriptor.aces === undefined) return true;
  const deciding = descriptor.aces.find(
    ({ allows, conditional, mask, objectType, sid }) =>
      (mask & READ) !== 0 && isOnMember(objectType) && sids.has(sid) && !(allows && conditional),
  );
  return deciding?.allows === true;
}

function readDescriptor(bytes: Uint8Array): Descriptor | undefined {
  if (bytes.length < 20 || bytes[0] !== 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const control = view.getUint16(2, true);
  const daclOffset = view.getUint32(16, true);
  const ownerOffset = view.getUint32(4, true);
  const owner = ownerOffset === 0 ? undefined : readSid(bytes, ownerOffset);
  if (ownerOffset !== 0 && owner === undefined) return undefined;
  // SE_DACL_PRESENT unset would mean everybody; a null DACL likewise. Both are reported as such.
  if ((control & 0x0004) === 0) return undefined;
  const aces = daclOffset === 0 ? undefined : readAcl(bytes, view, daclOffset);
  if (daclOffset !== 0 && aces === undefined) return undefined;
  return { ...(owner === undefined ? {} : { owner }), ...(aces === undefined ? {} : { aces }) };
}

function readAcl(bytes: Uint8Array, view: DataView, start: number): Ace[] | undefined {
  if (start + 8 > bytes.length) return undefined;
  const end = start + view.getUint16(start + 2, true);
  const count = view.getUint16(start + 4, true);
  if (end > bytes.length) return undefined;
  const aces: Ace[] = [];
  let at = start + 8;
  for (let index = 0; index < count; index += 1) {
    if (at + 8 > end) return undefined;
    const size = view.getUint16(at + 2, true);
    if (size < 8 || at + size > end) return undefined;
    const ace = readAce(bytes, view, at, size);
    if (ace === undefined) return undefined;
    if (ace !== 'other') aces.push(ace);
    at += size;
  }
  return aces;
}

function readAce(bytes: Uint8Array, view: DataView, at: number, size: number): Ace | 'other' | undefined {
  const type = bytes[at] ?? 0;
  const flags = bytes[at + 1] ?? 0;
  const onObject = ALLOWED_OBJECT.includes(type) || DENIED_OBJECT.includes(type);
  if (!(onObject || ALLOWED.includes(type) || DENIED.includes(type)) || (flags & INHERIT_ONLY) !== 0) return 'other';
  const mask = view.getUint32(at + 4, true);
  let sidAt = at + 8;
  let objectType: string | undefined;
  if (onObject) {
    if (size < 12) return undefined;
    const present = view.getUint32(at + 8, true);
    sidAt = at + 12;
    if ((present & 1) !== 0) {
      objectType = readGuid(bytes, sidAt);
      sidAt += 16;
    }
    if ((present & 2) !== 0) {
      const inherited = readGuid(bytes, sidAt);
      sidAt += 16;
      if (inherited !== GROUP_CLASS) return sidAt <= at + size ? 'other' : undefined;
    }
  }
  const length = sidLength(bytes, sidAt);
  if (length === undefined || sidAt + length > at + size) return undefined;
  const sid = readSid(bytes, sidAt);
  if (sid === undefined) return undefined;
  const allows = ALLOWED.includes(type) || ALLOWED_OBJECT.includes(type);
  return {
    allows,
    conditional: CONDITIONAL.includes(type),
    mask,
    sid,
    ...(objectType === undefined ? {} : { objectType }),
  };
}

function isOnMember(objectType: string | undefined): boolean {
  return objectType === undefined || objectType === MEMBER_ATTRIBUTE || objectType === MEMBERSHIP_PROPERTY_SET;
}

function rightsOf(mask: number, objectType: string | undefined): string[] {
  const onMember = isOnMember(objectType);
  if (objectType === undefined && ((mask & GENERIC_ALL) !== 0 || (mask & ALL_ON_OBJECT) === ALL_ON_OBJECT))
    return ['GenericAll'];
  const rights: string[] = [];
  if ((mask & GENERIC_WRITE) !== 0 && onMember) rights.push('GenericWrite');
  if ((mask & WRITE_DACL) !== 0) rights.push('WriteDacl');
  if ((mask & WRITE_OWNER) !== 0) rights.push('WriteOwner');
  if (onMember && ((mask & WRITE_PROPERTY) !== 0 || (mask & GENERIC_ALL) !== 0)) rights.push('WriteMember');
  if ((mask & SELF_WRITE) !== 0 && (objectType === undefined || objectType === MEMBER_ATTRIBUTE))
    rights.push('AddSelf');
  return rights;
}
