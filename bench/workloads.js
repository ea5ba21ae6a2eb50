import { generator } from './random.js';

/**
 * What is measured: four dense networks on 28×28 images, as data, so that every engine gets the same one.
 *
 * All start from the same Glorot-uniform weights and zero biases (`startingWeights`), train with sparse
 * cross-entropy on a final softmax, and report mean loss and accuracy, as Keras's `fit` does.
 * `floors` says what accuracy on the test part is the least to expect after so many steps: `{ steps: accuracy }`.
 * Optimizers have Keras's defaults: rmsprop(0.001, rho 0.9, epsilon 1e-7), sgd(0.01).
 */

const softmax = { units: 10, activation: 'softmax' };

export const workloads = [
  {
    id: 'W1',
    title: '784→10, rmsprop, batch 32',
    layers: [softmax],
    optimizer: 'rmsprop',
    batchSize: 32,
    floors: { 50: 0.5, 250: 0.68, 1000: 0.75 },
  },
  {
    id: 'W2',
    title: '784→100 sigmoid→10, rmsprop, batch 32',
    layers: [{ units: 100, activation: 'sigmoid' }, softmax],
    optimizer: 'rmsprop',
    batchSize: 32,
    floors: { 50: 0.45, 250: 0.68, 1000: 0.75 },
  },
  {
    id: 'W3',
    title: '784→512 relu→10, rmsprop, batch 128',
    layers: [{ units: 512, activation: 'relu' }, softmax],
    optimizer: 'rmsprop',
    batchSize: 128,
    floors: { 20: 0.5, 50: 0.6, 250: 0.72 },
  },
  {
    id: 'W4',
    title: '784→20→20→10 relu, sgd, batch 20',
    layers: [{ units: 20, activation: 'relu' }, { units: 20, activation: 'relu' }, softmax],
    optimizer: 'sgd',
    batchSize: 20,
    floors: { 250: 0.4, 800: 0.58, 2000: 0.68 },
  },
];

export const inputSize = 784;

/** Samples kept resident. As f32 40,000 images are 125 MB, below the 128 MiB binding that llvmpipe offers. */
export const trainSamples = 40_000;
export const testSamples = 2_000;

export const optimizerDefaults = {
  rmsprop: { learningRate: 0.001, rho: 0.9, epsilon: 1e-7 },
  sgd: { learningRate: 0.01 },
};

/** The weights every engine starts from: [kernel [in, out], bias [out], …], Glorot uniform from a fixed seed. */
export function startingWeights(workload) {
  const random = generator(20_240_807);
  const weights = [];
  let inputs = inputSize;
  for (const { units } of workload.layers) {
    const limit = Math.sqrt(6 / (inputs + units));
    weights.push({
      shape: [inputs, units],
      values: Float32Array.from({ length: inputs * units }, () => (2 * random() - 1) * limit),
    });
    weights.push({ shape: [units], values: new Float32Array(units) });
    inputs = units;
  }
  return weights;
}
