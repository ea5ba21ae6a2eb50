/** The one table that says which of our calls a name of the conformance file stands for. */
import {
  add,
  argMax,
  clip,
  div,
  elu,
  greater,
  logSoftmax,
  matmul,
  max,
  mean,
  mul,
  relu,
  relu6,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  sub,
  sum,
  type Tensor,
  tanh,
  where,
} from '../../src/index.ts';

type Inputs = Record<string, Tensor>;
// biome-ignore lint/suspicious/noExplicitAny: attributes as the file has them.
type Attributes = Record<string, any>;

const reduction =
  (f: (x: Tensor, axis?: number | number[], options?: { keepDims?: boolean }) => Tensor) =>
  ({ x }: Inputs, { axis, keepDims }: Attributes) =>
    f(x, axis, { keepDims });

/** x above 0, slope · x below. */
const leaky = (x: Tensor, slope: Tensor | number) => where(greater(x, 0), x, mul(x, slope));

const activations: Record<string, (x: Tensor, inputs: Inputs, attributes: Attributes) => Tensor> = {
  linear: (x) => x,
  relu,
  relu6,
  elu,
  sigmoid,
  prelu: (x, { preluActivationWeights }) => leaky(x, preluActivationWeights),
  leakyrelu: (x, _inputs, { leakyreluAlpha = 0.2 }) => leaky(x, leakyreluAlpha),
};

/** TensorFlow.js: 0 none, 1 mean weighted by the weights, 2 sum, 3 (default) sum over the weights that are not 0. */
function reduceLosses(losses: Tensor, weights: Tensor | undefined, reduction = 3): Tensor {
  const weighted = weights ? mul(losses, weights) : losses;
  if (reduction === 0) return weighted;
  if (reduction === 2) return sum(weighted);
  if (!weights) return mean(weighted);
  if (reduction === 1) return div(sum(weighted), mul(sum(weights), losses.size / weights.size));
  return div(sum(weighted), sum(greater(weights, 0)));
}

export const ops: Record<string, (inputs: Inputs, attributes: Attributes) => Tensor> = {
  add: ({ a, b }) => add(a, b),
  sub: ({ a, b }) => sub(a, b),
  mul: ({ a, b }) => mul(a, b),
  div: ({ a, b }) => div(a, b),
  matMul: ({ a, b }, { transposeA, transposeB }) => matmul(a, b, { transposeA, transposeB }),
  'fused.matMul': ({ a, b, bias, ...more }, { transposeA, transposeB, activation = 'linear', ...rest }) => {
    const product = matmul(a, b, { transposeA, transposeB });
    return activations[activation](bias ? add(product, bias) : product, more, rest);
  },
  relu: ({ x }) => relu(x),
  sigmoid: ({ x }) => sigmoid(x),
  tanh: ({ x }) => tanh(x),
  softmax: ({ logits }, { dim }) => softmax(logits, dim),
  logSoftmax: ({ logits }, { axis }) => logSoftmax(logits, axis),
  sum: reduction(sum),
  mean: reduction(mean),
  max: reduction(max),
  // TensorFlow.js reduces the first axis when none is named.
  argMax: ({ x }, { axis = 0 }) => argMax(x, axis),
  'losses.softmaxCrossEntropy': (
    { onehotLabels, logits, weights },
    { labelSmoothing: s = 0, reduction: r },
  ) => {
    const classes = onehotLabels.shape.at(-1) as number;
    const target = s === 0 ? onehotLabels : add(mul(onehotLabels, 1 - s), s / classes);
    return reduceLosses(softmaxCrossEntropy(logits, target), weights, r);
  },
};

/** Ops of the "convention" cases, where more than one answer is defensible. */
export const conventionOps = { ...ops, clip };
