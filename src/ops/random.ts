/** Random numbers: functions of a seed, a stream and a counter, the same on every device. */
import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { philox, toUniform } from '../base/random.ts';
import { FIRST_DRAW, nextOf, seedInUse } from '../base/seed.ts';
import { random } from '../shaders/functions.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { apply, defineOp, noGradient, type Op, type Tolerance, twin } from './define.ts';
import { build } from './reference.ts';
import { checkShape, type Shape } from './shape.ts';
import { type Attributes, type Tensor, tracing } from './tensor.ts';

interface RandomAttributes extends Attributes {
  shape: Shape;
  seed: number;
  stream: number;
}

/** A random op, by its WGSL function in lib/random.wgsl. */
function randomOp(name: string, wgsl: string): Op {
  return defineOp({
    name,
    shape: (_inputs, a) => (a as RandomAttributes).shape,
    dtype: () => 'f32',
    steps: 30,
    expression(e, [counter], index, y) {
      const { seed, stream } = y.attributes as RandomAttributes;
      e.use(random);
      const step = `u32(${e.value(counter, '0u')})`;
      return e.name(`${wgsl}(${index}, ${step}, ${e.uniform(seed, 'u32')}, ${e.uniform(stream, 'u32')})`);
    },
    backward: noGradient,
  });
}

const randomUniform = randomOp('randomUniform', 'random_uniform');
/** Box and Muller, the first uniform kept off 0. WGSL's cosine is good to 2^-11. */
const randomNormal = randomOp('randomNormal', 'random_normal');

/**
 * Which numbers are drawn. With none of these, others at each call, and at each run of a captured step: a function of
 * the seed in use (`init({ seed })`) and of the draws before. With any of them, the same for the same seed, stream and
 * counter.
 */
export interface RandomOptions {
  /** Key of the generator; default 0. */
  seed?: number;
  /** Independent sequences of one seed; default 0. */
  stream?: number;
  /** The step counter, a scalar integer tensor or number. Default 0. */
  counter?: TensorLike;
}

/** The key of a draw that is given none. */
const nextDraw = (): RandomOptions => ({
  seed: seedInUse(),
  ...(tracing.current?.draw() ?? { stream: FIRST_DRAW, counter: nextOf('draw') }),
});

const draw =
  (op: Op) =>
  (shape: readonly number[], options?: RandomOptions): Tensor => {
    const known = ['seed', 'stream', 'counter'] as const;
    const given = knownOptions<RandomOptions>(op.name, options, known);
    const isKeyed = known.some((name) => given[name] !== undefined);
    const { seed = 0, stream = 0, counter = 0 } = isKeyed ? given : nextDraw();
    for (const [name, value] of Object.entries({ seed, stream }))
      if (!Number.isSafeInteger(value))
        throw new ValueError(`${op.name}: ${name} is ${String(value)}; expected a whole number.`);
    return apply(op, [toTensor(counter, 'i32')], {
      shape: checkShape(shape, op.name),
      seed: seed >>> 0,
      stream: stream >>> 0,
    });
  };

/** Uniform in [0, 1). See {@link RandomOptions} for which numbers. */
export const uniform = draw(randomUniform);
/** Normal, with mean 0 and deviation 1. See {@link RandomOptions} for which numbers. */
export const normal = draw(randomNormal);

// ---- the twins

const words = new Uint32Array(4);

/** The four words that belong to one element of a random tensor. */
function drawn({ seed, stream }: RandomAttributes, step: number, element: number): Uint32Array {
  philox(words, [element, step, 0, 0], [seed, stream]);
  return words;
}

/** The same from the four words in float64. */
const randomTwin = (op: Op, js: (words: Uint32Array) => number, tolerance: Tolerance) =>
  twin(op, () => ({
    reference: ([counter], a) => {
      const attributes = a as RandomAttributes;
      return build(attributes.shape, (_, i) => js(drawn(attributes, counter.data[0], i)));
    },
    tolerance,
    cases: [
      {
        shapes: [[]],
        dtypes: ['i32'],
        range: [0, 9],
        attributes: { shape: [5, 7], seed: 42, stream: 3 },
        noGradient: 'random',
      },
      {
        shapes: [[]],
        dtypes: ['i32'],
        range: [0, 9],
        attributes: { shape: [130], seed: 7, stream: 0 },
        noGradient: 'random',
      },
    ],
  }));

const uniformTwin = randomTwin(randomUniform, ([word]) => toUniform(word), {});

const normalTwin = randomTwin(
  randomNormal,
  ([first, second]) =>
    Math.sqrt(-2 * Math.log(((first >>> 8) + 0.5) / 0x1000000)) * Math.cos(2 * Math.PI * toUniform(second)),
  { relative: 1e-4, absolute: 3e-3 },
);

/** For the registry. */
export const twins = [uniformTwin, normalTwin];
