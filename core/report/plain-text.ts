const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text in which characters that hide or turn other text are shown as what they are. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same on one line without white space at its ends; `-` where nothing is left. */
export function oneLine(text: string): string {
  const line = visible(text).replace(/\s+/g, ' ').trim();
  return line === '' ? '-' : line;
}

/** One line in which Markdown and HTML mean nothing (CommonMark 0.31: any ASCII punctuation may be escaped). */
export function markdownText(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_[\]<>&#|~!]/g, (character) => `\\${character}`)
    .replace(/^([-+=]|\d+[.)])/, (match) => `${match.slice(0, -1)}\\${match.slice(-1)}`);
}
