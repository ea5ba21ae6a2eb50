/** Steps of optimizers, means of weights, accumulated gradients, schedules and perplexity as real Keras has them. */
import { describe, expect, test } from 'vitest';
import '../../src/graph/methods.ts';
import { capture } from '../../src/graph/capture.ts';
import { layers, metrics, schedules, sequential } from '../../src/index.ts';
import * as optimizers from '../../src/nn/optimizers/index.ts';
import { tensor, type Variable, variable } from '../../src/tensors.ts';
import golden from './fixtures/optimizers.json' with { type: 'json' };

const line = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const cases: [keyof typeof golden.cases, () => optimizers.Optimizer][] = [
  ['muon', () => optimizers.muon(0.02)],
  [
    'muon plain',
    () =>
      optimizers.muon(0.02, {
        nesterov: false,
        rmsRate: null,
        nsSteps: 3,
        excludeEmbeddings: false,
        excludeLayers: ['tall'],
        adamLrRatio: 0.5,
        adamWeightDecay: null,
        momentum: 0.8,
      }),
  ],
  ['adam ema', () => optimizers.adam(0.05, { useEma: true, emaMomentum: 0.7 })],
  [
    'sgd ema overwritten',
    () => optimizers.sgd(0.05, { momentum: 0.9, useEma: true, emaMomentum: 0.7, emaOverwriteFrequency: 3 }),
  ],
  ['adam accumulated', () => optimizers.adam(0.05, { gradientAccumulationSteps: 3, globalClipnorm: 1 })],
  ['nadam accumulated', () => optimizers.nadam(0.05, { gradientAccumulationSteps: 2, weightDecay: 0.1 })],
  [
    'adamw accumulated ema',
    () =>
      optimizers.adamw(
        schedules.exponentialDecay({ initialLearningRate: 0.05, decaySteps: 2, decayRate: 0.5 }),
        { gradientAccumulationSteps: 2, useEma: true, emaMomentum: 0.6, emaOverwriteFrequency: 2 },
      ),
  ],
  [
    'adamw excluded',
    () =>
      optimizers.excludeFromWeightDecay(optimizers.adamw(0.05, { weightDecay: 0.3 }), {
        names: ['bias', '^tal'],
      }),
  ],
];

const farthest = async (variables: readonly Variable[], wanted: readonly (readonly number[])[]) => {
  const values = await Promise.all(variables.map((one) => one.data()));
  return Math.max(
    ...values.flatMap((one, i) => Array.from(one, (x, j) => Math.abs(x - wanted[i][j]) / (1 + Math.abs(x)))),
  );
};

test.each(cases)('seven steps of %s, their state and their end are those of Keras', async (name, make) => {
  const { after, names, state, final } = golden.cases[name];
  const shapes = Object.entries(golden.shapes);
  const variables = shapes.map(([name, shape], i) => variable(line(sizeOf(shape), i), { shape, name }));
  const optimizer = optimizers.averaging(make());
  const step = capture((...gradients) => {
    optimizer.apply(variables, gradients);
  });
  for (let i = 0; i < after.length; i++) {
    await step(
      ...shapes.map(([, shape], j) => tensor(line(sizeOf(shape), 10 * (i + 1) + j), { shape: [...shape] })),
    );
    // Singular values are multiplied by up to 3.4 five times, and what was rounded with them.
    const most = name.startsWith('muon') ? 2e-5 : 2e-6;
    expect(await farthest(variables, after[i]), `step ${i + 1}`).toBeLessThan(most);
  }
  // Under a schedule ours keeps the rate's place.
  const own = optimizer.variables.filter((one) => one.name !== 'learning_rate' || names.includes(one.name));
  const kept = own.map((one) => one.name.replace('u_product', 'variable'));
  expect(kept).toEqual(names);
  expect(await farthest(own, state)).toBeLessThan(2e-5);
  await optimizer.finalizeVariableValues(variables);
  expect(await farthest(variables, final)).toBeLessThan(2e-5);
  step.dispose();
});

test.each(golden.schedules)('cosine decay starts again when Keras does, options $options', async (given) => {
  const rate = schedules.cosineDecayRestarts(given.options as never);
  for (const [i, step] of given.at.entries())
    expect(Math.abs((await rate(tensor(step)).item()) - given.rates[i])).toBeLessThan(1e-7);
});

test('perplexity is e to the cross-entropy of tokens, those to be left out left out', async () => {
  const { tokens, logits, fromLogits, masked } = golden.perplexity;
  const one = metrics.perplexity({ fromLogits: true });
  expect(await one.compute(tokens, logits)).toBeCloseTo(fromLogits, 5);
  const without = metrics.perplexity({ fromLogits: true, maskTokenId: 0 });
  expect(await without.compute(tokens, logits)).toBeCloseTo(masked, 5);
  const weight = tensor(tokens.map((row) => row.map((token) => (token === 0 ? 0 : 1))));
  expect(await one.compute(tokens, logits, weight)).toBeCloseTo(masked, 5);
});

describe('a model whose optimizer takes means of weights', () => {
  test('has the means at the end of fit, and no step of its own without them', async () => {
    const model = sequential([layers.dense({ units: 1, inputShape: [2] })]);
    const optimizer = optimizers.adam({ learningRate: 0.1, useEma: true });
    model.compile({ optimizer, loss: 'mse' });
    expect(() => optimizer.apply([variable([1])], [tensor([1])])).toThrow(
      /optimizers\.averaging\(optimizer\)/,
    );
    await model.fit(tensor([[1, 2]]), tensor([[3]]), { epochs: 3, verbose: 0 });
    const [average] = optimizer.slotsBeside(model.trainableWeights[0]);
    expect(await model.trainableWeights[0].data()).toEqual(await average.data());
  });

  test('refuses what Keras refuses', () => {
    const make = (options: object) => () => optimizers.averaging(optimizers.adam(options));
    expect(make({ gradientAccumulationSteps: 1 })).toThrow(/gradientAccumulationSteps is 1/);
    expect(make({ useEma: true, emaMomentum: 2 })).toThrow(/emaMomentum is 2/);
    expect(() => optimizers.muon({ nsSteps: -1 })).toThrow(/nsSteps is -1/);
    expect(() =>
      schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 10, tMul: 0.5 }),
    ).toThrow(/tMul is 0\.5/);
  });
});
