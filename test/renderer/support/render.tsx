/// <reference types="vite/client" />
import '../../../renderer/styles/app.css';
import axe from 'axe-core';
import { createRoot, type Root } from 'react-dom/client';
import { cdp } from 'vitest/browser';
import { App } from '../../../renderer/app.tsx';
import { setBridge } from '../../../renderer/api.ts';
import { resetWizard } from '../../../renderer/store.ts';
import { type FakeMain, fakeMain } from './fake-bridge.ts';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = false;

let root: Root | undefined;
let host: HTMLElement | undefined;

/** Starts the wizard over a main of the test's own. `prepare` runs before the page asks for anything. */
export async function startApp(prepare: (main: FakeMain) => void = () => undefined): Promise<FakeMain> {
  const main = fakeMain();
  prepare(main);
  setBridge(main.bridge);
  host = document.createElement('div');
  host.id = 'root';
  document.body.append(host);
  root = createRoot(host);
  root.render(<App />);
  await until(() => main.calls.some((call) => call.channel === 'session.snapshot'));
  await settle();
  return main;
}

export function stopApp(): void {
  root?.unmount();
  host?.remove();
  root = undefined;
  setBridge(undefined);
  resetWizard();
}

/** Two frames: React has drawn what was asked for. */
export async function settle(): Promise<void> {
  for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => setTimeout(resolve, 15));
}

export async function until(condition: () => boolean, milliseconds = 4000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export type Theme = 'light' | 'dark';

/** Makes Chromium prefer a theme, and no motion, so that a picture is of the end state. */
export async function setTheme(theme: Theme): Promise<void> {
  const session = cdp() as unknown as { send: (method: string, params: unknown) => Promise<unknown> };
  await session.send('Emulation.setEmulatedMedia', {
    features: [
      { name: 'prefers-color-scheme', value: theme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ],
  });
  await settle();
}

/** What axe finds in the whole document, or in a part of it, one line per fault. */
export async function axeFaults(within: Document | Element = document): Promise<readonly string[]> {
  const result = await axe.run(within, {
    resultTypes: ['violations'],
    rules: { 'page-has-heading-one': { enabled: within === document } },
  });
  return result.violations.flatMap((violation) =>
    violation.nodes.map(
      (node) =>
        `${violation.id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n').slice(1).join(';') ?? ''}`,
    ),
  );
}
