/** Which texts of kernels a plan loads, and what becomes of one that does not come. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { findGpu } from '../../scripts/support/software-adapter.js';
import type { Engine, InitOptions, Tensor } from '../../src/index.ts';
import { watchDevices } from '../support/gpu-errors.ts';
import { shaderFiles } from '../support/shader-files.ts';

/** Stands before every text: notes which is asked for, makes them wait or turns them away. */
const door = { asked: [] as string[], together: 1, isShut: false };

const throughDoor = (name: string) => async (load: () => Promise<object>) => {
  door.asked.push(name);
  if (door.isShut) throw new TypeError('Failed to fetch');
  await vi.waitUntil(() => door.asked.length >= door.together);
  return load();
};

/** A program that has the planner and no more, and the texts that came with it. */
let weft: typeof import('../../src/index.ts');
let present: string[];
beforeEach(async () => {
  Object.assign(door, { asked: [], isShut: false, together: 1 });
  vi.resetModules();
  for (const { name, isLibrary } of shaderFiles)
    if (!isLibrary) vi.doMock(`../../src/shaders/${name}.wgsl?raw`, throughDoor(name));
  weft = await import('../../src/index.ts');
  await import('../../src/graph/planner.ts');
  present = door.asked.splice(0);
});

/** Its engine. */
async function init(options: InitOptions = {}): Promise<Engine> {
  const { gpu } = await findGpu();
  const engine = await weft.init({ seed: 1, gpu: watchDevices(gpu), ...options });
  onTestFinished(() => engine.close());
  return engine;
}

/** Computes every product through workgroup memory. */
const SLABS = { shader: 'matmul_workgroup', TILE_M: 4, TILE_N: 1, LANES_M: 16, LANES_N: 8, TILE_K: 8 };

test('what most plans run comes with the planner', () => {
  const common = ['arg_reduce', 'elementwise', 'elementwise_bytes', 'matmul', 'reduce', 'softmax', 'update'];
  expect(present.sort()).toEqual(common);
});

test('a small classifier is trained and asked without any other', async () => {
  await init();
  const { input, dense, dropout } = weft.layers;
  const model = weft.sequential([
    input({ shape: [4] }),
    dense({ units: 8, activation: 'relu' }),
    dropout({ rate: 0.2 }),
    dense({ units: 3, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const x = weft.random.normal([60, 4]);
  const y = x.slice([0, 0], [60, 3]).argMax(1);
  await model.fit(x, y, { epochs: 2, validationSplit: 0.2, verbose: 0 });
  await model.evaluate(x, y, { verbose: 0 });
  await (await model.predict(x)).argMax(1).data();
  expect(door.asked).toEqual([]);
});

test('a product loads the one way in which it is computed, once for all plans', async () => {
  await init({ tuning: { matmul: SLABS } });
  const x = weft.ones([32, 16]);
  const square = weft.capture((x: Tensor) => x.matmul(x, { transposeB: true }));
  expect(await (await square(x)).sum().item()).toBe(32 * 32 * 16);
  const narrow = x.matmul(weft.ones([16, 20]));
  expect(await narrow.sum().item()).toBe(32 * 20 * 16);
  expect(door.asked).toEqual(['matmul_workgroup']);
});

test('a linear classifier loads its walk', async () => {
  await init();
  await weft.sgdClassifier({ maxIter: 2 }).fit([[0], [1], [2], [3]], [0, 0, 1, 1]);
  expect(door.asked).toEqual(['sgd_linear']);
});

test('several are loaded at once', async () => {
  const { loadKernels } = await import('../../src/shaders/index.ts');
  door.together = 3;
  await loadKernels(['matmul', 'matmul_subgroup', 'sgd_linear', 'matmul_workgroup', 'sgd_linear']);
  expect(door.asked.sort()).toEqual(['matmul_subgroup', 'matmul_workgroup', 'sgd_linear']);
});

test('one that does not come is a LoadError, and the next attempt may succeed', async () => {
  const engine = await init({ tuning: { matmul: SLABS } });
  const product = weft.ones([32, 16]).matmul(weft.ones([16, 32]));
  const before = engine.memory().liveBytes;
  door.isShut = true;
  const failed = product.data();
  await expect(failed).rejects.toThrow(weft.LoadError);
  await expect(failed).rejects.toThrow(/^compute matmul: the WGSL of a kernel cannot be loaded: .*\. Fix: /);
  expect(engine.memory().liveBytes).toBe(before);
  door.isShut = false;
  expect((await product.data())[0]).toBe(16);
});
