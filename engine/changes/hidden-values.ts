import { type JsonNode, readJson } from './json-text.ts';

/** Keys whose values are secrets in most configuration files. */
const SECRET_KEY =
  /pass(?:word|wd|phrase)?\b|password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|preshared|psk\b|community|credential|registeredusers|auth(?:entication)?[-_]?key/i;

/** Where a private key lies is no secret, nor is where a proxy passes requests on to. */
function isPlace(key: string, value: string): boolean {
  return (
    (/private[-_]?key/i.test(key) && /^"?\/(?:[\w.-]+\/)+[\w.-]+"?[,;]?$/.test(value)) ||
    (/^\w+_pass$/i.test(key) && /^(?:https?|grpcs?):\/\/[\w.:[\]-]+\/?;$/.test(value))
  );
}

/** Whether a key is called as secrets are. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** A text in which the values of secrets are replaced, and how many of them there were. */
export type HiddenText = { readonly text: string; readonly hidden: number };

/** Hides secrets in texts. The same value gets the same mark in every text that goes through it. */
export type Hide = (text: string) => HiddenText;

/**
 * Makes functions that hide secrets in texts: values of keys that are called as secrets are, of `keys`, the `secrets`
 * themselves wherever they stand, private keys, and passwords in addresses. One for both sides of a diff shows that a secret
 * changes, and not what it is; a new one for each digest makes the same text the same.
 */
export function makeHider(keys: readonly string[], secrets: readonly string[]): () => Hide {
  const own = keys.map((key) => key.toLowerCase());
  const isSecret = (key: string): boolean => isSecretKey(key) || own.includes(key.toLowerCase());
  const start =
    (marks: Map<string, string>): Hide =>
    (text) => {
      let hidden = 0;
      const mark = (value: string): string => {
        hidden += 1;
        const known = marks.get(value) ?? `‹hidden ${marks.size + 1}›`;
        marks.set(value, known);
        return known;
      };
      const json = /^\s*(?:[{[]|\/[/*])/.test(text) ? readJson(text) : undefined;
      let shown = json?.ok === true ? hideInJson(text, json.value, isSecret, mark) : hideInLines(text, isSecret, mark);
      for (const secret of secrets)
        for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1)]))
          if (form !== '') shown = shown.replaceAll(form, () => mark(secret));
      shown = shown
        .replace(
          /(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]*?)(-----END|$)/g,
          (_all, begin: string, key: string, end: string) => `${begin}${mark(key)}${end}`,
        )
        .replace(
          /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)([^\s/@]+)@/gi,
          (_all, before: string, password: string) => `${before}${mark(password)}@`,
        );
      return { text: shown, hidden };
    };
  return () => start(new Map());
}

function hideInJson(
  text: string,
  root: JsonNode,
  isSecret: (key: string) => boolean,
  mark: (value: string) => string,
): string {
  const [values, closed]: [JsonNode[], JsonNode[]] = [[], []];
  const walk = (node: JsonNode, secret: boolean): void => {
    if (node.kind === 'scalar') {
      if (secret && typeof node.value !== 'boolean' && node.value !== null) values.push(node);
      return;
    }
    if (secret) closed.push(node);
    if (node.kind === 'array') for (const item of node.items) walk(item, secret);
    else
      for (const { key, node: member } of node.members)
        walk(member, secret || (isSecret(key) && !isPlace(key, text.slice(member.start, member.end))));
  };
  walk(root, false);
  // Old passwords are often still good, so what is commented out counts: whole where only secrets stand, else by its keys.
  const comments = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g)].filter(([token]) =>
    token.startsWith('/'),
  );
  const spans = [
    ...values.map(({ start, end }) => ({ start, end, shown: () => mark(text.slice(start, end)) })),
    ...comments.map(({ index: start, 0: comment }) => {
      const inside = closed.some((node) => node.start < start && start < node.end);
      const shown = () =>
        inside
          ? `${comment.slice(0, 2)} ${mark(comment)}${comment.startsWith('/*') ? ' */' : ''}`
          : comment.replace(
              /"([^"\n]+)"(\s*:\s*)("(?:[^"\\\n]|\\.)*"|[^\s,{[]+)/g,
              (all, key: string, between: string, value: string) =>
                isSecret(key) && !/^(?:true|false|null)$/.test(value) && !isPlace(key, value)
                  ? `"${key}"${between}${mark(value)}`
                  : all,
            );
      return { start, end: start + comment.length, shown };
    }),
  ].sort((one, other) => one.start - other.start);
  let shown = '';
  let at = 0;
  for (const span of spans) {
    shown += text.slice(at, span.start) + span.shown();
    at = span.end;
  }
  return shown + text.slice(at);
}

/** `key value`, `key = value`, `key: value`, also where it is commented out: old passwords are often still good. */
function hideInLines(text: string, isSecret: (key: string) => boolean, mark: (value: string) => string): string {
  return text
    .split('\n')
    .map((line) =>
      line.replace(
        /^(\s*(?:[#;/]+\s*)?["']?)([\w.-]+)(["']?\s*[=:]\s*|["']?[ \t]+)(\S.*?)(\s*)$/,
        (all, before: string, key: string, between: string, value: string, after: string) =>
          isSecret(key) && !/^(?:yes|no|true|false|on|off)$/i.test(value) && !isPlace(key, value)
            ? `${before}${key}${between}${mark(value)}${after}`
            : all,
      ),
    )
    .join('\n');
}
