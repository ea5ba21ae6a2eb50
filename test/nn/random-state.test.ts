/** Random numbers move on, from model to model, from fit to fit and from draw to draw, and come again from a seed or a file. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  capture,
  data,
  type Engine,
  init,
  layers,
  loadModel,
  type Model,
  ones,
  optimizers,
  random,
  sequential,
  setRandomSeed,
  type Tensor,
  tensor,
} from '../../src/index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await init({ seed: 9 });
});
afterEach(() => setRandomSeed(9));

const numbers = async (x: Tensor) => [...(await x.data())];
const make = () => sequential([layers.dense({ units: 2, inputShape: [3] }), layers.dropout(0.5)]);
const weightsOf = (model: Model) => numbers(model.weights[0]);

describe('models of one form', () => {
  test('begin with different weights, the same again from the same seed', async () => {
    const all = await Promise.all([make(), make(), make()].map(weightsOf));
    expect(new Set(all.map(String)).size).toBe(3);
    setRandomSeed(9);
    expect(await weightsOf(make())).toEqual(all[0]);
    expect(await weightsOf(make())).toEqual(all[1]);
    setRandomSeed(10);
    expect(await weightsOf(make())).not.toEqual(all[0]);
  });

  test('drop different values', async () => {
    const x = ones([4, 3]);
    const dropped = async () => {
      const model = sequential([layers.input([3]), layers.dropout(0.5)]);
      return numbers(model.apply(x, { training: true }));
    };
    expect(await dropped()).not.toEqual(await dropped());
  });

  test('a model inside one differs from its neighbour', async () => {
    const [a, b] = [make(), make()];
    sequential([layers.input([3]), a]);
    sequential([layers.input([3]), b]);
    expect(await weightsOf(a)).not.toEqual(await weightsOf(b));
  });
});

/** A model that learns nothing, and the order in which it saw targets 1 to 6. */
function still() {
  const model = sequential([
    layers.dense({ units: 1, inputShape: [1], useBias: false, kernelInitializer: 'zeros' }),
    layers.dropout(0.25),
  ]);
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: 'mae' });
  return model;
}
async function orders(model: Model, options: object = {}, source?: unknown): Promise<string[]> {
  const found: string[] = [];
  let last = 0;
  const callbacks = {
    onEpochBegin() {
      found.push('');
      last = 0;
    },
    onTrainBatchEnd(batch: number, { loss }: Readonly<Record<string, number>>) {
      found[found.length - 1] += Math.round(loss * (batch + 1) - last);
      last = loss * (batch + 1);
    },
  };
  const inputs = Array.from({ length: 6 }, () => [0]);
  const given = { verbose: 0 as const, callbacks, ...options };
  await (source
    ? model.fit(source as never, given as never)
    : model.fit(inputs, [1, 2, 3, 4, 5, 6], { batchSize: 1, ...given }));
  return found;
}

describe('fits', () => {
  test('go on shuffling where the last one ended, as one long fit does', async () => {
    const model = still();
    const apart = [...(await orders(model)), ...(await orders(model, { epochs: 2 }))];
    expect(new Set(apart).size).toBe(3);
    setRandomSeed(9);
    expect(await orders(still(), { epochs: 3 })).toEqual(apart);
    // Numbering epochs on is the same thing.
    setRandomSeed(9);
    const numbered = still();
    await orders(numbered);
    expect(await orders(numbered, { initialEpoch: 1, epochs: 3 })).toEqual(apart.slice(1));
  });

  test('of a dataset that shuffles go on as well, in parts of passes too', async () => {
    const rows = { x: tensor([[0], [0], [0], [0], [0], [0]]), y: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const set = data.Dataset.fromTensorSlices(rows as never)
      .shuffle(6, 4)
      .batch(1);
    for (const source of [set, set.map((row: unknown) => row) as never]) {
      const model = still();
      const [first, second] = [...(await orders(model, {}, source)), ...(await orders(model, {}, source))];
      expect(first).not.toBe(second);
      expect([...first].sort().join('')).toBe('123456');
    }
    setRandomSeed(9);
    const parts = still();
    const halves = await orders(parts, { epochs: 4, stepsPerEpoch: 3 });
    setRandomSeed(9);
    const whole = still();
    expect([halves[0] + halves[1], halves[2] + halves[3]]).toEqual(await orders(whole, { epochs: 2 }));
    expect(await orders(parts)).toEqual(await orders(whole));
  });

  test('of a model from a file go on with the very same orders and masks', async () => {
    const part = sequential([layers.input([2]), layers.dropout(0.5)]);
    const made = () => {
      // Not the first model, and one inside that was made before.
      make();
      const model = sequential([layers.input([2]), part, layers.dense(1)]);
      model.compile({ optimizer: 'sgd', loss: 'mse' });
      return model;
    };
    const model = made();
    const [x, y] = [random.uniform([12, 2]), random.uniform([12, 1])];
    await Promise.all([x.data(), y.data()]);
    await model.fit(x, y, { verbose: 0, batchSize: 4, epochs: 2 });
    const again = await loadModel(await model.toBytes());
    const more = { verbose: 0, batchSize: 4 } as const;
    const [a, b] = [await model.fit(x, y, more), await again.fit(x, y, more)];
    expect(b.history).toEqual(a.history);
    expect(await numbers(again.weights[0])).toEqual(await numbers(model.weights[0]));
  });
});

describe('draws that nobody keyed', () => {
  test('differ from call to call, and come again from the same seed', async () => {
    const drawn = async () => [await numbers(random.uniform([3])), await numbers(random.normal([3]))];
    const [first, second] = [await drawn(), await drawn()];
    expect(second).not.toEqual(first);
    setRandomSeed(9);
    expect(await drawn()).toEqual(first);
    expect(await numbers(random.uniform([3], { seed: 7 }))).toEqual(
      await numbers(random.uniform([3], { seed: 7 })),
    );
  });

  test('differ from run to run of a captured step, whatever shapes it is traced for, replayed or not', async () => {
    const runs = async (debug?: { noReplay: boolean }) => {
      setRandomSeed(9);
      const own = debug ? await init({ ...(debug && { debug }) }) : engine;
      const step = capture((x: Tensor) => [x.mul(random.uniform([2])), random.uniform([2])], { engine: own });
      const found: number[][] = [];
      for (const rows of [1, 1, 3, 1]) {
        const [product, alone] = await step(ones([rows, 2]));
        found.push((await numbers(product)).slice(0, 2), await numbers(alone));
      }
      if (debug) await own.close();
      return found;
    };
    const found = await runs();
    expect(new Set(found.map(String)).size).toBe(8);
    expect(await runs({ noReplay: true })).toEqual(found);
  });

  test('setRandomSeed refuses what is no seed', () => {
    for (const bad of [-1, 1.5, 2 ** 32, Number.NaN, '1'])
      expect(() => setRandomSeed(bad as number)).toThrow(/seed is/);
  });
});
