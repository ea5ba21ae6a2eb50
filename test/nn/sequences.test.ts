/** Layers for sequences against what Keras 3.15.1 computed (fixtures/record_sequences.py), and what files and bad input do. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  gradients,
  init,
  layers,
  model as network,
  optimizers,
  ShapeError,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import type { Layer } from '../../src/nn/layers/layer.ts';
import { maskOf } from '../../src/nn/layers/masks.ts';
import { withoutNeutral } from '../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../src/nn/saving/own.ts';
import recorded from './fixtures/sequences.json';

beforeEach(async () => {
  await init({ seed: 3 });
});

const nothingOwn = new OwnObjects({});

async function close(x: Tensor, y: unknown, what: string, tolerance = 3e-6): Promise<void> {
  const [a, b] = [[...(await x.data())], (y as number[]).flat(Infinity) as number[]];
  expect(a.length, what).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]))), what).toBeLessThan(tolerance);
}

const make = (className: string, config: object): Layer =>
  layers.fromConfig({ className, config: withoutNeutral(config as never, nothingOwn) });

const optionsShown = (config: Record<string, unknown>): string =>
  [
    'activation',
    'recurrent_activation',
    'use_bias',
    'return_sequences',
    'return_state',
    'go_backwards',
    'reset_after',
    'merge_mode',
  ]
    .filter((key) => key in config)
    .map((key) => `${key} ${config[key]}`)
    .join(', ');

describe('compute what Keras computes: outputs, states, masks, and the gradients of all of it', () => {
  test.each(recorded.cases.map((one) => [`${one.name} (${optionsShown(one.config)})`, one] as const))(
    '%s',
    async (_, one) => {
      const layer = make(one.class_name, one.config);
      const x = tensor(one.x);
      const states = one.states.map((state) => tensor(state as number[][]));
      const mask = one.mask && tensor(one.mask as number[][], { dtype: 'bool' });
      const inputs = states.length > 0 ? [x, ...states] : x;
      layer.buildFor([null, ...x.shape.slice(1)]);
      const shapes = [x, ...states].map(({ shape }) => [null, ...shape.slice(1)]);
      const shape = layer.computeOutputShape(states.length > 0 ? shapes : shapes[0]) as unknown[];
      expect(layer.weights.map((weight) => weight.shape)).toEqual(
        one.weights.map((w) => tensor(w as number[]).shape),
      );
      await layer.setWeights(one.weights.map((w) => tensor(w as number[][])));
      const result = layer.apply(inputs, { mask });
      const outputs = [result].flat() as Tensor[];
      expect(Array.isArray(shape[0]) ? shape : [shape]).toEqual(
        outputs.map((y) => [null, ...y.shape.slice(1)]),
      );
      const loss = outputs
        .map((y, i) => y.mul(tensor(one.seeds[i] as number[][])).sum())
        .reduce((a, b) => a.add(b));
      const wrt = [...layer.trainableWeights, x, ...states];
      const expected = [...one.gradients, one.dx, ...one.dstates];
      const found = gradients(loss, wrt);
      expect(outputs.length).toBe(one.y.length);
      for (const [i, y] of outputs.entries()) {
        await close(y, one.y[i], `output ${i}`);
        const found = maskOf(y);
        if (one.masks[i]) await close(found!, one.masks[i], `mask ${i}`);
        else expect(found).toBe(null);
      }
      for (const [i, g] of found.entries()) await close(g, expected[i], `gradient of ${wrt[i]}`, 1e-5);
    },
  );
});

test('a stateful layer goes on from batch to batch, until its states are reset', async () => {
  const { x, weights, y } = recorded.stateful;
  const layer = layers.gru(2, { stateful: true, returnSequences: true });
  layer.buildFor([null, 3, 3]);
  await layer.setWeights(weights.map((w) => tensor(w as number[][])));
  const half = (i: number): Tensor => tensor(x).slice([0, 3 * i, 0], [2, 3, 3]);
  await close(layer.apply(half(0)), y[0], 'first half');
  await close(layer.apply(half(1)), y[1], 'second half');
  await layer.resetStates();
  await close(layer.apply(half(1)), y[2], 'after the reset');
  expect(() => layer.apply(tensor(x).slice([0, 0, 0], [1, 3, 3]))).toThrow(/batch of 1 came to a stateful/);
});

test('what does not belong together is refused before anything runs', () => {
  const lstm = layers.lstm(2);
  const x = tensor([[[1], [2]]]);
  expect(() => lstm.apply(tensor([[1, 2]]))).toThrow(ShapeError);
  expect(() => lstm.apply(x, { mask: tensor([[true]]) })).toThrow(/mask of shape \[1, 1\]/);
  expect(() => lstm.apply([x, tensor([[1, 2]])])).toThrow(/expected 2 of \[samples, 2\]/);
  expect(() => lstm.apply(x, { initialState: [tensor([[1, 2, 3]]), tensor([[1, 2, 3]])] })).toThrow(
    ShapeError,
  );
  expect(() => layers.bidirectional(layers.lstm(2), { backwardLayer: layers.lstm(2) })).toThrow(
    /both layers go forwards/,
  );
  expect(() => layers.bidirectional(layers.lstm(2), { mergeMode: 'min' as never })).toThrow(
    /'concat', 'sum'/,
  );
  expect(() => layers.timeDistributed(layers.dense(2)).apply(tensor([[1, 2]]))).toThrow(ShapeError);
});

test('what is dropped is the same at all steps, and another in each training call', async () => {
  const layer = layers.simpleRNN(64, {
    recurrentDropout: 0.5,
    useBias: false,
    activation: 'linear',
    returnSequences: true,
  });
  layer.buildFor([null, 3, 1]);
  await layer.setWeights([
    new Float32Array(64),
    Float32Array.from({ length: 64 * 64 }, (_, i) => Number(i % 65 === 0)),
  ]);
  const start = [tensor([Array(64).fill(1)])];
  const run = async () => [
    ...(await layer.apply(tensor([[[0], [0], [0]]]), { training: true, initialState: start }).data()),
  ];
  const [first, second] = [await run(), await run()];
  for (let j = 0; j < 64; j++) {
    const kept = first[j] !== 0;
    expect([first[j], first[64 + j], first[128 + j]]).toEqual(kept ? [2, 4, 8] : [0, 0, 0]);
  }
  expect(first.slice(0, 64)).not.toEqual(second.slice(0, 64));
  const share = first.slice(0, 64).filter((x) => x === 0).length;
  expect(share).toBeGreaterThan(16);
  expect(share).toBeLessThan(48);
});

test('an orthogonal kernel has rows of length 1 that stand upon each other', async () => {
  const layer = layers.lstm(8);
  layer.buildFor([null, 3, 2]);
  const u = [...(await layer.weight('recurrent_kernel').data())];
  const row = (i: number) => u.slice(32 * i, 32 * (i + 1));
  for (let i = 0; i < 8; i++)
    for (let j = 0; j < 8; j++)
      expect(row(i).reduce((sum, x, k) => sum + x * row(j)[k], 0)).toBeCloseTo(Number(i === j), 5);
  expect([...(await layer.weight('bias').data())].slice(6, 18)).toEqual([0, 0, ...Array(8).fill(1), 0, 0]);
});

test('an encoder hands its states to a decoder, in a network as in plain calls', async () => {
  const { x, y } = recorded.models.both;
  const [source, start] = [layers.input([5, 2]), layers.input([4, 2])];
  const encoder = layers.lstm(3, { returnState: true });
  const [, h, c] = encoder.apply(source) as never as [never, never, never];
  const decoder = layers.lstm(3, { returnSequences: true });
  const out = layers.dense(2);
  const whole = network({ inputs: [source, start], outputs: out.apply(decoder.apply([start, h, c])) });
  const [a, b] = x.map((one) => tensor(one));
  const states = (encoder.apply(a) as never as Tensor[]).slice(1);
  const plain = out.apply(decoder.apply(b, { initialState: states }));
  await close(whole.apply([a, b]), [...(await plain.data())], 'the network');
  expect(plain.shape).toEqual([2, 4, 2]);
  expect(y.length).toBe(2);
});

test('sequential models take sequences and name their parts', () => {
  const model = sequential([
    layers.input([100]),
    layers.embedding(500, 16),
    layers.gru(8),
    layers.dense(1, { activation: 'sigmoid' }),
  ]);
  expect(model.countParams()).toBe(8000 + 624 + 9);
  expect(model.layers.map(({ name }) => name.replace(/_\d+$/, ''))).toEqual(['embedding', 'gru', 'dense']);
});

test('masks say what is compared, averaged and normalized in training, and equal rows share a gradient', async () => {
  const { x, y, weights, loss, after, predicted } = recorded.statistics;
  const words = [layers.input([4]), layers.input([4])];
  const sides = words.map((ids, i) => layers.embedding(5 + i, 3, { maskZero: true }).apply(ids));
  const larger = layers.batchNormalization({ momentum: 0.9 }).apply(layers.maximum().apply(sides));
  const smaller = layers
    .batchNormalization({ momentum: 0.5, scale: false })
    .apply(layers.minimum().apply(sides));
  const tops = [
    layers.globalAveragePooling1d().apply(larger),
    layers.globalMaxPooling1d().apply(smaller),
  ] as const;
  const model = network({ inputs: words, outputs: layers.dense(2).apply(layers.concatenate().apply(tops)) });
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.5 }), loss: 'meanSquaredError' });
  await model.setWeights(weights.map((one) => tensor(one)));
  const inputs = x.map((one) => tensor(one, { dtype: 'i32' }));
  const logs = await model.trainOnBatch(inputs, tensor(y));
  expect(Math.abs(logs.loss - loss)).toBeLessThan(1e-6);
  for (const [i, one] of model.getWeights().entries()) await close(one, after[i], `weight ${i}`);
  await close(await model.predict(inputs, { verbose: 0 }), predicted, 'predicted', 1e-5);
});
