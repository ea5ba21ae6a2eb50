/** One description, two models: Weft's and the float64 reference's, with the same weights. */
import { layers, type optimizers, sequential, setRandomSeed } from '../../src/index.ts';
import { type Activation, type Dense, denseStack, weightsOf } from '../reference/network.ts';
import { generator } from '../reference/random.ts';

export interface Stack {
  readonly inputs: number;
  readonly layers: readonly { readonly units: number; readonly activation: Activation }[];
}

/** The models of the tutorials: softmax regression, one sigmoid layer of 100, two relu layers of 20. */
export const stacks: Record<string, Stack> = {
  logistic: { inputs: 784, layers: [{ units: 10, activation: 'linear' }] },
  'sigmoid 100': {
    inputs: 784,
    layers: [
      { units: 100, activation: 'sigmoid' },
      { units: 10, activation: 'linear' },
    ],
  },
  'relu 20, 20': {
    inputs: 784,
    layers: [
      { units: 20, activation: 'relu' },
      { units: 20, activation: 'relu' },
      { units: 10, activation: 'linear' },
    ],
  },
};

/** The stack in Weft, its last layer a softmax, compiled for sparse cross-entropy with accuracy. */
export function weftModel(stack: Stack, optimizer: ReturnType<(typeof optimizers)['sgd']> | string) {
  setRandomSeed(1);
  const last = stack.layers.length - 1;
  const model = sequential([
    layers.input({ shape: [stack.inputs] }),
    ...stack.layers.map(({ units, activation }, at) =>
      layers.dense({ units, activation: at === last ? 'softmax' : activation }),
    ),
  ]);
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The same stack in the reference, and its weights as Weft takes them. */
export function referenceModel(stack: Stack, seed: number): { reference: Dense[]; weights: Float32Array[] } {
  const reference = denseStack(generator(seed), stack.inputs, stack.layers);
  return { reference, weights: weightsOf(reference).map((w) => Float32Array.from(w)) };
}

export interface Images {
  /** [N, 784], 0 to 255: about half of them 0, as in Fashion-MNIST. */
  readonly bytes: Uint8Array;
  readonly labels: Uint8Array;
  readonly rows: number;
}

/** Ten noisy prototypes: learnable, and as cheap to make in a page as in Node. */
export function syntheticImages(rows: number, seed: number, inputs = 784, classes = 10): Images {
  const random = generator(seed);
  const prototypes = Array.from({ length: classes }, () =>
    Float64Array.from({ length: inputs }, () => (random.uniform() < 0.5 ? 0 : 255 * random.uniform())),
  );
  const bytes = new Uint8Array(rows * inputs);
  const labels = Uint8Array.from({ length: rows }, () => random.below(classes));
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < inputs; i++) {
      const ink = prototypes[labels[row]][i];
      bytes[row * inputs + i] = ink === 0 ? 0 : Math.min(255, ink * (0.5 + random.uniform()));
    }
  return { bytes, labels, rows };
}
