/** Activation functions that are written in other ops; relu, elu, sigmoid and the like are rows of unary.ts. */
import { add, div, mul } from './binary.ts';
import { type TensorLike, toTensor } from './constant.ts';
import type { Case, Composite, Tolerance } from './define.ts';
import { elementwise, type NdArray, ndarray } from './reference.ts';
import { cast, clip, greater, less, where } from './select.ts';
import { normalizeAxis } from './shape.ts';
import { softmax } from './softmax.ts';
import type { Attributes, Tensor } from './tensor.ts';
import { erf, erf64, expm1, neg, sigmoid, softplus, tanh } from './unary.ts';

const real = (x: TensorLike): Tensor => cast(toTensor(x), 'f32');

/** x · sigmoid(x), also called swish. */
export function silu(x: TensorLike): Tensor {
  const input = real(x);
  return mul(input, sigmoid(input));
}

/** x · Φ(x) with the normal distribution function itself and no approximation. */
export function gelu(x: TensorLike): Tensor {
  const input = real(x);
  return mul(mul(input, 0.5), add(erf(mul(input, Math.SQRT1_2)), 1));
}

/** x · tanh(softplus(x)) */
export function mish(x: TensorLike): Tensor {
  const input = real(x);
  return mul(input, tanh(softplus(input)));
}

/** x above 0, `negativeSlope` · x below; default 0.2. */
export function leakyRelu(x: TensorLike, negativeSlope = 0.2): Tensor {
  const input = real(x);
  return where(greater(input, 0), input, mul(input, negativeSlope));
}

/** x / 6 + 1/2 kept between 0 and 1, as in Keras 3; Keras 2 and TensorFlow.js have x / 5 + 1/2. */
export const hardSigmoid = (x: TensorLike): Tensor => clip(add(div(real(x), 6), 0.5), 0, 1);

/** x · hardSigmoid(x), also called hardSilu. */
export function hardSwish(x: TensorLike): Tensor {
  const input = real(x);
  return mul(input, hardSigmoid(input));
}

/** x above 0, α · (exp(x / α) − 1) below; `alpha` is 1 by default. */
export function celu(x: TensorLike, alpha = 1): Tensor {
  const input = real(x);
  const below = less(input, 0);
  // No exponential of what is large: 0 times its infinite slope would be NaN.
  return where(below, mul(expm1(div(where(below, input, 0), alpha)), alpha), input);
}

/** softmax(−x) over `axis` (default the last): the smallest gets the largest share. */
export const softmin = (x: TensorLike, axis = -1): Tensor => softmax(neg(real(x)), axis);

// ---- the twins

const tolerance: Tolerance = { relative: 1e-5, absolute: 2e-6 };
const shapes = [[], [0, 3], [2, 1, 43]];

const activationTwin =
  (
    name: string,
    compute: (x: Tensor, attributes: Attributes) => Tensor,
    js: (x: number) => number,
    more: Partial<Case> = {},
  ) =>
  (): Composite => ({
    name,
    compute: ([x], attributes) => compute(x, attributes),
    reference: ([x]) => elementwise(js, x),
    tolerance,
    cases: shapes.map((shape): Case => ({ shapes: [shape], range: [-5, 5], ...more })),
  });

const hardSigmoid64 = (x: number): number => Math.min(Math.max(x / 6 + 0.5, 0), 1);

function softmin64([x]: readonly NdArray[], { axis }: Attributes): NdArray {
  const at = normalizeAxis(axis as number, x.shape.length, 'softmin');
  const stride = x.shape.slice(at + 1).reduce((product, size) => product * size, 1);
  const length = x.shape[at];
  const y = ndarray(x.shape);
  for (let first = 0; first < x.data.length; first++) {
    if (Math.floor(first / stride) % length !== 0) continue;
    const line = Array.from({ length }, (_, l) => Math.exp(-x.data[first + l * stride]));
    const total = line.reduce((sum, one) => sum + one, 0);
    for (const [l, one] of line.entries()) y.data[first + l * stride] = one / total;
  }
  return y;
}

/** For the registry. */
export const twins = [
  activationTwin('silu', silu, (x) => x / (1 + Math.exp(-x))),
  activationTwin('gelu', gelu, (x) => x * 0.5 * (1 + erf64(x * Math.SQRT1_2))),
  activationTwin('mish', mish, (x) => x * Math.tanh(Math.log1p(Math.exp(x))), {
    // WGSL lets tanh be off by 1e-5, and here it stands behind two more functions.
    tolerance: { relative: 3e-5, absolute: 2e-6 },
  }),
  activationTwin(
    'leakyRelu',
    (x, { negativeSlope }) => leakyRelu(x, negativeSlope as number),
    (x) => (x > 0 ? x : 0.3 * x),
    { avoid: [0], attributes: { negativeSlope: 0.3 } },
  ),
  activationTwin('hardSigmoid', hardSigmoid, hardSigmoid64, { avoid: [-3, 3] }),
  activationTwin('hardSwish', hardSwish, (x) => x * hardSigmoid64(x), { avoid: [-3, 3] }),
  activationTwin(
    'celu',
    (x, { alpha }) => celu(x, alpha as number),
    (x) => (x > 0 ? x : 1.5 * Math.expm1(x / 1.5)),
    { avoid: [0], attributes: { alpha: 1.5 } },
  ),
  (): Composite => ({
    name: 'softmin',
    compute: ([x], { axis }) => softmin(x, axis as number),
    reference: softmin64,
    tolerance,
    cases: [
      { shapes: [[4, 10]], attributes: { axis: -1 } },
      { shapes: [[3, 5, 2]], attributes: { axis: 1 } },
    ],
  }),
];
