import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

type Rule = {
  readonly sentence: string;
  readonly pattern: RegExp;
  /** Where the rule holds: by default in every room of the product, tests apart. */
  readonly where?: (file: string) => boolean;
  /** What on the same line makes it right. */
  readonly unless?: RegExp;
};

const ROOMS = ['core', 'engine', 'electron', 'renderer', 'cli', 'lab'];
const inTls = (file: string) => file.startsWith('engine/wire/tls');
const inCore = (file: string) => file.startsWith('core/');

const RULES: readonly Rule[] = [
  {
    // Whatever is not plainly true may be false. The practice hospital is insecure on purpose, and nobody imports it.
    sentence: 'certificates are always verified: rejectUnauthorized: false belongs into engine/wire/tls',
    pattern: /rejectUnauthorized['"]?\s*[:=](?!\s*true\b)/,
    where: (file) => !inTls(file) && !file.startsWith('lab/'),
  },
  {
    sentence: 'rejectUnauthorized: false wants its reason in a comment on the line',
    pattern: /rejectUnauthorized['"]?\s*[:=](?!\s*true\b)/,
    where: inTls,
    unless: /\/\/ \S+.*\S/,
  },
  { sentence: 'no switch turns certificate verification off', pattern: /NODE_TLS_REJECT_UNAUTHORIZED/ },
  {
    sentence: 'a name check that accepts every name belongs into engine/wire/tls',
    pattern: /checkServerIdentity\s*[:=]\s*\(\)\s*=>\s*(undefined|\{\s*\}|void 0)/,
    where: (file) => !inTls(file),
  },
  {
    sentence: 'the product never runs without the sandbox',
    pattern: /appendSwitch\(\s*['"](no-sandbox|disable-setuid-sandbox)|sandbox:\s*false/,
  },
  {
    sentence: "a page keeps Electron's protections",
    pattern:
      /(nodeIntegration|nodeIntegrationInWorker|webviewTag|allowRunningInsecureContent|enableRemoteModule):\s*true|(contextIsolation|webSecurity):\s*false/,
  },
  {
    sentence: 'a page is never given markup as a string',
    pattern: /dangerouslySetInnerHTML|\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write\(/,
  },
  {
    sentence: 'only the preload script reaches ipcRenderer',
    pattern: /\bipcRenderer\b/,
    where: (file) => file !== 'electron/preload.cts',
  },
  {
    sentence: 'core has no clock and no randomness: time and random bytes are passed in',
    pattern:
      /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bgetRandomValues\(|\brandomUUID\(|\bset(Timeout|Interval)\(/,
    where: inCore,
  },
];

// What the verifier must never reach, however many modules lie between: it reads a file and says what it finds.
const VERIFIER = 'cli/commands/verify.ts';
const BEYOND_THE_VERIFIER = [
  /^engine\/(wire|probes|changes)\//,
  /^engine\/run\.ts$/,
  /^(node:)?(tls|http|https|dgram|http2)$/,
  /^ldapts$/,
];

/**
 * Finds what the linter cannot see: rules about words that must not stand in some places.
 * @param file path from the project's folder, with forward slashes
 * @returns one line per fault, as `file:line: sentence`
 */
export function sourceFaults(file: string, text: string): string[] {
  const rules = RULES.filter((rule) => rule.where?.(file) ?? true);
  return text
    .split('\n')
    .flatMap((line, index) =>
      rules
        .filter((rule) => !isComment(line) && rule.pattern.test(line) && !(rule.unless?.test(line) ?? false))
        .map((rule) => `${file}:${index + 1}: ${rule.sentence}`),
    );
}

/**
 * Finds the way by which a module reaches something it must not, through any number of imports.
 * @param entry path from the project's folder
 * @param read gives a module's text, or undefined when there is none
 * @returns the chain of modules that ends at the forbidden one, or undefined
 */
export function wayTo(
  entry: string,
  forbidden: readonly RegExp[],
  read: (file: string) => string | undefined,
): string[] | undefined {
  const seen = new Set([entry]);
  const ways: string[][] = [[entry]];
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const file = way.at(-1) ?? entry;
    for (const name of importsOf(read(file) ?? '')) {
      const reached = name.startsWith('.') ? join(dirname(file), name).split(sep).join('/') : name;
      if (forbidden.some((pattern) => pattern.test(reached))) return [...way, reached];
      if (!name.startsWith('.') || seen.has(reached)) continue;
      seen.add(reached);
      ways.push([...way, reached]);
    }
  }
  return undefined;
}

/** The modules that a text imports at run time; a type alone brings nothing along. */
function importsOf(text: string): string[] {
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '').filter((name) => name !== '');
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\*|\/\*)/.test(line);
}

function main(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|cts|html)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/')),
  );
  const faults = files.flatMap((file) => sourceFaults(file, readFileSync(join(root, file), 'utf8')));
  const read = (file: string) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined);
  const way = wayTo(VERIFIER, BEYOND_THE_VERIFIER, read);
  if (way !== undefined) faults.push(`${VERIFIER}: the verifier reaches what it must not: ${way.join(' → ')}`);
  process.stdout.write(
    `${faults.join('\n')}${faults.length > 0 ? '\n' : ''}${files.length} files looked at, ${faults.length} faults\n`,
  );
  process.exitCode = faults.length === 0 && files.length > 0 ? 0 : 1;
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
