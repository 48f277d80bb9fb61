import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { psComment, psList, psText } from '../../../engine/changes/powershell.ts';
import { DENIED, isDenied, withDenial, withoutDenial } from '../../../engine/wire/ldap-acl.ts';

/** What PowerShell makes of a sum of single-quoted strings and characters; undefined where it is anything else. */
function value(expression: string): string | undefined {
  const sum = /^\((.*)\)$/.exec(expression)?.[1] ?? expression;
  const parts = sum.match(/'(?:[^']|'')*'|\[char\]0x[0-9A-F]{4}/g) ?? [];
  if (parts.join(' + ') !== sum || !parts[0]?.startsWith("'")) return undefined;
  return parts
    .map((part) =>
      part.startsWith("'")
        ? part.slice(1, -1).replaceAll("''", "'")
        : String.fromCharCode(Number.parseInt(part.slice('[char]'.length), 16)),
    )
    .join('');
}

const anyText = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom("'", '‘', '’', '$', '`', '\n', '"', '\0', '#>')),
});

describe('PowerShell of a hand-off', () => {
  it('means exactly the text, in ASCII without line breaks', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const expression = psText(text);
        expect(expression).toMatch(/^[\x20-\x7e]+$/);
        expect(value(expression)).toBe(text);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('reads as a person would write it', () => {
    expect(psText("O'Hara $x")).toBe("'O''Hara $x'");
    expect(psText('Ä’s')).toBe("('' + [char]0x00C4 + [char]0x2019 + 's')");
    expect(psText('')).toBe("''");
    expect(psList(['a', 'b'])).toBe("@('a', 'b')");
  });

  it('keeps a comment on its line', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(psComment(text)).toMatch(/^# [\x20-\x7e]*$/);
      }),
      { seed: 3 },
    );
  });
});

describe('access control lists', () => {
  // One entry that allows S-1-5-18 everything, as a controller answers with SD_FLAGS 4.
  const plain = Buffer.from(
    '0100048c000000000000000000000000140000000400' + '1c000100000000001400ff010f00010100000000000512000000',
    'hex',
  );

  it('gain a denial in front and lose just that again', () => {
    expect(isDenied(plain, DENIED.object)).toBe(false);
    const denied = withDenial(plain, DENIED.object) ?? Buffer.alloc(0);
    expect(isDenied(denied, DENIED.object)).toBe(true);
    expect(isDenied(denied, DENIED.parent)).toBe(false);
    expect(denied.length).toBe(plain.length + 20);
    expect(withoutDenial(denied, DENIED.object)?.subarray(20)).toEqual(plain.subarray(20));
    expect(withoutDenial(plain, DENIED.object)).toBeUndefined();
  });

  it('that are malformed are nothing to add to', () => {
    for (const bad of [
      Buffer.alloc(0),
      plain.subarray(0, 30),
      Buffer.from('0100008000000000000000000000000000000000', 'hex'),
    ]) {
      expect(isDenied(bad, DENIED.object)).toBeUndefined();
      expect(withDenial(bad, DENIED.object)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        withDenial(Buffer.concat([plain.subarray(0, 20), bytes]), DENIED.object);
      }),
      { seed: 3 },
    );
  });
});
