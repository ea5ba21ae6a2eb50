/** The playground's worker by itself: what it answers to commands. */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareWorker, launch, SMALL } from './bare-worker.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test('a network learns garments in 300 steps', async () => {
  const worker = await BareWorker.open(browser);
  await worker.send({ type: 'configure', settings: SMALL });
  const ready = await worker.next('ready');
  expect(ready.settings).toEqual(SMALL);
  expect(ready.network).toEqual(['dense 784 → 16, relu', 'dense 16 → 10, softmax']);
  expect(ready.parameters).toBe(784 * 16 + 16 + 160 + 10);
  expect(ready.dispatchesPerStep).toBeLessThanOrEqual(10);
  expect((await worker.next('validation')).accuracy).toBeLessThan(0.35);

  await worker.send({ type: 'step', count: 300 });
  let progress = await worker.next('progress');
  while (progress.step < 300) progress = await worker.next('progress');
  expect(progress.accuracy).toBeGreaterThan(0.5);
  const after = await worker.next('validation');
  expect(after.step).toBe(300);
  expect(after.accuracy).toBeGreaterThan(0.5);
  await worker.close();
});
