/** Takes the mark `⟦` out of a text and says where it stood, 1-based: tests of faults show the place instead of counting it. */
export function marked(text: string): { readonly text: string; readonly line: number; readonly column: number } {
  const offset = text.indexOf('⟦');
  if (offset < 0) throw new Error('the text has no mark');
  const before = text.slice(0, offset).split('\n');
  return {
    text: text.slice(0, offset) + text.slice(offset + 1),
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  };
}
