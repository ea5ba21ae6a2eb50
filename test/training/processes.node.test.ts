/** The same seed gives the same bits wherever the same WGSL meets the same driver. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('train-and-print.js', import.meta.url));
const built = new URL('../../dist/index.js', import.meta.url);

const trainElsewhere = async (): Promise<{ hash: string; losses: number[] }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  return JSON.parse(stdout);
};

beforeAll(() => {
  if (!existsSync(built)) throw new Error('dist/index.js is missing: npm run build');
});

test('F22 two processes with one seed end with the same weights, bit for bit', async () => {
  const first = await trainElsewhere();
  const second = await trainElsewhere();
  expect(first.losses.every(Number.isFinite)).toBe(true);
  expect(second).toEqual(first);
});
