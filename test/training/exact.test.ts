/** Training is exact: with equal weights and batches, Weft's losses are those of the float64 reference. */
import { afterAll, describe, expect, test } from 'vitest';
import { isNode } from '../../src/base/platform.ts';
import { layers, optimizers, sequential, setRandomSeed, tensor } from '../../src/index.ts';
import * as reference from '../reference/optimizers.ts';
import { epochMeans, runningMeans, train } from '../reference/train.ts';
import { isLong } from '../support/long.ts';
import { referenceModel, stacks, syntheticImages, weftModel } from './models.ts';

const tolerance = 1e-4;
const images = syntheticImages(144, 1);
const scaled = Float64Array.from(images.bytes, (byte) => byte / 255);

/** Data stay bytes: the cast and the division melt into the kernel that gathers the batch. */
const x = tensor(images.bytes, { shape: [images.rows, 784] })
  .cast('f32')
  .div(255);
const y = tensor(images.labels);
afterAll(() => {
  x.dispose();
  y.dispose();
});

const pairs = {
  sgd: [() => optimizers.sgd({ learningRate: 0.05 }), () => reference.sgd({ learningRate: 0.05 })],
  momentum: [
    () => optimizers.sgd({ learningRate: 0.02, momentum: 0.9 }),
    () => reference.sgd({ learningRate: 0.02, momentum: 0.9 }),
  ],
  nesterov: [
    () => optimizers.sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true }),
    () => reference.sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true }),
  ],
  rmsprop: [() => optimizers.rmsprop(), () => reference.rmsprop()],
  adam: [() => optimizers.adam(), () => reference.adam()],
  adamw: [() => optimizers.adamw(), () => reference.adamw()],
  adagrad: [
    () => optimizers.adagrad({ learningRate: 0.02 }),
    () => reference.adagrad({ learningRate: 0.02 }),
  ],
} as const;

/**
 * A gradient does not depend on the optimizer, nor an update on the network: every optimizer trains the first network, two
 * of them the others. In a page those of a kind: the rest differ from them in a formula that the same kernels make.
 */
const tried = (stack: number) => {
  const some = stack === 0 ? ['sgd', 'rmsprop', 'adam'] : isNode ? ['momentum', 'adam'] : ['adam'];
  return Object.entries(pairs).filter(([name]) => isLong || (isNode && stack === 0) || some.includes(name));
};

const batchSize = 32;
/** 144 rows are four batches of 32 and one of 16. */
const stepsPerEpoch = 5;
const epochs = 10;

describe.each(Object.entries(stacks).map(([name, stack], i) => [name, stack, i] as const))(
  '%s',
  (_name, stack, i) => {
    test.each(tried(i))(
      'with %s: each loss of 50 steps is that of the float64 reference',
      async (_optimizer, [ours, theirs]) => {
        const { reference, weights } = referenceModel(stack, 7);
        const exact = train(reference, theirs(), scaled, images.labels, {
          batchSize,
          steps: epochs * stepsPerEpoch,
        });

        const run = async (callbacks: object[]) => {
          const model = weftModel(stack, ours());
          await model.setWeights(weights);
          const { history } = await model.fit(x, y, {
            batchSize,
            epochs,
            shuffle: false,
            verbose: 0,
            callbacks,
          });
          return { history, weights: await Promise.all(model.getWeights().map((w) => w.data())) };
        };

        const replayed = await run([]);
        const { losses, accuracies, sizes } = exact;
        for (const [epoch, loss] of epochMeans(losses, sizes, stepsPerEpoch).entries())
          expect(Math.abs(replayed.history.loss[epoch] - loss), `loss of epoch ${epoch + 1}`).toBeLessThan(
            tolerance,
          );
        for (const [epoch, accuracy] of epochMeans(accuracies, sizes, stepsPerEpoch).entries())
          expect(replayed.history.accuracy[epoch]).toBeCloseTo(accuracy, 5);

        // A callback that asks for every batch gets the running mean of its epoch, and changes nothing.
        const told: number[] = [];
        const stepwise = await run([
          { onTrainBatchEnd: (_batch: number, { loss }: { loss: number }) => void told.push(loss) },
        ]);
        for (const [step, loss] of runningMeans(losses, sizes, stepsPerEpoch).entries())
          expect(Math.abs(told[step] - loss), `running loss after step ${step + 1}`).toBeLessThan(tolerance);
        expect(stepwise).toEqual(replayed);
      },
    );

    test('single steps with trainOnBatch report the loss of the float64 reference', async () => {
      const { reference: exactLayers, weights } = referenceModel(stack, 8);
      const model = weftModel(stack, optimizers.rmsprop());
      await model.setWeights(weights);
      const steps = 10;
      const exact = train(
        exactLayers,
        reference.rmsprop(),
        scaled.subarray(0, 128 * 784),
        images.labels.subarray(0, 128),
        {
          batchSize,
          steps,
        },
      );
      for (let step = 0; step < steps; step++) {
        const from = (step % 4) * 32;
        const { loss, accuracy } = await model.trainOnBatch(
          tensor(Float32Array.from(scaled.subarray(from * 784, (from + 32) * 784)), { shape: [32, 784] }),
          tensor(images.labels.subarray(from, from + 32)),
        );
        expect(Math.abs(loss - exact.losses[step]), `loss of step ${step + 1}`).toBeLessThan(tolerance);
        expect(accuracy).toBeCloseTo(exact.accuracies[step], 6);
      }
    });
  },
);

describe('weights of samples', () => {
  const stack = stacks['relu 20, 20'];
  const classWeight = Object.fromEntries(
    Array.from({ length: 10 }, (_, label) => [label, 0.25 * (label + 1)]),
  );
  const sampleWeight = Float32Array.from(images.labels, (label) => classWeight[label]);
  const run = async (options: object) => {
    const model = weftModel(stack, 'rmsprop');
    await model.setWeights(referenceModel(stack, 9).weights);
    const { history } = await model.fit(x, y, { batchSize, epochs, shuffle: false, verbose: 0, ...options });
    return { history, weights: await Promise.all(model.getWeights().map((w) => w.data())) };
  };

  test('multiply the losses, whose mean is over the number of samples', async () => {
    const { history } = await run({ sampleWeight });
    const exact = train(referenceModel(stack, 9).reference, reference.rmsprop(), scaled, images.labels, {
      batchSize,
      steps: epochs * stepsPerEpoch,
      sampleWeight,
    });
    for (const [epoch, loss] of epochMeans(exact.losses, exact.sizes, stepsPerEpoch).entries())
      expect(Math.abs(history.loss[epoch] - loss), `loss of epoch ${epoch + 1}`).toBeLessThan(tolerance);
  });

  test('are the same, bit for bit, when the classes have them', async () => {
    expect(await run({ classWeight })).toEqual(await run({ sampleWeight }));
  });
});

test('one batch can be overfitted', async () => {
  const stack = stacks['relu 20, 20'];
  const model = weftModel(stack, optimizers.adam({ learningRate: 0.01 }));
  await model.setWeights(referenceModel(stack, 3).weights);
  const few = tensor(images.bytes.subarray(0, 32 * 784), { shape: [32, 784] })
    .cast('f32')
    .div(255);
  const { history } = await model.fit(few, tensor(images.labels.subarray(0, 32)), {
    epochs: 100,
    verbose: 0,
  });
  expect(history.loss.at(-1)).toBeLessThan(0.01);
  expect(history.accuracy.at(-1)).toBe(1);
});

test('F22 the same seed gives the same bits, shuffling and dropout included', async () => {
  const run = async () => {
    setRandomSeed(1);
    const model = sequential([
      layers.input({ shape: [784] }),
      layers.dense({ units: 20, activation: 'relu' }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    model.compile({ optimizer: 'rmsprop', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    const { history } = await model.fit(x, y, { batchSize, epochs, verbose: 0 });
    return { history, weights: await Promise.all(model.getWeights().map((w) => w.data())) };
  };
  const first = await run();
  const second = await run();
  expect(second).toEqual(first);
});
