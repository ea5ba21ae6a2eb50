/**
 * Starting values of weights: Keras's initializers and defaults, drawn on the host from the
 * counter-based generator, so that a weight is a function of the seed and of its place in the model.
 */
import { ShapeError, ValueError } from '../../base/errors.ts';
import type { RandomSequence } from '../../base/random.ts';
import { type Shape, show, sizeOf } from '../../ops/shape.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { describe, Names, readOptions } from '../names.ts';
import { fans, Initializer, KnownInitializer } from './initializer.ts';

/** The standard deviation of a standard normal distribution cut off at ±2. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

const filled = (shape: Shape, next: () => number): Float32Array => {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
};

/** A standard normal number (Box and Muller). */
const standardNormal = (random: RandomSequence): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

/** A standard normal number, drawn again while it is beyond ±2. */
function truncatedStandardNormal(random: RandomSequence): number {
  for (;;) {
    const value = standardNormal(random);
    if (Math.abs(value) <= 2) return value;
  }
}

const distributions = {
  uniform: (variance: number, random: RandomSequence) => {
    const limit = Math.sqrt(3 * variance);
    return () => random.between(-limit, limit);
  },
  truncatedNormal: (variance: number, random: RandomSequence) => {
    const deviation = Math.sqrt(variance) / TRUNCATED_DEVIATION;
    return () => deviation * truncatedStandardNormal(random);
  },
  untruncatedNormal: (variance: number, random: RandomSequence) => {
    const deviation = Math.sqrt(variance);
    return () => deviation * standardNormal(random);
  },
};

const fanModes = {
  fanIn: ([input]: [number, number]) => input,
  fanOut: ([, output]: [number, number]) => output,
  fanAvg: ([input, output]: [number, number]) => (input + output) / 2,
};

type Distribution = keyof typeof distributions;
type FanMode = keyof typeof fanModes;

/** Keras writes 'fan_in' and 'truncated_normal'; 'normal' means the truncated one. */
const fanModeNames = Names.ofWords<FanMode>('mode', ['fanIn', 'fanOut', 'fanAvg']);
const distributionNames = Names.ofWords<Distribution>(
  'distribution',
  ['uniform', 'truncatedNormal', 'untruncatedNormal'],
  { normal: 'truncatedNormal' },
);

/** Zero-mean values of variance scale / fan. */
const scaled =
  (scale: number, mode: FanMode, distribution: Distribution) =>
  (shape: Shape, random: RandomSequence): Float32Array =>
    filled(shape, distributions[distribution](scale / Math.max(1, fanModes[mode](fans(shape))), random));

export interface SeedOption {
  /** Gives the same values each time; default null: the engine's seed and the weight's position decide. */
  seed?: number | null;
}

const checkedSeed = (seed: number | null | undefined, operation: string): number | null =>
  seed === null || seed === undefined ? null : wholeNumber(seed, operation, 'seed', 0);

/** An initializer whose only option is the seed. */
const varianceRow =
  (className: string, scale: number, mode: FanMode, distribution: Distribution) =>
  (options?: SeedOption): Initializer => {
    const { seed } = readOptions(className, options, { seed: null as number | null });
    return new KnownInitializer(
      className,
      { seed: checkedSeed(seed, className) },
      scaled(scale, mode, distribution),
    );
  };

/** Uniform in ±sqrt(6 / (in + out)) (Glorot and Bengio 2010); Keras's default for kernels. */
export const glorotUniform = varianceRow('GlorotUniform', 1, 'fanAvg', 'uniform');
/** Normal with variance 2 / (in + out), cut off at two standard deviations. */
export const glorotNormal = varianceRow('GlorotNormal', 1, 'fanAvg', 'truncatedNormal');
/** Uniform in ±sqrt(6 / in) (He et al. 2015), for relu layers. */
export const heUniform = varianceRow('HeUniform', 2, 'fanIn', 'uniform');
/** Normal with variance 2 / in, cut off at two standard deviations. */
export const heNormal = varianceRow('HeNormal', 2, 'fanIn', 'truncatedNormal');
/** Uniform in ±sqrt(3 / in) (LeCun et al. 1998), for selu layers. */
export const lecunUniform = varianceRow('LecunUniform', 1, 'fanIn', 'uniform');
/** Normal with variance 1 / in, cut off at two standard deviations. */
export const lecunNormal = varianceRow('LecunNormal', 1, 'fanIn', 'truncatedNormal');

/** Zero-mean values of variance `scale` / fan; what the glorot, he and lecun families are made of. */
export function varianceScaling(
  options?: { scale?: number; mode?: string; distribution?: string } & SeedOption,
): Initializer {
  const name = 'VarianceScaling';
  const given = readOptions(name, options, {
    scale: 1,
    mode: 'fanIn',
    distribution: 'truncatedNormal',
    seed: null as number | null,
  });
  if (!(given.scale > 0 && Number.isFinite(given.scale)))
    throw new ValueError(`${name}: scale is ${describe(given.scale)}; expected a number above 0.`);
  const mode = fanModeNames.get(given.mode, name);
  const distribution = distributionNames.get(given.distribution, name);
  const config = { scale: given.scale, mode, distribution, seed: checkedSeed(given.seed, name) };
  return new KnownInitializer(name, config, scaled(given.scale, mode, distribution));
}

/** All values 0. */
export const zeros = (options?: object): Initializer =>
  new KnownInitializer(
    'Zeros',
    readOptions('Zeros', options, {}),
    (shape) => new Float32Array(sizeOf(shape)),
  );

/** All values 1. */
export const ones = (options?: object): Initializer =>
  new KnownInitializer('Ones', readOptions('Ones', options, {}), (shape) =>
    new Float32Array(sizeOf(shape)).fill(1),
  );

/** All values `value`, default 0. */
export function constant(options?: { value?: number } | number): Initializer {
  const given = readOptions('Constant', typeof options === 'number' ? { value: options } : options, {
    value: 0,
  });
  const value = numberBetween(given.value, 'Constant', 'value', Number.NEGATIVE_INFINITY);
  return new KnownInitializer('Constant', { value }, (shape) => new Float32Array(sizeOf(shape)).fill(value));
}

/** Uniform in [minval, maxval), default ±0.05. */
export function randomUniform(options?: { minval?: number; maxval?: number } & SeedOption): Initializer {
  const name = 'RandomUniform';
  const given = readOptions(name, options, { minval: -0.05, maxval: 0.05, seed: null as number | null });
  const minval = numberBetween(given.minval, name, 'minval', Number.NEGATIVE_INFINITY);
  const maxval = numberBetween(given.maxval, name, 'maxval', minval);
  const config = { minval, maxval, seed: checkedSeed(given.seed, name) };
  return new KnownInitializer(name, config, (shape, random) =>
    filled(shape, () => random.between(minval, maxval)),
  );
}

const normalRow =
  (className: string, draw: (random: RandomSequence) => number) =>
  (options?: { mean?: number; stddev?: number } & SeedOption): Initializer => {
    const given = readOptions(className, options, { mean: 0, stddev: 0.05, seed: null as number | null });
    const mean = numberBetween(given.mean, className, 'mean', Number.NEGATIVE_INFINITY);
    const stddev = numberBetween(given.stddev, className, 'stddev', 0);
    const config = { mean, stddev, seed: checkedSeed(given.seed, className) };
    return new KnownInitializer(className, config, (shape, random) =>
      filled(shape, () => mean + stddev * draw(random)),
    );
  };

/** Normal, default mean 0 and standard deviation 0.05. */
export const randomNormal = normalRow('RandomNormal', standardNormal);
/** Normal, drawn again beyond two standard deviations; default mean 0 and standard deviation 0.05. */
export const truncatedNormal = normalRow('TruncatedNormal', truncatedStandardNormal);

/** `gain` on the diagonal of a matrix, 0 elsewhere. */
export function identity(options?: { gain?: number }): Initializer {
  const given = readOptions('Identity', options, { gain: 1 });
  const gain = numberBetween(given.gain, 'Identity', 'gain', Number.NEGATIVE_INFINITY);
  return new KnownInitializer('Identity', { gain }, (shape) => {
    if (shape.length !== 2) throw new ShapeError(`Identity: shape is ${show(shape)}; expected two sizes.`);
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < Math.min(...shape); i++) values[i * (shape[1] + 1)] = gain;
    return values;
  });
}

/**
 * `gain` times a matrix with orthogonal rows or columns of length 1, whichever are fewer (Saxe et al. 2014); of more than two
 * axes, all but the last are its rows. Keras's default for recurrent kernels.
 */
export function orthogonal(options?: { gain?: number } & SeedOption): Initializer {
  const given = readOptions('Orthogonal', options, { gain: 1, seed: null as number | null });
  const gain = numberBetween(given.gain, 'Orthogonal', 'gain', Number.NEGATIVE_INFINITY);
  const config = { gain, seed: checkedSeed(given.seed, 'Orthogonal') };
  return new KnownInitializer('Orthogonal', config, (shape, random) => {
    if (shape.length < 2)
      throw new ShapeError(`Orthogonal: shape is ${show(shape)}; expected two sizes or more.`);
    const columns = shape[shape.length - 1];
    const rows = sizeOf(shape) / Math.max(1, columns);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors: Float64Array[] = [];
    while (vectors.length < count) {
      const v = Float64Array.from({ length }, () => standardNormal(random));
      // Gram and Schmidt: the second time takes away what rounding left of the first.
      for (let again = 0; again < 2; again++)
        for (const u of vectors) {
          let along = 0;
          for (let i = 0; i < length; i++) along += u[i] * v[i];
          for (let i = 0; i < length; i++) v[i] -= along * u[i];
        }
      const norm = Math.sqrt(v.reduce((sum, one) => sum + one * one, 0));
      if (norm > 1e-6) vectors.push(v.map((one) => one / norm));
    }
    const values = new Float32Array(sizeOf(shape));
    vectors.forEach((v, k) => {
      for (let i = 0; i < length; i++)
        values[rows >= columns ? i * columns + k : k * columns + i] = gain * v[i];
    });
    return values;
  });
}

export { Initializer };
