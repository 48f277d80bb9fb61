/** PowerShell as text, for a hand-off to the directory team (about_Quoting_Rules, about_Special_Characters). */

const PLAIN = /[\x20-\x26\x28-\x7e]/;

/**
 * A value as a PowerShell expression that means exactly these characters. Single-quoted, so nothing in it is expanded; ASCII
 * only, since Windows PowerShell reads a script without a byte order mark in the code page of the computer. Everything else,
 * the typographic quotes that PowerShell takes for a quote too included, is written by its UTF-16 number.
 */
export function psText(value: string): string {
  const parts: string[] = [];
  let run = '';
  const flush = () => {
    if (run !== '') parts.push(`'${run}'`);
    run = '';
  };
  for (let at = 0; at < value.length; at += 1) {
    const char = value.charAt(at);
    if (char === "'") run += "''";
    else if (PLAIN.test(char)) run += char;
    else {
      flush();
      // A sum that begins with a character would be one of numbers.
      if (parts.length === 0) parts.push("''");
      parts.push(`[char]0x${value.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')}`);
    }
  }
  flush();
  if (parts.length === 0) return "''";
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' + ')})`;
}

/** A comment line: nothing in the text can end it, or leave ASCII. */
export function psComment(text: string): string {
  return `# ${text.replace(/[^\x20-\x7e]/gu, '?')}`;
}

/** A list of values as an array expression. */
export function psList(values: readonly string[]): string {
  return `@(${values.map(psText).join(', ')})`;
}
