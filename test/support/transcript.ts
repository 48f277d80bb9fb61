/**
 * Writes docs/transcript.md and the excerpt in README.md from a walk against a real Samba and a real Orthanc, run now:
 * `node test/support/transcript.ts`. Needs root and the packages of build/debian-packages.txt.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from './cli.ts';
import { findProgram } from './debian.ts';
import { type Department, startDepartment } from './imaging-department.ts';
import { walkDepartment } from './imaging-walk.ts';
import type { Ran, Step } from './walk-shell.ts';

const WIDTH = 110;
const README_WIDTH = 136;
const MARK = /<!-- transcript -->(?:[\s\S]*<!-- end of transcript -->)?/;

const department = await startDepartment();
try {
  const steps = (await walkDepartment(department)).map((step) => shortened(step, department));
  await writeFile(join(ROOT, 'docs', 'transcript.md'), whole(steps));
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  if (!MARK.test(readme)) throw new Error('README.md has no <!-- transcript -->');
  await writeFile(
    join(ROOT, 'README.md'),
    readme.replace(MARK, () => excerpt(steps)),
  );
} finally {
  await department.stop();
}

/** Folders of this run get short names; nothing else is changed. */
function shortened(step: Step, { folder, samba }: Department): Step {
  if (step.kind === 'said') return step;
  const short = (text: string) =>
    text
      .replaceAll(`${folder}/`, '')
      .replaceAll(`${dirname(samba.configuration)}/`, '')
      .replaceAll(`${ROOT}/`, '');
  return { ...step, command: short(step.command), output: short(step.output), stdout: short(step.stdout) };
}

function whole(steps: readonly Step[]): string {
  const versions = [
    ['Samba', 'samba', '--version'],
    ['Orthanc', 'Orthanc', '--version'],
    ['OpenSSL', 'openssl', 'version'],
    ['nftables', 'nft', '--version'],
  ].map(([name = '', program = '', option = '']) => `${name}: \`${firstLine(program, option)}\``);
  const head = [
    '# A walk against a real Samba and a real Orthanc',
    '',
    `Written by \`node test/support/transcript.ts\` on ${new Date().toISOString().slice(0, 10)}; the commands ran as shown, and this is what they`,
    'printed. `lockstep` stands for `npm run -s lockstep --`. Folders of the run are left out of paths, and long commands are broken',
    'into lines. Lockstep and Samba ran on one computer; Orthanc, nginx, OpenSSH and the firewall ran on a host with network and',
    "processes of its own, where a stand-in obeys Debian's unit files in the place of systemd. Certificates and signers are practice",
    'ones. `test/long/orthanc-samba.test.ts` walks the same road and judges what comes out.',
    '',
    `${versions.join(', ')}.`,
    '',
  ];
  const body = steps.flatMap((step) =>
    step.kind === 'said'
      ? [...(step.title === undefined ? [] : [`## ${step.title}`, '']), step.text, '']
      : ['```', ...prompt(step.command), ...lines(step.output), `[exit code ${step.code}]`, '```', ''],
  );
  return `${[...head, ...body].join('\n').trimEnd()}\n`;
}

/**
 * The same run, shortened: what is left out of an output is counted after it; an ellipsis stands for options that the
 * first command has too, for the columns between control and finding, and for the rest of a line.
 */
function excerpt(steps: readonly Step[]): string {
  const ran = (name: string): Ran => {
    const found = steps.find((step): step is Ran => step.kind === 'ran' && step.name === name);
    if (found === undefined) throw new Error(`nothing ran as ${name}`);
    return found;
  };
  const known = new Set(
    ran('first')
      .command.split(/ (?=--)/)
      .slice(1),
  );
  const show = (name: string, keep: (line: string) => boolean): string[] => {
    const { command, output } = ran(name);
    const parts = command.split(/ (?=--)/);
    const fresh = parts.filter((part) => !known.has(part));
    const typed = name === 'first' || fresh.length === parts.length ? command : fresh.toSpliced(1, 0, '…').join(' ');
    const all = lines(output);
    const kept = all.filter(keep).map((line) => line.replace(/^(\S+) +(\S+) +\S.*? {2,}\w+ {2,}(?=\S)/, '$1  $2  …  '));
    const left = all.length - kept.length;
    return [
      ...prompt(typed),
      ...kept,
      ...(left > 0 ? [`[… ${left} ${left === 1 ? 'line' : 'lines'} left out]`] : []),
      '',
    ];
  };
  const shown = [
    ...show('first', (line) => /^(fail|open)/.test(line)),
    ...show('apply', (line) => /^(access|dn:|changetype|fail|open)/.test(line)),
    ...show('harden', (line) => /^(http\.|\S+ was changed, and)/.test(line)),
    ...show('second', (line) => /^(pass +(access\.named|http\.enc|dicom\.client)|hardened)/.test(line)),
    ...show('verify', () => true),
    ...show('openssl-hospital', () => true),
    ...show('break', () => true),
    ...show('third', (line) => line.startsWith('fail')),
    ...show('undo', (line) => /^(http\.|\S+ was changed, and)/.test(line)),
    ...show('files-after', () => true),
  ].map((line) => (line.length > README_WIDTH ? `${line.slice(0, README_WIDTH - 1)}…` : line));
  return [
    '<!-- transcript -->',
    '## Seen on real servers',
    '',
    "A Samba domain controller and Debian's Orthanc, from default to hardened and back ([the whole transcript](docs/transcript.md)):",
    '',
    '```',
    ...shown.slice(0, -1),
    '```',
    '<!-- end of transcript -->',
  ].join('\n');
}

function lines(output: string): string[] {
  return output === '' ? [] : output.trimEnd().split('\n');
}

/** A command with its prompt, broken before options where it is long. */
function prompt(command: string): string[] {
  const out: string[] = [];
  let line = '$';
  for (const word of command.split(/ (?=--|&& |\| |-in |-content )/)) {
    if (line !== '$' && line.length + word.length + 3 > WIDTH) {
      out.push(`${line} \\`);
      line = `    ${word}`;
    } else line += ` ${word}`;
  }
  return [...out, line];
}

function firstLine(program: string, option: string): string {
  return (
    execFileSync(findProgram(program) ?? program, [option], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).split('\n')[0] ?? ''
  );
}
