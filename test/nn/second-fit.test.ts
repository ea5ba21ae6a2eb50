/** A second run over samples of the same form traces and plans nothing, whichever feed they come from, and is right. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  data,
  type Engine,
  init,
  layers,
  type Model,
  optimizers,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { countCalls } from '../training/counters.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await init({ seed: 4 });
});

const COUNT = 22;
const rows = (from: number) => Float32Array.from({ length: COUNT * 3 }, (_, i) => Math.sin(from + i));
const targets = (from: number) => Float32Array.from({ length: COUNT }, (_, i) => Math.cos(from + i));
const quiet = { verbose: 0, batchSize: 4 } as const;

/** A model that counts how often it is traced for a batch. */
function counted() {
  const seen = { traces: 0 };
  const count = layers.custom({
    call(x: Tensor) {
      if (x.shape[0] > 1) seen.traces++;
      return x;
    },
  });
  const model = sequential([
    layers.input([3]),
    count,
    layers.dense(5, { activation: 'tanh' }),
    layers.dense(1),
  ]);
  model.compile({ optimizer: optimizers.adam(0.05), loss: 'mse', metrics: ['mae'] });
  return { model, seen };
}

/** What a run traces, compiles and plans; a plan has a buffer of uniforms. */
async function costs(seen: { traces: number }, run: () => Promise<unknown>) {
  const before = seen.traces;
  const { calls, stop } = countCalls(engine);
  try {
    await run();
    return { traces: seen.traces - before, pipelines: calls.pipelines, buffers: calls.buffers };
  } finally {
    stop();
  }
}
const nothing = { traces: 0, pipelines: 0, buffers: 0 };
const weightsOf = (model: Model) => Promise.all(model.weights.map((w) => w.array()));
const matrix = (numbers: Float32Array) => tensor(numbers, { shape: [COUNT, 3] });

describe('a second fit', () => {
  const column = (from: number) => ({ data: rows(from), shape: [COUNT, 3] });
  const feeds: Record<string, (from: number) => [unknown, unknown, object]> = {
    'of arrays': (from) => [column(from), targets(from), quiet],
    'of tensors, with weights and validation': (from) => [
      matrix(rows(from)),
      tensor(targets(from)),
      { ...quiet, sampleWeight: targets(from).map(Math.abs), validationSplit: 0.3 },
    ],
    'of streamed samples': (from) => [column(from), targets(from), { ...quiet, stream: true }],
    'of a dataset of rows': (from) => [
      data.Dataset.fromTensorSlices([column(from), targets(from)] as never)
        .shuffle(COUNT, 3)
        .batch(4),
      undefined,
      { verbose: 0 },
    ],
    'of generated batches': (from) => [
      data.Dataset.fromTensorSlices([column(from), targets(from)] as never)
        .map((row: unknown) => row)
        .batch(5),
      undefined,
      { verbose: 0 },
    ],
  };
  test.each(Object.keys(feeds))('%s plans nothing, and trains on its own data', async (name) => {
    const train = (on: Model, from: number) => {
      const [x, y, options] = feeds[name](from);
      return (on.fit as (...given: unknown[]) => Promise<unknown>)(x, y, options);
    };
    setRandomSeed(4);
    const { model, seen } = counted();
    await train(model, 0);
    expect(await costs(seen, () => train(model, 100))).toEqual(nothing);
    setRandomSeed(4);
    const { model: anew } = counted();
    await train(anew, 0);
    anew.loops.train.drop();
    await train(anew, 100);
    expect(await weightsOf(model)).toEqual(await weightsOf(anew));
  });

  test('after a change of form, settings or network plans anew, and goes back to what waits', async () => {
    const { model, seen } = counted();
    const [x, y] = [matrix(rows(0)), tensor(targets(0))];
    await model.fit(x, y, quiet);
    expect((await costs(seen, () => model.fit(x, y, { ...quiet, batchSize: 8 }))).traces).toBe(2);
    expect(await costs(seen, () => model.fit(x, y, quiet))).toEqual(nothing);
    expect(await costs(seen, () => model.fit(x, y, { ...quiet, batchSize: 8 }))).toEqual(nothing);
    model.layers[1].trainable = false;
    const frozen = await model.weights[0].array();
    expect((await costs(seen, () => model.fit(x, y, quiet))).traces).toBe(2);
    expect(await model.weights[0].array()).toEqual(frozen);
    model.compile({ optimizer: 'sgd', loss: 'mae' });
    expect((await costs(seen, () => model.fit(x, y, quiet))).traces).toBe(2);
  });

  test('finds labels and inputs that are one tensor, and another engine, as they are', async () => {
    const make = () => {
      const model = sequential([layers.input([3]), layers.dense(3, { kernelInitializer: 'ones' })]);
      model.compile({ optimizer: optimizers.sgd(0.01), loss: 'mse' });
      return model;
    };
    const [model, x, other] = [make(), matrix(rows(0)), matrix(rows(9))];
    const first = await model.evaluate(x, x, quiet);
    await model.evaluate(x, other, quiet);
    const right = await make().evaluate(other, other, quiet);
    expect(await model.evaluate(x, x, quiet)).toEqual(first);
    expect(await model.evaluate(other, other, quiet)).toEqual(right);
    x.dispose();
    await expect(model.evaluate(x, x, quiet)).rejects.toThrow(/disposed/);
    expect(await model.evaluate(other, other, quiet)).toEqual(right);
  });

  test('of evaluate as well', async () => {
    const { model, seen } = counted();
    await model.evaluate(matrix(rows(0)), targets(0), quiet);
    const x = matrix(rows(50));
    const y = tensor(targets(50));
    await Promise.all([x.data(), y.data()]);
    const found: unknown[] = [];
    expect(await costs(seen, async () => found.push(await model.evaluate(x, y, quiet)))).toEqual(nothing);
    const error = model.apply(x).reshape([COUNT]).sub(y);
    expect((found[0] as { loss: number }).loss).toBeCloseTo(await error.square().mean().item(), 5);
  });
});
