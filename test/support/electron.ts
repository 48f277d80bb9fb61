import {
  chownSync,
  copyFileSync,
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { _electron, type ElectronApplication } from 'playwright';
import { ensureBuilt } from '../../build/tools/bundles.mjs';
import { root } from '../../build/tools/process.mjs';
import { progressOn } from '../../build/tools/progress.mjs';
import { isRoot } from './debian.ts';
import { ensureDisplay, type Display } from './display.ts';
import { findTestRuntime, type TestRuntime } from './runtime.ts';

const START_MS = 20_000;
// Playwright misses the page's first commit when it attaches in the very middle of it, and then waits for ever.
const STARTS = 3;
// Debian's nobody: on every system, and the owner of nothing.
const NOBODY = 65534;

/** Set when no Electron runtime can be had at all: `describe.skipIf(electronMissing)`. */
export const electronMissing: string | undefined = process.env.LOCKSTEP_TEST_NO_RUNTIME;

export type LaunchOptions = {
  /** Arguments after the app's folder, as `npm start` would give them (`--practice`). */
  readonly args?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The profile folder; without it a fresh one, which is removed at the end. */
  readonly userData?: string;
  /** The app's folder, with a package.json; without it the built Lockstep, built anew when its sources have changed. */
  readonly app?: string;
};

export type Launched = {
  readonly app: ElectronApplication;
  readonly userData: string;
  readonly runtime: TestRuntime;
  /** What the main process has printed so far, standard output and standard error. */
  readonly output: () => string;
  /** Closes the app, and removes what was made for it. */
  readonly close: () => Promise<void>;
};

/**
 * Starts the app in a real Electron window, under Xvfb when there is no display. As root the test passes --no-sandbox,
 * because Chromium cannot sandbox for root; the product never does. An app that calls `app.enableSandbox()` takes that
 * switch away again and then does not start as root. See `launchAppAsOrdinaryUser` for the sandbox.
 */
export async function launchApp(options: LaunchOptions = {}): Promise<Launched> {
  const runtime = await chosenRuntime();
  const folder = await appFolder(options);
  const work = mkdtempSync(join(tmpdir(), 'lockstep-app-'));
  const userData = options.userData ?? join(work, 'profile');
  const sandbox = isRoot() ? ['--no-sandbox'] : [];
  return launch(runtime, runtime.executable, [...sandbox, ...switches(userData), folder, ...(options.args ?? [])], {
    options,
    work,
    userData,
  });
}

/**
 * Starts the app as an ordinary user with Chromium's sandbox on: as root, on a copy of runtime and app in a temporary
 * folder, with chrome-sandbox set up as an administrator does it, and as the user nobody. Started by an ordinary user,
 * it is that user, and what the system allows. `userData` cannot be chosen here.
 */
export async function launchAppAsOrdinaryUser(options: Omit<LaunchOptions, 'userData'> = {}): Promise<Launched> {
  const runtime = await chosenRuntime();
  const folder = await appFolder(options);
  // Not under the project: that may lie where nobody cannot go.
  const work = mkdtempSync(join(tmpdir(), 'lockstep-app-'));
  const userData = join(work, 'profile');
  if (!isRoot()) {
    return launch(runtime, runtime.executable, [...switches(userData), folder, ...(options.args ?? [])], {
      options,
      work,
      userData,
    });
  }
  chmodSync(work, 0o755);
  const copied = join(work, 'electron');
  copyRuntime(runtime.folder, copied);
  copyApp(folder, join(work, 'app'));
  mkdirSync(userData, { mode: 0o700 });
  chownSync(userData, NOBODY, NOBODY);
  // Playwright starts a program without choosing its user; this one changes the user and becomes Electron.
  const starter = join(work, 'start');
  const become = `exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups -- "${join(copied, 'electron')}" "$@"`;
  writeFileSync(starter, `#!/bin/sh\nexport HOME="${userData}" XDG_RUNTIME_DIR="${userData}"\n${become}\n`, {
    mode: 0o755,
  });
  return launch(runtime, starter, [...switches(userData), join(work, 'app'), ...(options.args ?? [])], {
    options,
    work,
    userData,
  });
}

/**
 * Reads from /proc how the app's renderer processes run.
 * @returns for each renderer its user id and its seccomp mode (2 means that a filter confines its system calls)
 */
export async function rendererConfinement(
  app: ElectronApplication,
): Promise<{ pid: number; uid: number; seccomp: number }[]> {
  const pids = await app.evaluate(({ app: electron }) =>
    electron
      .getAppMetrics()
      .filter((metric) => metric.type === 'Tab')
      .map((metric) => metric.pid),
  );
  return pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    return { pid, uid: field('Uid'), seccomp: field('Seccomp') };
  });
}

async function chosenRuntime(): Promise<TestRuntime> {
  const handed = process.env.LOCKSTEP_TEST_RUNTIME;
  const runtime = handed === undefined ? await findTestRuntime() : (JSON.parse(handed) as TestRuntime);
  if (typeof runtime === 'string') throw new Error(runtime);
  return runtime;
}

async function appFolder(options: LaunchOptions): Promise<string> {
  if (options.app !== undefined) return options.app;
  await ensureBuilt(progressOn(process.stderr));
  return root;
}

function switches(userData: string): string[] {
  return ['--disable-gpu', `--user-data-dir=${userData}`];
}

type Workplace = { readonly options: LaunchOptions; readonly work: string; readonly userData: string };

async function launch(
  runtime: TestRuntime,
  executable: string,
  args: readonly string[],
  place: Workplace,
): Promise<Launched> {
  let display: Display | undefined;
  const tidy = async () => {
    await display?.stop();
    rmSync(place.work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    display = await ensureDisplay();
    const app = await launchAgain({
      executablePath: executable,
      args: [...args],
      // Playwright would add --no-sandbox by itself.
      chromiumSandbox: true,
      env: { ...inheritedEnvironment(), DISPLAY: display.name, ...place.options.env },
      timeout: START_MS,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    app.process().stdout?.on('data', collect);
    app.process().stderr?.on('data', collect);
    const close = async () => {
      await app.close();
      await tidy();
    };
    return { app, userData: place.userData, runtime, output: () => output, close };
  } catch (error) {
    await tidy();
    throw error;
  }
}

async function launchAgain(options: Parameters<typeof _electron.launch>[0]): Promise<ElectronApplication> {
  for (let start = 1; ; start += 1) {
    try {
      return await _electron.launch(options);
    } catch (error) {
      if (start === STARTS || (error as Error).name !== 'TimeoutError') throw error;
    }
  }
}

/** This process's environment without what would make Electron behave as Node, or talk to a desktop's session bus. */
function inheritedEnvironment(): Record<string, string> {
  const { ELECTRON_RUN_AS_NODE: _node, NODE_OPTIONS: _options, DBUS_SESSION_BUS_ADDRESS: _bus, ...rest } = process.env;
  return Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function copyRuntime(from: string, to: string): void {
  mkdirSync(to, { mode: 0o755 });
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length + 1));
    mkdirSync(entry.isDirectory() ? target : dirname(target), { recursive: true, mode: 0o755 });
    // A link shares owner and mode, which only this copy's helper may have.
    if (entry.isFile() && entry.name !== 'chrome-sandbox') linkOrCopy(source, target);
  }
  const helper = join(to, 'chrome-sandbox');
  copyFileSync(join(from, 'chrome-sandbox'), helper);
  chownSync(helper, 0, 0);
  chmodSync(helper, 0o4755);
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

/** Copies what a packaged app has: package.json and dist/, or all of a fixture that is not built. */
function copyApp(from: string, to: string): void {
  if (!existsSync(join(from, 'dist'))) {
    cpSync(from, to, { recursive: true });
    return;
  }
  mkdirSync(to, { mode: 0o755 });
  cpSync(join(from, 'package.json'), join(to, 'package.json'));
  cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true });
}
