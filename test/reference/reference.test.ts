/** The reference itself, against finite differences and Keras's own numbers. */
import { describe, expect, test } from 'vitest';
import {
  type Activation,
  accuracy,
  denseStack,
  lossAndGradients,
  softmax,
  sparseSoftmaxCrossEntropy,
  weightsOf,
} from './network.ts';
import { adagrad, adam, adamw, type Optimizer, rmsprop, sgd } from './optimizers.ts';
import { generator } from './random.ts';
import { epochMeans, train } from './train.ts';

describe('the reference gradient', () => {
  const stacks: [string, { units: number; activation: Activation }[]][] = [
    ['one linear layer', [{ units: 3, activation: 'linear' }]],
    [
      'sigmoid',
      [
        { units: 5, activation: 'sigmoid' },
        { units: 3, activation: 'linear' },
      ],
    ],
    [
      'relu, tanh',
      [
        { units: 7, activation: 'relu' },
        { units: 5, activation: 'tanh' },
        { units: 3, activation: 'linear' },
      ],
    ],
  ];
  test.each(stacks)('of %s agrees with central differences', (_, shape) => {
    const random = generator(11);
    const layers = denseStack(random, 4, shape);
    const x = Float64Array.from(random.array(6 * 4, -1, 1));
    const labels = Array.from({ length: 6 }, () => random.below(3));
    const sampleWeight = random.array(6, 0, 2);
    const { gradients } = lossAndGradients(layers, x, labels, sampleWeight);
    const epsilon = 1e-6;
    weightsOf(layers).forEach((weight, at) => {
      for (let i = 0; i < weight.length; i++) {
        const kept = weight[i];
        weight[i] = kept + epsilon;
        const above = lossAndGradients(layers, x, labels, sampleWeight).loss;
        weight[i] = kept - epsilon;
        const below = lossAndGradients(layers, x, labels, sampleWeight).loss;
        weight[i] = kept;
        expect(gradients[at][i]).toBeCloseTo((above - below) / (2 * epsilon), 7);
      }
    });
  });
});

describe('the reference cross-entropy', () => {
  test('of the right answer with certainty is 0, of the wrong one the distance of the logits', () => {
    const logits = Float64Array.of(30, 0, 0, 1e4, -1e4, 0);
    const [wrong, right] = sparseSoftmaxCrossEntropy(logits, [1, 0], 3);
    expect(wrong).toBeCloseTo(30, 10);
    expect(right).toBe(0);
  });

  test('has the softmax minus one-hot as gradient, and huge logits give no NaN', () => {
    expect([...softmax(Float64Array.of(-1000, 1000, 5, 5), 2)]).toEqual([0, 1, 0.5, 0.5]);
  });

  test('counts the first of equal values as the answer', () => {
    expect(accuracy(Float64Array.of(4, 4, 1, 2), [1, 1], 2)).toBe(0.5);
    expect(accuracy(Float64Array.of(4, 4, 1, 2), [0, 1], 2)).toBe(1);
  });
});

/** Start w = [1, -2, 3], gradients [.1, -.2, .3] then [.05, .4, -.6]; run through Keras 3.15.1. */
describe('two reference steps give the values of Keras', () => {
  const golden: [string, Optimizer, number[], number[]][] = [
    ['SGD()', sgd(), [0.99900001, -1.99800003, 2.99699998], [0.99849999, -2.00200009, 3.00300002]],
    [
      'SGD(0.01, 0.9, nesterov)',
      sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }),
      [0.99809998, -1.99619997, 2.99429989],
      [0.99633998, -2.00217986, 3.00326991],
    ],
    ['RMSprop()', rmsprop(), [0.99683785, -1.99683774, 2.99683785], [0.99536347, -1.99969482, 2.99969506]],
    ['Adam()', adam(), [0.99900001, -1.99900007, 2.99900007], [0.99806786, -1.99936616, 2.99936628]],
    ['AdamW()', adamw(), [0.99899602, -1.99899209, 2.99898815], [0.99805987, -1.99935019, 2.99934244]],
    ['Adagrad()', adagrad(), [0.99969846, -1.99946547, 2.99931169], [0.99954939, -2.00019574, 3.00012064]],
  ];
  test.each(golden)('%s', (_, optimizer, first, second) => {
    const w = Float64Array.of(1, -2, 3);
    for (const [g, expected] of [
      [Float64Array.of(0.1, -0.2, 0.3), first],
      [Float64Array.of(0.05, 0.4, -0.6), second],
    ] as const) {
      optimizer.apply([w], [g]);
      // Keras computes in f32 and these are its digits: one unit in the last place.
      for (const [i, value] of w.entries())
        expect(Math.abs(value - expected[i])).toBeLessThan(2 ** -23 * Math.abs(value));
    }
  });
});

describe('reference training', () => {
  test('takes batches in file order, the last one smaller, and starts again', () => {
    const random = generator(3);
    const layers = denseStack(random, 2, [{ units: 2, activation: 'linear' }]);
    const x = Float64Array.from(random.array(5 * 2, -1, 1));
    const { sizes, losses } = train(layers, sgd({ learningRate: 0 }), x, [0, 1, 1, 0, 1], {
      batchSize: 2,
      steps: 6,
    });
    expect(sizes).toEqual([2, 2, 1, 2, 2, 1]);
    expect(losses.slice(0, 3)).toEqual(losses.slice(3));
  });

  test('an epoch reports the mean over its samples, not over its batches', () => {
    expect(epochMeans([0, 100], [4, 1], 2)).toEqual([20]);
  });

  test('lowers the loss', () => {
    const random = generator(5);
    const layers = denseStack(random, 8, [
      { units: 16, activation: 'relu' },
      { units: 3, activation: 'linear' },
    ]);
    const x = Float64Array.from(random.array(30 * 8, -1, 1));
    const labels = Array.from({ length: 30 }, () => random.below(3));
    const { losses } = train(layers, adam({ learningRate: 0.01 }), x, labels, { batchSize: 30, steps: 200 });
    expect(losses[199]).toBeLessThan(losses[0] / 3);
  });
});
