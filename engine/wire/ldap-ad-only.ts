import type { AbsentFact } from '../../core/probes/declaration.ts';
import type { RootDse } from './ldap-site.ts';

/**
 * Marks unknown facts as not applicable where they are among those that only Active Directory has and the directory is
 * another. Not for what has a counterpart there that is merely not read: that stays unknown.
 * @param paths paths of facts; what lies below them is meant too
 */
export function markAdOnly(
  kind: RootDse['kind'],
  absent: readonly AbsentFact[],
  paths: readonly string[],
): readonly AbsentFact[] {
  if (kind === 'active-directory') return absent;
  return absent.map((fact) =>
    paths.some((path) => fact.path === path || fact.path.startsWith(`${path}.`))
      ? { ...fact, notApplicable: true }
      : fact,
  );
}
