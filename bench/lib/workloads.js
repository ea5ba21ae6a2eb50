import { generator } from './random.js';

/**
 * What is measured: dense networks on 28×28 images, as data, so that every engine gets the same one.
 *
 * All start from the same Glorot-uniform weights and zero biases (`startingWeights`), train with sparse
 * cross-entropy on a final softmax, and report mean loss and accuracy, as Keras's `fit` does.
 * `floors` says what accuracy on the test part is the least to expect after so many steps: `{ steps: accuracy }`.
 * `checkSteps`: how many steps are held against the float64 reference.
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
    checkSteps: 5,
    floors: { 50: 0.5, 250: 0.68, 1000: 0.75 },
  },
  {
    id: 'W2',
    title: '784→100 sigmoid→10, rmsprop, batch 32',
    layers: [{ units: 100, activation: 'sigmoid' }, softmax],
    optimizer: 'rmsprop',
    batchSize: 32,
    checkSteps: 5,
    floors: { 50: 0.45, 250: 0.68, 1000: 0.75 },
  },
  {
    id: 'W3',
    title: '784→512 relu→10, rmsprop, batch 128',
    layers: [{ units: 512, activation: 'relu' }, softmax],
    optimizer: 'rmsprop',
    batchSize: 128,
    checkSteps: 5,
    floors: { 20: 0.5, 50: 0.6, 250: 0.72 },
  },
  {
    id: 'W4',
    title: '784→20→20→10 relu, sgd, batch 20',
    layers: [{ units: 20, activation: 'relu' }, { units: 20, activation: 'relu' }, softmax],
    optimizer: 'sgd',
    batchSize: 20,
    checkSteps: 5,
    floors: { 250: 0.4, 800: 0.58, 2000: 0.68 },
  },
  ...[32, 256, 1024].map((batchSize) => ({
    id: `M${batchSize}`,
    title: `784→1024→1024→1024→10 relu, sgd, batch ${batchSize}`,
    layers: [...Array(3).fill({ units: 1024, activation: 'relu' }), softmax],
    optimizer: 'sgd',
    batchSize,
    // Plain float64 loops over 3 million weights: 6 million multiply-adds per sample.
    checkSteps: batchSize === 32 ? 5 : 2,
    floors: { 50: 0.25, 250: 0.5 },
  })),
];

/** The four of the targets. */
export const everyday = ['W1', 'W2', 'W3', 'W4'];

/**
 * A network for the curves of scaling: `depth` hidden layers of `width`. `samples`: so large is the data set, however few
 * steps are taken; `stream`: as Weft's `fit` takes it.
 */
export const scaled = ({ batchSize, width, depth, samples, stream }) => ({
  samples,
  stream,
  id: `${depth}×${width}, batch ${batchSize}`,
  title: `784→${depth}×${width} relu→10, sgd, batch ${batchSize}`,
  layers: [...Array(depth).fill({ units: width, activation: 'relu' }), softmax],
  optimizer: 'sgd',
  batchSize,
  checkSteps: 1,
  floors: {},
});

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

/**
 * What one training step cannot do without, whoever computes it.
 *
 * flops: 2 · batch · in · out for each layer's forward product, for dW, and for dX of all layers but the first.
 * bytes: the batch's packed pixels, twice (forward, dW); each weight read forward (and for dX), each weight and each
 * slot of the optimizer read and written once. What lies between (activations, gradients) can stay in registers.
 */
export function necessities({ layers, optimizer, batchSize }) {
  let flops = 0;
  let bytes = 2 * batchSize * inputSize;
  let inputs = inputSize;
  for (const [l, { units }] of layers.entries()) {
    const products = l === 0 ? 2 : 3;
    flops += products * 2 * batchSize * inputs * units;
    const parameters = (inputs + 1) * units;
    const slots = optimizer === 'sgd' ? 0 : 1;
    bytes += 4 * parameters * ((l === 0 ? 1 : 2) + 2 * (1 + slots));
    inputs = units;
  }
  return { flops, bytes };
}
