import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const SECOND = 1000;
const CHROMIUM = process.env.LOCKSTEP_TEST_CHROMIUM ?? '/usr/bin/chromium';

// Chromium refuses to sandbox as root, and must not reach for the network while pages are tested.
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/reporter.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 15 * SECOND,
          // The linter's own start falls into one of them, beside whatever else runs.
          hookTimeout: 60 * SECOND,
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [react(), tailwindcss()],
        // Whatever is found only while a test loads makes Vite reload the page under it.
        optimizeDeps: {
          include: [
            '@marcbachmann/cel-js',
            'axe-core',
            'lucide-react',
            'react',
            'react-aria-components',
            'react-dom/client',
            'react-markdown',
            'react/jsx-dev-runtime',
            'rehype-sanitize',
            'remark-gfm',
            'yaml',
            'zod',
            'zustand',
          ],
        },
        test: {
          name: 'renderer',
          include: ['test/renderer/**/*.test.{ts,tsx}'],
          testTimeout: 15 * SECOND,
          // Chromium's own start can fall into the first test's time on a busy machine.
          hookTimeout: 30 * SECOND,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_FLAGS } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60 * SECOND,
          hookTimeout: 60 * SECOND,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/e2e-setup.ts'],
          testTimeout: 120 * SECOND,
          hookTimeout: 120 * SECOND,
          // One window at a time: focus and timing belong to the test that runs.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 1800 * SECOND,
          hookTimeout: 300 * SECOND,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
