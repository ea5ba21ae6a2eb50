/** Learning rates that fall: each schedule that files name, but for the one in restarts.ts. */
import { ValueError } from '../../base/errors.ts';
import { fill } from '../../ops/constant.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween, wholeNumber } from '../check.ts';
import { describe, kerasClass, readOptions } from '../names.ts';
import { type DescribedSchedule, describedSchedule, type Schedule } from './schedule.ts';

export interface DecayOptions {
  /** The rate at step 0. */
  initialLearningRate: number;
  /** Steps after which the rate is multiplied by `decayRate` (or divided by 1 + `decayRate`) once. */
  decaySteps: number;
  decayRate: number;
  /** Change the rate only at multiples of `decaySteps`; default false. */
  staircase?: boolean;
  name?: string;
}

export interface CosineDecayOptions {
  /** The rate at step 0. */
  initialLearningRate: number;
  /** Steps of the decay, without those of the warm-up. */
  decaySteps: number;
  /** The lowest rate, as a share of the highest; default 0. */
  alpha?: number;
  /** The rate that the warm-up leads to, linearly; default null: no warm-up. */
  warmupTarget?: number | null;
  /** Steps of the warm-up; default 0. */
  warmupSteps?: number;
  name?: string;
}

export interface PiecewiseConstantDecayOptions {
  /** Steps up to which, inclusive, a value holds; increasing. */
  boundaries: readonly number[];
  /** The rates; one more than boundaries. */
  values: readonly number[];
  name?: string;
}

export interface PolynomialDecayOptions {
  /** The rate at step 0. */
  initialLearningRate: number;
  decaySteps: number;
  /** The rate at the end; default 0.0001. */
  endLearningRate?: number;
  /** Default 1: a straight line. */
  power?: number;
  /** Start again from a lower rate when the end is reached; default false. */
  cycle?: boolean;
  name?: string;
}

/**
 * A schedule by name. `defaults`: of its options; those that are NaN have none. Where there is a decay, its start and
 * length are checked alike.
 */
export const scheduleOf =
  <Options extends object>(
    name: string,
    defaults: Required<Options>,
    rateFor: (given: Required<Options>) => Schedule,
  ) =>
  (options: Options): DescribedSchedule => {
    const given = readOptions(name, options, defaults);
    const { initialLearningRate, decaySteps } = given as Partial<DecayOptions>;
    if ('decaySteps' in defaults) {
      numberBetween(initialLearningRate, name, 'initialLearningRate', 0);
      wholeNumber(decaySteps, name, 'decaySteps');
    }
    return describedSchedule(kerasClass(name), given, rateFor(given));
  };

const decay = { initialLearningRate: Number.NaN, decaySteps: Number.NaN };

/**
 * ⌊step / n⌋ of whole numbers. Division may be off by 2.5 ULP in WGSL, which at multiples of n would be a
 * whole stair; half a step further in, it is not.
 */
export const stairs = (step: Tensor, n: number): Tensor => step.add(0.5).div(n).floor();

/** A schedule in `decaySteps`: `rateFor` the share of them that is done. `least`: the lowest rate of decay. */
const decaying = (
  name: string,
  least: number,
  rateFor: (done: Tensor, decayRate: number) => Tensor,
): ((options: DecayOptions) => DescribedSchedule) =>
  scheduleOf<DecayOptions>(
    name,
    { ...decay, decayRate: Number.NaN, staircase: false, name: kerasClass(name) },
    ({ initialLearningRate, decaySteps, decayRate, staircase }) => {
      flag(staircase, name, 'staircase');
      numberBetween(decayRate, name, 'decayRate', least);
      return (step) =>
        rateFor(staircase ? stairs(step, decaySteps) : step.div(decaySteps), decayRate).mul(
          initialLearningRate,
        );
    },
  );

/** η = η₀ · rate^(step / decaySteps) */
export const exponentialDecay = decaying('exponentialDecay', Number.MIN_VALUE, (done, rate) =>
  // WGSL's pow is good to 1e-4; log of the rate is computed here, in float64.
  done.mul(Math.log(rate)).exp(),
);

/** η = η₀ / (1 + rate · step / decaySteps) */
export const inverseTimeDecay = decaying('inverseTimeDecay', 0, (done, rate) =>
  done.mul(rate).add(1).reciprocal(),
);

/**
 * η = η₁ · ((1 − α) · ½ (1 + cos(π · step / decaySteps)) + α), from η₁ = η₀ at step 0; with a warm-up, first on
 * a straight line from η₀ to η₁ = warmupTarget (Loshchilov and Hutter 2016).
 */
export const cosineDecay = scheduleOf<CosineDecayOptions>(
  'cosineDecay',
  { ...decay, alpha: 0, name: 'CosineDecay', warmupTarget: null, warmupSteps: 0 },
  ({ initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps }) => {
    const name = 'cosineDecay';
    numberBetween(alpha, name, 'alpha', 0, 1);
    wholeNumber(warmupSteps, name, 'warmupSteps', 0);
    if (warmupTarget !== null) numberBetween(warmupTarget, name, 'warmupTarget', 0);
    const decayed = (step: Tensor, from: number): Tensor =>
      cosineOfHalfTurns(step.minimum(decaySteps).div(decaySteps))
        .add(1)
        .mul(0.5 * (1 - alpha))
        .add(alpha)
        .mul(from);
    return (step) => {
      if (warmupTarget === null) return decayed(step, initialLearningRate);
      const after = decayed(step.sub(warmupSteps), warmupTarget);
      if (warmupSteps === 0) return after;
      const rise = (warmupTarget - initialLearningRate) / warmupSteps;
      return where(step.less(warmupSteps), step.mul(rise).add(initialLearningRate), after);
    };
  },
);

/**
 * cos(π x) for x from 0 to 1, as −sin(π (x − ½)) by its series. WGSL's own cos may be off by 5e-4, which is
 * more than the rate itself near the end of a decay.
 */
export function cosineOfHalfTurns(x: Tensor): Tensor {
  const u = x.sub(0.5).mul(Math.PI);
  const square = u.square();
  // sin u = u (1 − u²/(2·3) (1 − u²/(4·5) (…))) up to u¹³; |u| ≤ π/2, so what is left out is below 7e-10.
  const series = [12, 10, 8, 6, 4, 2].reduce<Tensor | number>(
    (inner, k) =>
      square
        .mul(inner)
        .div(-k * (k + 1))
        .add(1),
    1,
  );
  return u.mul(series).neg();
}

/** The value of the first boundary that is not below the step, or the last value. */
export const piecewiseConstantDecay = scheduleOf<PiecewiseConstantDecayOptions>(
  'piecewiseConstantDecay',
  { boundaries: [], values: [], name: 'PiecewiseConstant' },
  ({ boundaries, values }) => {
    const name = 'piecewiseConstantDecay';
    if (!Array.isArray(boundaries) || !Array.isArray(values) || values.length !== boundaries.length + 1)
      throw new ValueError(
        `${name}: boundaries are ${describe(boundaries)} and values ${describe(values)}; expected one value more than boundaries.`,
      );
    boundaries.forEach((step, i) => {
      numberBetween(step, name, `boundaries[${i}]`, i === 0 ? 0 : boundaries[i - 1]);
    });
    values.forEach((rate, i) => {
      numberBetween(rate, name, `values[${i}]`, 0);
    });
    return (step) =>
      boundaries.reduceRight<Tensor>(
        (later, boundary, i) => where(step.lessEqual(boundary), values[i], later),
        fill(step.shape, values[values.length - 1]),
      );
  },
);

/**
 * η = (η₀ − end) (1 − step / decaySteps)^power + end; with `cycle`, decaySteps grows to the next of its
 * multiples whenever it is passed.
 */
export const polynomialDecay = scheduleOf<PolynomialDecayOptions>(
  'polynomialDecay',
  { ...decay, endLearningRate: 0.0001, power: 1, cycle: false, name: 'PolynomialDecay' },
  ({ initialLearningRate, decaySteps, endLearningRate: end, power, cycle }) => {
    const name = 'polynomialDecay';
    numberBetween(end, name, 'endLearningRate', 0);
    numberBetween(power, name, 'power', 0);
    flag(cycle, name, 'cycle');
    return (step) => {
      // ⌈step / n⌉, at least 1
      const rounds = stairs(step.sub(1), decaySteps).add(1).maximum(1);
      const done = cycle ? step.div(rounds.mul(decaySteps)) : step.minimum(decaySteps).div(decaySteps);
      return raised(done.neg().add(1), power)
        .mul(initialLearningRate - end)
        .add(end);
    };
  },
);

/** x^power for x from 0 to 1. */
function raised(x: Tensor, power: number): Tensor {
  if (power === 1) return x;
  if (power === 2) return x.square();
  if (power === 0.5) return x.sqrt();
  return where(x.greater(0), x.log().mul(power).exp(), power === 0 ? 1 : 0);
}
