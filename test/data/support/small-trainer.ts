/** A plain-loops classifier of at most one hidden layer (relu), trained by rmsprop: the judge of a data set. */

import { RandomSequence } from '../../../src/base/random.ts';
import type { LabelledImages } from '../../../src/data/labelled-images.ts';

const CLASSES = 10;
const BATCH = 32;

/** A layer with its gradient sums and rmsprop's running mean squares; kernel: [inputs, outputs]. */
class Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float32Array;
  private readonly gradient: Float32Array;
  private readonly squares: Float32Array;

  constructor(inputs: number, outputs: number, random: RandomSequence) {
    this.inputs = inputs;
    this.outputs = outputs;
    const limit = Math.sqrt(6 / (inputs + outputs));
    // The bias is the kernel's last row, for an input that is always 1.
    this.weights = Float32Array.from({ length: (inputs + 1) * outputs }, (_, i) =>
      i < inputs * outputs ? random.between(-limit, limit) : 0,
    );
    this.gradient = new Float32Array(this.weights.length);
    this.squares = new Float32Array(this.weights.length);
  }

  /** y = x · W + b */
  forward(x: Float32Array, y: Float32Array): void {
    const { inputs, outputs, weights } = this;
    for (let j = 0; j < outputs; j++) y[j] = weights[inputs * outputs + j];
    for (let i = 0; i < inputs; i++) {
      if (x[i] === 0) continue;
      for (let j = 0, k = i * outputs; j < outputs; j++, k++) y[j] += x[i] * weights[k];
    }
  }

  /** dW += xᵀ · g; dx = g · Wᵀ where wanted. */
  backward(x: Float32Array, g: Float32Array, dx?: Float32Array): void {
    const { inputs, outputs, weights, gradient } = this;
    for (let j = 0; j < outputs; j++) gradient[inputs * outputs + j] += g[j];
    for (let i = 0; i < inputs; i++) {
      if (dx) dx[i] = 0;
      if (x[i] !== 0) for (let j = 0, k = i * outputs; j < outputs; j++, k++) gradient[k] += x[i] * g[j];
      if (dx) for (let j = 0, k = i * outputs; j < outputs; j++, k++) dx[i] += weights[k] * g[j];
    }
  }

  update(batch: number): void {
    const { weights, gradient, squares } = this;
    for (let i = 0; i < weights.length; i++) {
      const g = gradient[i] / batch;
      squares[i] = 0.9 * squares[i] + 0.1 * g * g;
      weights[i] -= (0.001 * g) / (Math.sqrt(squares[i]) + 1e-7);
    }
    gradient.fill(0);
  }
}

/** Test accuracy after training; `hidden` 0 is a linear model. */
export function trainedAccuracy(
  train: LabelledImages,
  held: LabelledImages,
  hidden: number,
  epochs: number,
): number {
  const random = new RandomSequence(1, 0);
  const size = train.height * train.width;
  const first = new Dense(size, hidden || CLASSES, random);
  const second = hidden ? new Dense(hidden, CLASSES, random) : undefined;
  const x = new Float32Array(size);
  const h = new Float32Array(first.outputs);
  const dh = new Float32Array(first.outputs);
  const z = second ? new Float32Array(CLASSES) : h;

  const predict = ({ images }: LabelledImages, at: number): void => {
    for (let i = 0; i < size; i++) x[i] = images[at * size + i] / 255;
    first.forward(x, h);
    if (!second) return;
    for (let j = 0; j < h.length; j++) if (h[j] < 0) h[j] = 0;
    second.forward(h, z);
  };

  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let at = 0; at < train.count; at++) {
      predict(train, at);
      // dz = softmax(z) − onehot
      const highest = Math.max(...z);
      let sum = 0;
      for (let j = 0; j < CLASSES; j++) {
        z[j] = Math.exp(z[j] - highest);
        sum += z[j];
      }
      for (let j = 0; j < CLASSES; j++) z[j] = z[j] / sum - (j === train.labels[at] ? 1 : 0);
      if (second) {
        second.backward(h, z, dh);
        for (let j = 0; j < h.length; j++) if (h[j] === 0) dh[j] = 0;
      }
      first.backward(x, second ? dh : z);
      if ((at + 1) % BATCH === 0) {
        first.update(BATCH);
        second?.update(BATCH);
      }
    }
  }

  let right = 0;
  for (let at = 0; at < held.count; at++) {
    predict(held, at);
    if (z.indexOf(Math.max(...z)) === held.labels[at]) right++;
  }
  return right / held.count;
}
