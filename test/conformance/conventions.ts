/**
 * The 35 cases with more than one defensible answer: what Weft does, and the check that it does so.
 */
import {
  argMax,
  argMin,
  clip,
  elu,
  equal,
  gather,
  gradients,
  layers,
  log,
  matmul,
  max,
  maximum,
  min,
  minimum,
  norm,
  oneHot,
  pow,
  rsqrt,
  sigmoid,
  softmax,
  sqrt,
  type Tensor,
  WeftError,
  where,
} from '../../src/index.ts';
import { type ConformanceCase, expectValues, toTensor, type Values } from './cases.ts';

export interface Decision {
  readonly text: string;
  /** Throws when Weft does something else. Absent where the op does not exist. */
  readonly holds?: (one: ConformanceCase) => void | Promise<void>;
}

const tight = { relative: 1e-5, absolute: 1e-5 };

type Inputs = Record<string, Tensor>;
const inputsOf = ({ inputs }: ConformanceCase): Inputs =>
  Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, toTensor(values)]));

/** The call is refused with a typed error of this code. */
const refused =
  (call: (inputs: Inputs, attrs: ConformanceCase['attrs']) => unknown, code: string) =>
  (one: ConformanceCase) => {
    try {
      call(inputsOf(one), one.attrs);
    } catch (error) {
      if (error instanceof WeftError && error.code === code) return;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

/** Integers are converted: the answer is that of the same numbers as f32. */
const converted = (f: (x: Tensor) => Tensor) => async (one: ConformanceCase) => {
  const [values] = Object.values(one.inputs);
  const [got, wanted] = [f(toTensor(values)), f(toTensor(values, 'float32'))];
  await expectValues(got, { shape: wanted.shape, data: [...(await wanted.data())] }, tight);
};

/** The gradient is the one that the case names in `grads`, TensorFlow.js's. */
const gradient =
  (f: (inputs: Inputs, attrs: ConformanceCase['attrs']) => Tensor, ...wrt: string[]) =>
  async (one: ConformanceCase) => {
    const inputs = inputsOf(one);
    const named = wrt.filter((name) => one.grads[name]);
    const dx = gradients(
      f(inputs, one.attrs),
      named.map((name) => inputs[name]),
      { seed: toTensor(one.dy) },
    );
    for (const [i, name] of named.entries()) await expectValues(dx[i], one.grads[name], tight, 'float32');
  };

/** The value is this one, whatever the case says. */
const value = (f: (inputs: Inputs) => Tensor, wanted: Values) => (one: ConformanceCase) =>
  expectValues(f(inputsOf(one)), wanted, tight);

const real = 'integers are converted to f32';
const power: Decision = {
  text: 'the gradient for the exponent at a base of 0 or below is 0, as in TensorFlow.js',
  holds: (one) => {
    const { base, exp } = one.inputs;
    // The file's exponents are integers, which have no gradient here.
    const real = { ...one, inputs: { base, exp: { ...exp, dtype: 'float32' as const } } };
    return gradient(({ base, exp }) => pow(base, exp), 'base', 'exp')(real);
  },
};
const firstWins = (f: (a: Tensor, b: Tensor) => Tensor): Decision => ({
  text: 'a tie sends its whole gradient to the first operand, as in TensorFlow.js',
  holds: gradient(({ a, b }) => f(a, b), 'a', 'b'),
});
const shared = (f: typeof max): Decision => ({
  text: 'equal extremes share the gradient evenly, as in Keras, where TensorFlow.js gives each of them all of it',
  holds: async (one) => {
    const { x } = inputsOf(one);
    const { axis, keepDims } = one.attrs as { axis?: number | number[]; keepDims?: boolean };
    const [dx] = gradients(f(x, axis, { keepDims }), [x], { seed: toTensor(one.dy) });
    const tied = equal(x, f(x, axis, { keepDims: true }))
      .cast('f32')
      .sum(axis, { keepDims: true });
    await expectValues(dx.mul(tied), one.grads.x, tight, 'float32');
  },
});

const byId: Record<string, Decision> = {
  'matMul.throws.0016': {
    text: 'a vector is no matrix: ShapeError, with the reshape that helps',
    holds: refused(({ a, b }) => matmul(a, b), 'SHAPE'),
  },
  'sigmoid.throws.0228': { text: real, holds: converted(sigmoid) },
  'softmax.throws.0245': { text: real, holds: converted((x) => softmax(x)) },
  'log.throws.0437': { text: real, holds: converted(log) },
  'sqrt.throws.0444': { text: real, holds: converted(sqrt) },
  'elu.throws.0484': { text: real, holds: converted(elu) },
  'rsqrt.throws.0724': { text: real, holds: converted(rsqrt) },
  'clipByValue.throws.0472': {
    text: 'clip with its bounds the wrong way round is a ValueError',
    holds: refused(({ x }, { clipValueMin, clipValueMax }) => clip(x, clipValueMin, clipValueMax), 'VALUE'),
  },
  'oneHot.throws.0542': {
    text: 'whole numbers in f32 are indices',
    holds: value(({ indices }) => oneHot(indices, 2), { shape: [2, 2], data: [1, 0, 0, 1] }),
  },
  'gather.throws.0558': {
    text: 'whole numbers in f32 are indices',
    holds: value(({ x, indices }) => gather(x, indices, 2), { shape: [2, 4, 3], data: Array(24).fill(0) }),
  },
  'gather.throws.0560': {
    text: 'an index below 0 is a ValueError',
    holds: refused(({ x, indices }) => gather(x, indices), 'VALUE'),
  },
  'where.throws.0583': {
    text: 'a number that is not 0 is a true condition',
    holds: value(({ condition, a, b }) => where(condition, a, b), { shape: [4], data: [1, 1, 1, 1] }),
  },
  'norm.throws.0632': {
    text: 'a norm of vectors takes any number for its order, as in NumPy',
    holds: value(({ x }) => norm(x, 3), { shape: [], data: [100 ** (1 / 3)] }),
  },
  'norm.throws.0638': {
    text: 'the spectral norm of matrices is a ConfigError: there is no singular value decomposition',
    holds: refused(({ x }) => norm(x, 2, [0, 1]), 'CONFIG'),
  },
  'layer.flatten.throws.0921': {
    text: 'Flatten takes rank 2 and changes nothing, as in Keras',
    async holds() {
      const x = toTensor({ shape: [2, 3], data: [1, 2, 3, 4, 5, 6] });
      await expectValues(layers.flatten().apply(x), { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }, tight);
    },
  },
  'argMax.forward.0741': {
    text: 'NaN counts as the largest, as in NumPy',
    holds: value(({ x }) => argMax(x), { shape: [], data: [3] }),
  },
  'argMin.forward.0742': {
    text: 'NaN counts as the smallest, as in NumPy',
    holds: value(({ x }) => argMin(x), { shape: [], data: [2] }),
  },
  'argMin.forward.0743': {
    text: 'NaN counts as the smallest, as in NumPy',
    holds: value(({ x }) => argMin(x, -1), { shape: [1, 1], data: [2] }),
  },
  'model.fit.fit.0971': {
    text: 'a final softmax trains on its logits, without clipping, so a saturated loss is larger and goes on learning',
  },
};

const byOp: Record<string, Decision> = {
  'pow.grad': power,
  'maximum.grad': firstWins(maximum),
  'minimum.grad': firstWins(minimum),
  'max.grad': shared(max),
  'min.grad': shared(min),
};

/** The decision for a case, or undefined when nobody has taken it. */
export const decisions = (id: string): Decision | undefined => byId[id] ?? byOp[id.replace(/\.\d+$/, '')];
