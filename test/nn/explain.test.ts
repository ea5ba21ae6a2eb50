/** `model.explain()`: what it tells is what runs, and nothing is different afterwards. */
import { expect, test } from 'vitest';
import {
  capture,
  type Engine,
  layers,
  type Model,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
  variable,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { sharedEngine, testEngine } from '../support/engine.ts';

const data = (engine?: Engine, count = 96) => {
  const random = generator(3);
  return {
    x: tensor(
      Uint8Array.from({ length: count * 64 }, () => random.between(0, 255)),
      { shape: [count, 8, 8], engine },
    ),
    y: tensor(
      Uint8Array.from({ length: count }, () => random.between(0, 10)),
      { engine },
    ),
  };
};

function network(optimizer = 'rmsprop'): Model {
  setRandomSeed(7);
  const model = sequential([
    layers.input([8, 8]),
    layers.rescaling(1 / 255),
    layers.flatten(),
    layers.dense(24, { activation: 'relu' }),
    layers.dense(10, { activation: 'softmax' }),
  ]);
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const numbers = async (model: Model): Promise<number[][]> => {
  const variables = [...model.weights, ...(model.optimizer.built ? model.optimizer.variables : [])];
  return Promise.all(variables.map(async (one) => [...(await one.data())]));
};

test('an explanation has the kernels that run, in order, each with its ops, bytes, FLOPs, WGSL and time', async () => {
  const engine = await sharedEngine();
  const model = network();
  const { x, y } = data(engine);
  const told = await model.explain({ x, y, batchSize: 32 });

  const before = engine.stats().dispatches;
  await model.fit(x, y, { batchSize: 32, epochs: 1, verbose: 0 });
  expect(engine.stats().dispatches - before).toBe(3 * told.kernels.length);

  expect(told.inputs).toEqual([{ shape: [32, 8, 8], dtype: 'u8' }]);
  const products = told.kernels.flatMap(({ parts }) => parts.filter(({ op }) => op === 'matmul'));
  // 64 → 24 and 24 → 10 forward, two weight gradients, one gradient for the hidden layer.
  expect(products.map(({ flops }) => flops).sort((a, b) => a - b)).toEqual(
    [2 * 32 * 24 * 10, 2 * 32 * 24 * 10, 2 * 32 * 24 * 10, 2 * 32 * 64 * 24, 2 * 32 * 64 * 24].sort(
      (a, b) => a - b,
    ),
  );
  // The bytes of a batch, not those of the whole set.
  const images = told.kernels.flatMap(({ reads }) =>
    reads.filter(({ dtype, shape }) => dtype === 'u8' && shape.length === 3),
  );
  expect(images.length).toBeGreaterThan(0);
  for (const { bytes } of images) expect(bytes).toBe(32 * 64);
  const written = told.kernels.flatMap(({ writes }) => writes.map(({ name }) => name));
  for (const layer of model.layers)
    for (const { name } of layer.weights)
      for (const one of [name, `${name}_velocity`]) expect(written).toContain(`${layer.name}/${one}`);

  told.kernels.forEach((kernel, i) => {
    expect(kernel.index).toBe(i);
    expect(kernel.shader).toMatch(/@compute/);
    expect(kernel.pipeline).toBeLessThanOrEqual(i);
    expect(kernel.workgroups.every((count) => count > 0)).toBe(true);
    for (const { from } of kernel.reads) expect(from ?? -1).toBeLessThan(i);
  });
  expect(told.kernels.reduce((sum, { share }) => sum + share!, 0)).toBeCloseTo(1, 6);
  expect(told.stepMicroseconds).toBeGreaterThan(0);
  expect(JSON.parse(JSON.stringify(told)).kernels).toHaveLength(told.kernels.length);
  model.dispose();
});

test.each(['sgd', 'adam'])(
  'weights, %s state and loss of training are the same with and without an explanation in between',
  async (optimizer) => {
    const run = async (explained: boolean) => {
      const engine = await testEngine({ seed: 7 });
      const { x, y } = data(engine);
      const model = network(optimizer);
      await model.fit(x, y, { batchSize: 20, epochs: 2, verbose: 0 });
      if (explained) {
        const before = await numbers(model);
        for (const step of ['train', 'evaluate', 'predict'] as const) await model.explain({ step });
        expect(await numbers(model)).toEqual(before);
      }
      const { history } = await model.fit(x, y, { batchSize: 20, epochs: 4, initialEpoch: 2, verbose: 0 });
      return { history, numbers: await numbers(model) };
    };
    expect(await run(true)).toEqual(await run(false));
  },
);

test('without data, blank samples like those of the latest fit, or of the input shape, give the same kernels', async () => {
  const model = network();
  const fresh = await model.explain({ measure: false, batchSize: 16, inputDtype: 'u8' });
  expect(model.metrics).toEqual([]);
  const { x, y } = data();
  await model.fit(x, y, { batchSize: 16, verbose: 0 });
  const after = await model.explain({ measure: false });
  expect(after.batchSize).toBe(16);
  expect(after.kernels.map(({ shader }) => shader)).toEqual(fresh.kernels.map(({ shader }) => shader));
  expect(after.kernels[0].microseconds).toBeNull();
  model.dispose();
});

test('evaluating has fewer kernels than training, predicting fewer still', async () => {
  const model = network();
  const [train, evaluate, predict] = await Promise.all([model.explain({ measure: false })]).then(
    async ([first]) => [
      first,
      await model.explain({ step: 'evaluate', measure: false }),
      await model.explain({ step: 'predict', measure: false }),
    ],
  );
  expect(evaluate.kernels.length).toBeLessThan(train.kernels.length);
  expect(predict.kernels.length).toBeLessThanOrEqual(evaluate.kernels.length);
  expect(predict.kernels.at(-1)!.writes[0].shape).toEqual([32, 10]);
  model.dispose();
});

test('a measurement that fails, or that meets a running fit, changes nothing', async () => {
  const engine = await testEngine({ seed: 3 });
  const { x, y } = data(engine);
  const model = network();
  await model.fit(x, y, { batchSize: 32, verbose: 0 });
  const before = await numbers(model);
  const { profileRun } = engine;
  engine.profileRun = () => Promise.reject(new Error('no more timestamps'));
  await expect(model.explain()).rejects.toThrow(/no more timestamps/);
  engine.profileRun = profileRun;
  expect(await numbers(model)).toEqual(before);

  const live = engine.memory().liveBytes;
  const fitting = model.fit(x, y, { batchSize: 32, epochs: 3, verbose: 0 });
  await expect(model.explain()).rejects.toThrow(/fit is still running/);
  await fitting;
  await model.explain();
  expect(engine.memory().liveBytes).toBe(live);
});

test('a captured step tells its kernels, and times them without running it', async () => {
  const engine = await sharedEngine();
  const w = variable([1, 2, 3], { name: 'w', engine });
  const step = capture(
    (x: Tensor) => {
      w.assign(w.add(x));
      return w.mul(2);
    },
    { engine },
  );
  const x = tensor([1, 1, 1], { engine });
  const { kernels, stepMicroseconds } = await step.profile({}, x);
  expect(kernels.map(({ label }) => label)).toEqual(step.explain().map(({ label }) => label));
  expect(kernels.flatMap(({ reads }) => reads.map(({ name }) => name))).toContain('argument 0');
  expect(stepMicroseconds).toBeGreaterThan(0);
  expect([...(await w.data())]).toEqual([1, 2, 3]);
  expect([...(await (await step(x)).data())]).toEqual([4, 6, 8]);
});

test('a refused explanation says why and changes nothing', async () => {
  const model = sequential([layers.dense(3)]);
  await expect(model.explain()).rejects.toThrow(/not compiled/);
  model.compile({ loss: 'meanSquaredError' });
  await expect(model.explain()).rejects.toThrow(/input shape/);
  expect(model.built).toBe(false);
  await expect(model.explain({ batchSize: 0 })).rejects.toThrow(/batchSize/);
  await expect(model.explain({ step: 'fit' as never })).rejects.toThrow(/'?train/);
  const told = await model.explain({ inputShape: [5], measure: false });
  expect(told.kernels.length).toBeGreaterThan(0);
  model.dispose();
});

test('the table has a line for each kernel and keeps its width', async () => {
  const model = network('adam');
  const told = await model.explain({ batchSize: 32 });
  for (const columns of [80, 100, 110]) {
    const lines = told.toString(columns).trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBe(columns);
    const table = lines.filter((line) => /^[┏┃┡│├└]/.test(line));
    expect(new Set(table.map((line) => line.length))).toEqual(new Set([columns]));
    for (const { index } of told.kernels)
      expect(table.some((line) => line.includes(`│ ${String(index).padStart(2)} │`))).toBe(true);
  }
  expect(told.toString()).toMatch(/Dispatches:.*pipelines/);
  model.dispose();
});
