/** Waiting for the GPU must not keep the event loop spinning. */
import { expect, test } from 'vitest';
import { napUntil } from '../../src/engine/nap.ts';

/** Turns of the event loop until `promise` is settled. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await promise;
  over = true;
  return turns;
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('turns of the event loop are few while somebody waits, and as many as ever afterwards', async () => {
  const waiting = later(200);
  napUntil(waiting);
  // 200 ms hold 1,000 naps at most; turns without naps take microseconds.
  expect(await turnsUntil(waiting)).toBeLessThan(1500);
  expect(await turnsUntil(later(200))).toBeGreaterThan(1500);
});

test('several waits, one of which fails, end with the last', async () => {
  const [first, second] = [later(20).then(() => Promise.reject(new Error('no'))), later(100)];
  first.catch(() => {});
  napUntil(first);
  napUntil(second);
  await second;
  expect(await turnsUntil(later(200))).toBeGreaterThan(1500);
});
