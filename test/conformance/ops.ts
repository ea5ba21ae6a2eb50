/** The one table that says which of our calls a name of the conformance file stands for. */
import {
  abs,
  add,
  argMax,
  argMin,
  cast,
  clip,
  concat,
  div,
  dot,
  elu,
  equal,
  exp,
  gather,
  greater,
  leakyRelu,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  norm,
  oneHot,
  pow,
  prod,
  reciprocal,
  relu,
  relu6,
  rsqrt,
  ShapeError,
  selu,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  softplus,
  sqrt,
  square,
  squaredDifference,
  sub,
  sum,
  type Tensor,
  tanh,
  tensordot,
  tile,
  transpose,
  variance,
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
  return div(sum(weighted), mul(sum(greater(weights, 0)), losses.size / weights.size));
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

/** A smoothed target lies nearer to 1/2. */
const smoothed = (t: Tensor, s: number) => (s === 0 ? t : add(mul(t, 1 - s), s / 2));

/** Losses of TensorFlow.js: the elements, then weights and reduction. */
const loss =
  (f: (inputs: Inputs, attributes: Attributes) => Tensor) =>
  (inputs: Inputs, attributes: Attributes): Tensor => {
    const [first, second] = Object.entries(inputs)
      .filter(([name]) => name !== 'weights')
      .map(([, x]) => x);
    if (first.shape.join() !== second.shape.join()) throw new ShapeError(`${first} and ${second} differ`);
    return reduceLosses(f(inputs, attributes), inputs.weights, attributes.reduction);
  };

const numberOf = (x: unknown) => (typeof x === 'string' && /Infinity/.test(x) ? Number(x) : x);

/** More names, of the extended cases. */
export const extendedOps: typeof ops = {
  ...ops,
  dot: ({ t1, t2 }) => dot(t1, t2),
  outerProduct: ({ v1, v2 }) => tensordot(v1, v2, 0),
  pow: ({ base, exp }) => pow(base, exp),
  prelu: ({ x, alpha }) => leaky(x, alpha),
  maximum: ({ a, b }) => maximum(a, b),
  minimum: ({ a, b }) => minimum(a, b),
  squaredDifference: ({ a, b }) => squaredDifference(a, b),
  divNoNan: ({ a, b }) => where(equal(b, 0), 0, div(a, b)),
  logSumExp: reduction(logSumExp),
  min: reduction(min),
  prod: reduction(prod),
  argMin: ({ x }, { axis = 0 }) => argMin(x, axis),
  exp: ({ x }) => exp(x),
  log: ({ x }) => log(x),
  sqrt: ({ x }) => sqrt(x),
  rsqrt: ({ x }) => rsqrt(x),
  square: ({ x }) => square(x),
  reciprocal: ({ x }) => reciprocal(x),
  abs: ({ x }) => abs(x),
  neg: ({ x }) => neg(x),
  clipByValue: ({ x }, { clipValueMin, clipValueMax, min, max }) =>
    clip(x, Number(clipValueMin ?? min), Number(clipValueMax ?? max)),
  relu6: ({ x }) => relu6(x),
  elu: ({ x }) => elu(x),
  selu: ({ x }) => selu(x),
  softplus: ({ x }) => softplus(x),
  logSigmoid: ({ x }) => logSigmoid(x),
  leakyRelu: ({ x }, { alpha = 0.2 }) => leakyRelu(x, alpha),
  transpose: ({ x }, { perm }) => transpose(x, perm),
  concat: (inputs, { axis = 0 }) => concat(Object.values(inputs).flat(), axis),
  addN: (inputs) =>
    Object.values(inputs)
      .flat()
      .reduce((sum, x) => add(sum, x)),
  oneHot: ({ indices }, { depth, onValue, offValue }) =>
    // f32 here, as products want it; TensorFlow.js has i32.
    cast(oneHot(indices, depth, onValue, offValue), 'i32'),
  gather: ({ x, indices }, { axis }) => gather(x, indices, axis),
  where: ({ condition, a, b }) => where(condition, a, b),
  norm: ({ x }, { ord, axis, keepDims }) => norm(x, numberOf(ord) as number, axis, { keepDims }),
  tile: ({ x }, { reps }) => tile(x, reps),
  moments: ({ x }, { axis, keepDims, output }) =>
    (output === 'mean' ? mean : variance)(x, axis, { keepDims }),
  'losses.meanSquaredError': loss(({ labels, predictions }) => squaredDifference(labels, predictions)),
  'losses.absoluteDifference': loss(({ labels, predictions }) => abs(sub(labels, predictions))),
  'losses.huberLoss': loss(({ labels, predictions }, { delta = 1 }) => {
    const error = abs(sub(predictions, labels));
    const near = minimum(error, delta);
    return add(mul(square(near), 0.5), mul(sub(error, near), delta));
  }),
  'losses.logLoss': loss(({ labels, predictions }, { epsilon = 1e-7 }) =>
    neg(
      add(
        mul(labels, log(add(predictions, epsilon))),
        mul(sub(1, labels), log(add(sub(1, predictions), epsilon))),
      ),
    ),
  ),
  'losses.sigmoidCrossEntropy': loss(({ multiClassLabels, logits }, { labelSmoothing = 0 }) =>
    sub(softplus(logits), mul(logits, smoothed(multiClassLabels, labelSmoothing))),
  ),
};

/** Ops of the "convention" cases, where more than one answer is defensible. */
export const conventionOps = { ...ops, clip };
