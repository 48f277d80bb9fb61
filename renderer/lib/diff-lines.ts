/** What a line of a plan does: it is written, it goes, or it only says where. */
export type LineKind = 'written' | 'removed' | 'around';

/**
 * Tells the lines of a plan apart: those marked with + or -, and in LDIF (RFC 2849) the values below `add:`, `replace:` and
 * `delete:`, the attributes of an added entry, and a deletion. The dash that ends a modification is no removal.
 */
export function diffLines(text: string): readonly { readonly line: string; readonly kind: LineKind }[] {
  let below: LineKind = 'around';
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const kind = ((): LineKind => {
        if (line === '-' || line === '' || /^(dn|control|changetype):/.test(line)) {
          below = line === 'changetype: add' ? 'written' : 'around';
          return line === 'changetype: delete' ? 'removed' : 'around';
        }
        const section = /^(add|replace|delete): \S+$/.exec(line)?.[1];
        if (section !== undefined && below === 'around') {
          below = section === 'delete' ? 'removed' : 'written';
          return 'around';
        }
        if (line.startsWith('#')) return 'around';
        if (line.startsWith('+')) return 'written';
        return line.startsWith('-') ? 'removed' : below;
      })();
      return { line, kind };
    });
}
