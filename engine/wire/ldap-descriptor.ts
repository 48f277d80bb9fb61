import { readGuid, readSid, sidLength } from './ldap-values.ts';

const GENERIC_ALL = 0x1000_0000;
const GENERIC_WRITE = 0x4000_0000;
const WRITE_DACL = 0x0004_0000;
const WRITE_OWNER = 0x0008_0000;
const WRITE_PROPERTY = 0x20;
const SELF_WRITE = 0x08;
/** Every right a directory object has: what GenericAll is once it is stored on one. */
const ALL_ON_OBJECT = 0x000f_01ff;

const INHERIT_ONLY = 0x08;
/** Plain, object, and the conditional twins of both: a condition that cannot be judged here counts as met. */
const ALLOWED = [0x00, 0x09];
const ALLOWED_OBJECT = [0x05, 0x0b];

const MEMBER_ATTRIBUTE = 'bf9679c0-0de6-11d0-a285-00aa003049e2';
const MEMBERSHIP_PROPERTY_SET = 'bc0ac240-79a9-11d0-9020-00c04fc2d4cf';
const GROUP_CLASS = 'bf967a9c-0de6-11d0-a285-00aa003049e2';

/** Rights over the membership that one principal has. */
export type MembershipRight = { readonly sid: string; readonly rights: readonly string[] };

/**
 * Reads who may change `member` from a self-relative security descriptor (MS-DTYP 2.4.6) of a group: the owner, and the
 * allow entries that apply to a group itself. Deny entries are not subtracted, so nobody who can is left out.
 * @returns one entry per SID in order of appearance; undefined when the descriptor is malformed or carries no DACL field
 */
export function membershipRights(bytes: Uint8Array): MembershipRight[] | undefined {
  if (bytes.length < 20 || bytes[0] !== 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const control = view.getUint16(2, true);
  const daclOffset = view.getUint32(16, true);
  const ownerOffset = view.getUint32(4, true);
  const found = new Map<string, Set<string>>();
  const grant = (sid: string, right: string) => found.set(sid, (found.get(sid) ?? new Set()).add(right));
  if (ownerOffset !== 0) {
    const owner = readSid(bytes, ownerOffset);
    if (owner === undefined) return undefined;
    grant(owner, 'Owner');
  }
  // SE_DACL_PRESENT unset would mean everybody; a null DACL likewise. Both are reported as such.
  if ((control & 0x0004) === 0) return undefined;
  if (daclOffset === 0) grant('S-1-1-0', 'GenericAll');
  else if (!readAcl(bytes, view, daclOffset, grant)) return undefined;
  return [...found].map(([sid, rights]) => ({ sid, rights: [...rights] }));
}

function readAcl(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  grant: (sid: string, right: string) => void,
): boolean {
  if (start + 8 > bytes.length) return false;
  const end = start + view.getUint16(start + 2, true);
  const count = view.getUint16(start + 4, true);
  if (end > bytes.length) return false;
  let at = start + 8;
  for (let index = 0; index < count; index += 1) {
    if (at + 8 > end) return false;
    const size = view.getUint16(at + 2, true);
    if (size < 8 || at + size > end) return false;
    if (!readAce(bytes, view, at, size, grant)) return false;
    at += size;
  }
  return true;
}

function readAce(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  size: number,
  grant: (sid: string, right: string) => void,
): boolean {
  const type = bytes[at] ?? 0;
  const flags = bytes[at + 1] ?? 0;
  if (!(ALLOWED.includes(type) || ALLOWED_OBJECT.includes(type)) || (flags & INHERIT_ONLY) !== 0) return true;
  const mask = view.getUint32(at + 4, true);
  let sidAt = at + 8;
  let objectType: string | undefined;
  if (ALLOWED_OBJECT.includes(type)) {
    if (size < 12) return false;
    const present = view.getUint32(at + 8, true);
    sidAt = at + 12;
    if ((present & 1) !== 0) {
      objectType = readGuid(bytes, sidAt);
      sidAt += 16;
    }
    if ((present & 2) !== 0) {
      const inherited = readGuid(bytes, sidAt);
      sidAt += 16;
      if (inherited !== GROUP_CLASS) return sidAt <= at + size;
    }
  }
  const length = sidLength(bytes, sidAt);
  if (length === undefined || sidAt + length > at + size) return false;
  const sid = readSid(bytes, sidAt);
  if (sid === undefined) return false;
  for (const right of rightsOf(mask, objectType)) grant(sid, right);
  return true;
}

function rightsOf(mask: number, objectType: string | undefined): string[] {
  const onMember =
    objectType === undefined || objectType === MEMBER_ATTRIBUTE || objectType === MEMBERSHIP_PROPERTY_SET;
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
