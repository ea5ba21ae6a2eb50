/** The examples train, and their steps are as short as they say. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

test('two networks with an optimizer each train in one captured step of at most 25 dispatches', async () => {
  const { stdout } = await run(process.execPath, ['scripts/examples/gan.js'], { cwd: root });
  const { dispatches, traces, means } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(traces).toBe(1);
  expect(dispatches).toBeLessThanOrEqual(25);
  expect(Math.abs(means[0] - 2)).toBeLessThan(0.5);
  expect(Math.abs(means[1] + 1)).toBeLessThan(0.5);
});
