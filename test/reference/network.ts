/**
 * A stack of dense layers in float64 and plain loops, with its gradient written out by hand: the slow
 * twin of `sequential([...])` with a softmax and a cross-entropy at its end. Imports nothing of Weft.
 *
 * Letters: B batch, I inputs, U units, C classes. Matrices are row-major.
 */
import type { Generator } from './random.ts';

export type Activation = 'linear' | 'relu' | 'sigmoid' | 'tanh';

export interface Dense {
  readonly inputs: number;
  readonly units: number;
  readonly activation: Activation;
  /** [I, U] */
  readonly kernel: Float64Array;
  /** [U] */
  readonly bias: Float64Array;
}

/** y = f(z), and dy/dz as a function of y, which all four allow. */
const activations: Record<Activation, { f(z: number): number; slope(y: number): number }> = {
  linear: { f: (z) => z, slope: () => 1 },
  relu: { f: (z) => Math.max(z, 0), slope: (y) => (y > 0 ? 1 : 0) },
  sigmoid: { f: (z) => 1 / (1 + Math.exp(-z)), slope: (y) => y * (1 - y) },
  tanh: { f: Math.tanh, slope: (y) => 1 - y * y },
};

/** Layers of the given widths, kernels uniform within Glorot's limit, biases within ±0.1, all exact in f32. */
export function denseStack(
  random: Generator,
  inputs: number,
  layers: readonly { readonly units: number; readonly activation: Activation }[],
): Dense[] {
  let from = inputs;
  return layers.map(({ units, activation }) => {
    const limit = Math.sqrt(6 / (from + units));
    const layer = {
      inputs: from,
      units,
      activation,
      kernel: Float64Array.from(random.array(from * units, -limit, limit)),
      bias: Float64Array.from(random.array(units, -0.1, 0.1)),
    };
    from = units;
    return layer;
  });
}

/** [kernel, bias] of every layer in order, as Keras lists weights. */
export const weightsOf = (layers: readonly Dense[]): Float64Array[] =>
  layers.flatMap(({ kernel, bias }) => [kernel, bias]);

/** One layer: y = f(x · kernel + bias). x: [B, I] → y: [B, U]. */
function denseForward({ inputs, units, activation, kernel, bias }: Dense, x: Float64Array): Float64Array {
  const rows = x.length / inputs;
  const y = new Float64Array(rows * units);
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < inputs; i++) {
      const value = x[b * inputs + i];
      if (value === 0) continue; // most pixels are
      for (let u = 0; u < units; u++) y[b * units + u] += value * kernel[i * units + u];
    }
    for (let u = 0; u < units; u++) {
      const at = b * units + u;
      y[at] = activations[activation].f(y[at] + bias[u]);
    }
  }
  return y;
}

/** The values between the layers: x, the result of the first, …, the result of the last. */
export function forward(layers: readonly Dense[], x: Float64Array): Float64Array[] {
  const values = [x];
  for (const layer of layers) values.push(denseForward(layer, values[values.length - 1]));
  return values;
}

/** Row-wise softmax: exp(z - max z) / Σ exp(z - max z). logits: [B, C]. */
export function softmax(logits: Float64Array, classes: number): Float64Array {
  const y = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[row + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      y[row + c] = Math.exp(logits[row + c] - max);
      sum += y[row + c];
    }
    for (let c = 0; c < classes; c++) y[row + c] /= sum;
  }
  return y;
}

/** Per row: log Σ exp(z) - z[label]. logits: [B, C], labels: [B] → [B]. */
export function sparseSoftmaxCrossEntropy(
  logits: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
): Float64Array {
  const losses = new Float64Array(labels.length);
  for (let b = 0; b < labels.length; b++) {
    const row = logits.subarray(b * classes, (b + 1) * classes);
    const max = Math.max(...row);
    let sum = 0;
    for (const z of row) sum += Math.exp(z - max);
    losses[b] = max + Math.log(sum) - row[labels[b]];
  }
  return losses;
}

/** Share of rows whose largest value, the first of equals, is at the label. */
export function accuracy(values: Float64Array, labels: ArrayLike<number>, classes: number): number {
  let hits = 0;
  for (let b = 0; b < labels.length; b++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (values[b * classes + c] > values[b * classes + best]) best = c;
    if (best === labels[b]) hits++;
  }
  return hits / labels.length;
}

export interface Step {
  /** Mean over the batch. */
  readonly loss: number;
  readonly accuracy: number;
  /** One for each of `weightsOf(layers)`. */
  readonly gradients: Float64Array[];
}

/**
 * Gradients for every weight, from `values` as `forward` gives them and the gradient g that arrives at the last
 * layer's result.
 */
export function backward(
  layers: readonly Dense[],
  values: readonly Float64Array[],
  g: Float64Array,
): Float64Array[] {
  const rows = g.length / layers[layers.length - 1].units;
  const gradients: Float64Array[] = [];
  for (let at = layers.length - 1; at >= 0; at--) {
    const { inputs, units, activation, kernel } = layers[at];
    const input = values[at];
    const output = values[at + 1];
    const { slope } = activations[activation];
    // The gradient before the activation.
    const dz = g.map((value, k) => value * slope(output[k]));
    // dw = xᵀ · dz, db = Σ_b dz, dx = dz · kernelᵀ
    const dw = new Float64Array(kernel.length);
    const db = new Float64Array(units);
    const dx = new Float64Array(input.length);
    for (let b = 0; b < rows; b++) {
      for (let u = 0; u < units; u++) db[u] += dz[b * units + u];
      for (let i = 0; i < inputs; i++) {
        const value = input[b * inputs + i];
        let sum = 0;
        for (let u = 0; u < units; u++) {
          const gu = dz[b * units + u];
          dw[i * units + u] += value * gu;
          if (at > 0) sum += gu * kernel[i * units + u];
        }
        dx[b * inputs + i] = sum;
      }
    }
    gradients.unshift(dw, db);
    g = dx;
  }
  return gradients;
}

/**
 * Mean sparse cross-entropy of softmax(last layer), its accuracy, and its gradient for every weight.
 * `sampleWeight` multiplies the losses of the rows; the mean is over their number all the same.
 */
export function lossAndGradients(
  layers: readonly Dense[],
  x: Float64Array,
  labels: ArrayLike<number>,
  sampleWeight?: ArrayLike<number>,
): Step {
  const values = forward(layers, x);
  const logits = values[values.length - 1];
  const classes = layers[layers.length - 1].units;
  const rows = labels.length;

  // dz = weight · (softmax(z) - onehot) / B
  const weightOf = (row: number) => sampleWeight?.[row] ?? 1;
  let g = softmax(logits, classes);
  for (let b = 0; b < rows; b++) g[b * classes + labels[b]] -= 1;
  g = g.map((value, i) => (weightOf(Math.floor(i / classes)) * value) / rows);

  let total = 0;
  for (const [row, loss] of sparseSoftmaxCrossEntropy(logits, labels, classes).entries())
    total += weightOf(row) * loss;
  return {
    loss: total / rows,
    accuracy: accuracy(logits, labels, classes),
    gradients: backward(layers, values, g),
  };
}
