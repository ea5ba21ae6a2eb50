/** A schedule that begins again and again. Pages that do not import it do not load it. */
import { ValueError } from '../../base/errors.ts';
import { tensor } from '../../ops/constant.ts';
import { logicalAnd, where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { cosineOfHalfTurns, scheduleOf, stairs } from './decays.ts';

export interface CosineDecayRestartsOptions {
  /** The rate at step 0. */
  initialLearningRate: number;
  /** Steps of the first period. */
  firstDecaySteps: number;
  /** How many times as long as the one before each period is, from 1; default 2. */
  tMul?: number;
  /** What share of the rate of the one before each period begins with, above 0; default 1. */
  mMul?: number;
  /** The lowest rate, as a share of the highest; default 0. */
  alpha?: number;
  name?: string;
}

/** Steps are counted in f32, exactly up to here. */
const MOST_STEPS = 2 ** 24;
const MOST_PERIODS = 10_000;

/**
 * Cosine decays one after the other: η = η₀ ((1 − α) mMulⁱ · ½ (1 + cos(π · done)) + α) in the ith period, which is tMulⁱ times as
 * long as the first, `done` the share of it that is over (Loshchilov and Hutter 2016). It is read from files as the others
 * are.
 *
 * ```ts
 * optimizers.sgd(schedules.cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 1000 }));
 * ```
 */
export const cosineDecayRestarts = scheduleOf<CosineDecayRestartsOptions>(
  'cosineDecayRestarts',
  {
    initialLearningRate: Number.NaN,
    firstDecaySteps: Number.NaN,
    tMul: 2,
    mMul: 1,
    alpha: 0,
    name: 'SGDRDecay',
  },
  ({ initialLearningRate, firstDecaySteps, tMul, mMul, alpha }) => {
    const name = 'cosineDecayRestarts';
    numberBetween(initialLearningRate, name, 'initialLearningRate', 0);
    wholeNumber(firstDecaySteps, name, 'firstDecaySteps');
    numberBetween(tMul, name, 'tMul', 1);
    numberBetween(mMul, name, 'mMul', Number.MIN_VALUE);
    numberBetween(alpha, name, 'alpha', 0, 1);
    const wave = (done: Tensor, from: Tensor | number): Tensor =>
      cosineOfHalfTurns(done)
        .add(1)
        .mul(0.5 * (1 - alpha))
        .mul(from)
        .add(initialLearningRate * alpha);
    if (tMul === 1)
      return (step) => {
        const period = stairs(step, firstDecaySteps);
        const from = period.mul(Math.log(mMul)).exp().mul(initialLearningRate);
        return wave(step.sub(period.mul(firstDecaySteps)).div(firstDecaySteps), from);
      };
    // Where periods begin follows from powers, which WGSL rounds; so they are listed, in float64.
    const [starts, ends, lengths, rates]: number[][] = [[], [], [], []];
    for (let start = 0, i = 0; start < MOST_STEPS; i++) {
      if (i === MOST_PERIODS)
        throw new ValueError(
          `${name}: tMul is ${tMul}, so that ${MOST_STEPS} steps have more than ${MOST_PERIODS} periods; expected 1, or a larger one.`,
        );
      starts.push(start);
      lengths.push(firstDecaySteps * tMul ** i);
      rates.push(initialLearningRate * mMul ** i);
      start += lengths[i];
      ends.push(start);
    }
    return (step) => {
      const isNow = logicalAnd(step.greaterEqual(tensor(starts)), step.less(tensor(ends)));
      const now = (list: number[]): Tensor => where(isNow, tensor(list), 0).sum();
      return wave(step.sub(now(starts)).div(now(lengths)), now(rates));
    };
  },
);
