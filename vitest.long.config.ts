/**
 * `npm run test:long`: thousands of random programs, trainings and damaged files, kills, soaks, and every test that
 * asks whether there is time (test/support/long.ts), with as many rounds as a proof wants; in Node. Piecewise:
 *   npx vitest run -c vitest.long.config.ts -t rows            programs about one theme
 *   WEFT_FROM=50000 WEFT_PROGRAMS=200 npm run test:long        other seeds, fewer of them
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const asksForTime = (path: string): boolean =>
  path.endsWith('.test.ts') && readFileSync(path, 'utf8').includes('support/long.ts');

export default defineConfig({
  test: {
    include: [
      'test/**/*.long.ts',
      ...readdirSync('test', { recursive: true, encoding: 'utf8' })
        .map((path) => join('test', path))
        .filter(asksForTime),
    ],
    env: { WEFT_LONG: '1' },
    setupFiles: ['test/support/setup.node.ts', 'test/support/setup.ts'],
    pool: 'forks',
    // Each test is bounded by the clock within itself, and tells how far it came.
    testTimeout: 1_200_000,
    hookTimeout: 120_000,
  },
});
