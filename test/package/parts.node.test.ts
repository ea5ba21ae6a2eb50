/** Which parts of the package a program loads, and what becomes of one that does not come. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { findGpu } from '../../scripts/support/software-adapter.js';
import type { InitOptions } from '../../src/index.ts';
import { watchDevices } from '../support/gpu-errors.ts';

const parts = [
  'graph/planner',
  'engine/measuring',
  'nn/training/index',
  'nn/training/further/index',
  'nn/training/feed/index',
  'nn/saving/formats',
];

/** Stands before every part: notes which is asked for, or turns it away. */
const door = { asked: [] as string[], shut: null as string | null };

/** A program that has loaded nothing yet. */
let weft: typeof import('../../src/index.ts');
beforeEach(async () => {
  Object.assign(door, { asked: [], shut: null });
  vi.resetModules();
  for (const part of parts)
    vi.doMock(`../../src/${part}.ts`, async (load: () => Promise<object>) => {
      if (door.shut === part) throw new TypeError('Failed to fetch');
      door.asked.push(part);
      return load();
    });
  weft = await import('../../src/index.ts');
});

async function init(options: InitOptions = {}) {
  const { gpu } = await findGpu();
  const engine = await weft.init({ seed: 1, gpu: watchDevices(gpu), ...options });
  onTestFinished(() => engine.close());
  return engine;
}

const x = [[1], [2], [3], [4]];
const y = [[2], [4], [6], [8]];

async function model() {
  await init();
  const line = weft.sequential([weft.layers.input({ shape: [1] }), weft.layers.dense({ units: 1 })]);
  line.compile({ optimizer: 'sgd', loss: 'mse' });
  return line;
}

test('who trains, evaluates and predicts loads the planner and what trains, and no more', async () => {
  const line = await model();
  await line.fit(x, y, { epochs: 2, verbose: 0 });
  await line.evaluate(x, y, { verbose: 0 });
  await (await line.predict(x, { verbose: 0 })).data();
  expect(door.asked).toEqual(['graph/planner', 'nn/training/index']);
});

test('who writes a step of their own and asks for its kernels loads the planner', async () => {
  const engine = await init();
  const w = weft.variable([1, 2], { engine });
  const step = weft.capture(() => void w.assign(w.mul(2).add(w.sum())), { engine });
  await step.replay(3);
  expect(step.explain().length).toBeGreaterThan(0);
  expect(engine.tuning.toJSON().format).toBe('weft-tuning');
  expect(door.asked).toEqual(['graph/planner']);
  await step.profile();
  expect(door.asked).toEqual(['graph/planner', 'engine/measuring']);
});

test.each<[part: string, use: () => Promise<unknown>]>([
  ['graph/planner', () => init()],
  ['engine/measuring', () => init({ tuning: 'cached' })],
  ['nn/training/index', async () => (await model()).fit(x, y, { verbose: 0 })],
  ['nn/training/further/index', async () => (await model()).explain({ measure: false })],
  ['nn/saving/formats', async () => (await model()).toBytes()],
])('%s that does not come is a LoadError, and the next attempt may succeed', async (part, use) => {
  door.shut = part;
  const failed = use();
  await expect(failed).rejects.toThrow(weft.LoadError);
  await expect(failed).rejects.toThrow(/^(weft|engine): .* cannot be loaded: .*\. Fix: serve every file/);
  door.shut = null;
  await use();
  expect(door.asked).toContain(part);
});
