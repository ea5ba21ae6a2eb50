/** Steps of stochastic gradient descent for many linear classifiers at once: one workgroup walks one of them. */
import { ShapeError } from '../base/errors.ts';
import type { Profile } from '../engine/profile.ts';
import {
  alternatives,
  apply,
  type Case,
  defineOp,
  type KernelCall,
  type KernelFamily,
  type Lowered,
  twin,
} from './define.ts';
import { grid } from './elementwise.ts';
import { ndarray } from './reference.ts';
import { show } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

export interface SgdLinearOptions {
  readonly loss: 'hinge' | 'log_loss';
  /** Strength of the L2 penalty, above 0. */
  readonly alpha: number;
  /** Whether the intercept is learned. */
  readonly intercept: boolean;
  /** Steps per call. */
  readonly steps: number;
}

/** What a model's state has besides its weights: intercept, sum of the objective, steps taken. */
export const SGD_EXTRAS = 3;

/** Weights in the registers of one lane, unless the workgroup is as large as it may be. */
const MOST_PER_LANE = 112;

/** Few lanes in software, where one step of a workgroup is one vector of 8; enough to share the work on a GPU. */
function workgroupSize({ isSoftware, limits }: Profile, features: number): number {
  const most = Math.min(256, limits.maxComputeInvocationsPerWorkgroup);
  let size = isSoftware ? 8 : 64;
  while (size < most && features > size * (isSoftware ? MOST_PER_LANE : 8)) size *= 2;
  return size;
}

/** η₀ = √(1/√α); the first step has it when time begins at 1/(η₀ α) (Bottou's rule as in sklearn/linear_model/_sgd_fast). */
const startOf = (alpha: number): number => 1 / (Math.sqrt(1 / Math.sqrt(alpha)) * alpha);

const sgdLinearFamily: KernelFamily = {
  name: 'sgdLinear',
  lower({ inputs: { state, x, order }, attributes, profile, tuning }: KernelCall): Lowered {
    const { loss, alpha, intercept, steps } = attributes as unknown as SgdLinearOptions;
    const [models] = state.shape;
    const [, features] = x.shape;
    const workgroup = (tuning.WORKGROUP as number | undefined) ?? workgroupSize(profile, features);
    return {
      kernel: 'sgd_linear',
      tuning: { WORKGROUP: workgroup },
      tune: { PER_LANE: Math.ceil(features / workgroup) },
      constants: { WORKGROUP: workgroup, HINGE: loss === 'hinge' },
      params: {
        models,
        features,
        rows: order.shape[1],
        steps,
        alpha,
        start: startOf(alpha),
        intercept: Number(intercept),
      },
      workgroups: grid(models, profile.limits.maxComputeWorkgroupsPerDimension),
    };
  },
  candidates: () => alternatives({ WORKGROUP: 4 }, { WORKGROUP: 32 }, { WORKGROUP: 64 }),
};

/** [models, features + 3], [samples, features], [models, rows], [models], [1] */
const caseOf = (
  models: number,
  features: number,
  rows: number,
  attributes: Partial<SgdLinearOptions>,
): Case => ({
  shapes: [[models, features + SGD_EXTRAS], [4, features], [models, rows], [models], [1]],
  dtypes: ['f32', 'f32', 'i32', 'i32', 'i32'],
  range: [-4, 4],
  attributes: { loss: 'log_loss', alpha: 0.1, intercept: true, steps: 3, ...attributes },
  noGradient: 'a course of training',
});

const sgdLinearOp = defineOp({
  name: 'sgdLinear',
  shape([state, x, order, count, position]) {
    const [models, size] = state;
    const features = x[1];
    const good =
      state.length === 2 &&
      x.length === 2 &&
      features > 0 &&
      size === features + SGD_EXTRAS &&
      order.length === 2 &&
      order[0] === models &&
      count.length === 1 &&
      count[0] === models &&
      position.length === 1 &&
      position[0] === 1;
    if (good) return state;
    throw new ShapeError(
      `sgdLinear: ${[state, x, order, count, position].map(show).join(', ')}; expected state [models, features + ${SGD_EXTRAS}], ` +
        'x [samples, features], order [models, rows], count [models] and position [1].',
    );
  },
  dtype: () => 'f32',
  kernel: {
    family: sgdLinearFamily,
    inputs: ['state', 'x', 'order', 'count', 'position'],
    output: 'next',
  },
  cost: ([state, x], _next, { steps }) => ({
    flops: 6 * state.shape[0] * x.shape[1] * (steps as number),
    bytes: 4 * state.shape[0] * (x.shape[1] * (steps as number) + 2 * state.shape[1]),
  }),
});

const sgdLinearTwin = twin(sgdLinearOp, () => ({
  reference([state, x, order, count, position], attributes) {
    const { loss, alpha, intercept, steps } = attributes as unknown as SgdLinearOptions;
    const [models, size] = state.shape;
    const features = size - SGD_EXTRAS;
    const next = ndarray(state.shape, state.data.slice());
    for (let m = 0; m < models; m++) {
      const w = next.data.subarray(m * size, m * size + features);
      const rest = next.data.subarray(m * size + features, (m + 1) * size);
      const begin = Math.max(0, position.data[0]);
      for (let i = begin; i < Math.min(begin + steps, count.data[m]); i++) {
        const pick = order.data[m * order.shape[1] + i];
        const positive = pick >= 0;
        const row = positive ? pick : -1 - pick;
        const sample = x.data.subarray(row * features, (row + 1) * features);
        const p = w.reduce((sum, one, j) => sum + one * sample[j], rest[0]);
        const z = positive ? p : -p;
        const norm = w.reduce((sum, one) => sum + one * one, 0);
        const value =
          loss === 'hinge' ? Math.max(0, 1 - z) : Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
        const slope = (positive ? -1 : 1) * (loss === 'hinge' ? Number(z <= 1) : 1 / (1 + Math.exp(z)));
        const eta = 1 / (alpha * (startOf(alpha) + rest[2]));
        w.forEach((one, j) => {
          w[j] = Math.max(0, 1 - eta * alpha) * one - eta * slope * sample[j];
        });
        if (intercept) rest[0] -= eta * slope;
        rest[1] += value + 0.5 * alpha * norm;
        rest[2]++;
      }
    }
    return next;
  },
  // Products of up to 200 terms up to 16, and what a step makes of their rounding.
  tolerance: { relative: 1e-4, absolute: 1e-3 },
  cases: [
    caseOf(1, 1, 4, {}),
    caseOf(3, 5, 7, {}),
    caseOf(3, 5, 7, { loss: 'hinge' }),
    caseOf(2, 64, 5, { intercept: false }),
    caseOf(2, 130, 8, { steps: 8 }),
  ],
}));

/**
 * The states of linear classifiers after `steps` more steps of stochastic gradient descent with the optimal
 * learning rate η = 1 / (α (t₀ + t)) and an L2 penalty.
 *
 * state: [models, features + 3] f32: weights, intercept, sum of the objective before each step, steps taken;
 * x: [samples, features] f32; order: [models, rows] i32, the sample of each step, r where it is of the
 * model's class and −1 − r where it is not; count: [models] i32, rows that each model walks; position: [1] i32,
 * the first row → state after it. Has no gradient.
 */
export const sgdLinear = (
  [state, x, order, count, position]: readonly Tensor[],
  options: SgdLinearOptions,
): Tensor => apply(sgdLinearOp, [state, x, order, count, position], { ...options } as Attributes);

/** For the registry. */
export const twins = [sgdLinearTwin];
