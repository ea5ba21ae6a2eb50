/**
 * `npm run test:long`: thousands of random programs and trainings, in Node. Piecewise:
 *   npx vitest run -c vitest.long.config.ts -t rows            programs about one theme
 *   WEFT_FROM=50000 WEFT_PROGRAMS=200 npm run test:long        other seeds, fewer of them
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.long.ts'],
    setupFiles: ['test/support/setup.node.ts', 'test/support/setup.ts'],
    pool: 'forks',
    // Each test is bounded by the clock within itself, and tells how far it came.
    testTimeout: 1_200_000,
  },
});
