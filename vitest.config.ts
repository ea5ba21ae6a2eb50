/** The same test files in Node (on Dawn) and in a headless Chromium; `*.node.test.ts` in Node only. */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumLaunchOptions } from './scripts/support/chromium.js';
import { SummaryReporter } from './test/support/summary-reporter.ts';

export default defineConfig({
  test: {
    // llvmpipe compiles a kernel at its first dispatch: seconds for one with barriers.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          setupFiles: ['test/support/setup.node.ts', 'test/support/setup.ts'],
          pool: 'forks',
        },
      },
      {
        extends: true,
        // Found in the middle of a run, it would make vite reload the page under the tests.
        optimizeDeps: { include: ['fflate'] },
        test: {
          name: 'browser',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.node.test.ts'],
          setupFiles: ['test/support/setup.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromiumLaunchOptions() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
