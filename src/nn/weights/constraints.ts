/** Constraints: what each update makes of a weight. `layers.dense(10, { kernelConstraint: constraints.maxNorm(3) })` */
import { ValueError } from '../../base/errors.ts';
import { sum } from '../../ops/reduce.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import { KnownRule, ruleResolver, type WeightRule } from './rule.ts';

const EPSILON = 1e-7;

/** Axes along which a norm is taken; 0 for each unit of a dense layer. */
type Axis = number | readonly number[];

const norm = (w: Tensor, axis: Axis): Tensor => sum(w.square(), axis as number, true).sqrt();

/** w scaled so that its norms become `wanted`. */
const scaled = (w: Tensor, norms: Tensor, wanted: Tensor): Tensor => w.mul(wanted.div(norms.add(EPSILON)));

/** ValueError for what is no axis, here and not in the middle of training. */
function checkedAxis<Config extends { axis: Axis }>(config: Config, name: string): Config {
  if ([config.axis].flat().every((one) => Number.isInteger(one))) return config;
  throw new ValueError(
    `${name}: axis is ${describe(config.axis)}; expected a whole number or a list of them.`,
  );
}

/** Norms of at most `maxValue`, default 2 (Srivastava et al. 2014). */
export function maxNorm(options?: number | { maxValue?: number; axis?: Axis }): WeightRule {
  const given = typeof options === 'number' ? { maxValue: options } : options;
  const config = checkedAxis(readOptions('maxNorm', given, { maxValue: 2, axis: 0 as Axis }), 'maxNorm');
  const most = numberBetween(config.maxValue, 'maxNorm', 'maxValue', 0);
  const of = (w: Tensor): Tensor => {
    const norms = norm(w, config.axis);
    return scaled(w, norms, norms.minimum(most));
  };
  return new KnownRule('MaxNorm', config, of);
}

/** No value below 0. */
export function nonNeg(options?: object): WeightRule {
  return new KnownRule('NonNeg', readOptions('nonNeg', options, {}), (w) => w.maximum(0));
}

/** Norms of 1. */
export function unitNorm(options?: { axis?: Axis }): WeightRule {
  const config = checkedAxis(readOptions('unitNorm', options, { axis: 0 as Axis }), 'unitNorm');
  return new KnownRule('UnitNorm', config, (w) => w.div(norm(w, config.axis).add(EPSILON)));
}

/** Norms from `minValue` to `maxValue`, brought there by the share `rate` in each step; default 0, 1 and 1. */
export function minMaxNorm(options?: {
  minValue?: number;
  maxValue?: number;
  rate?: number;
  axis?: Axis;
}): WeightRule {
  const name = 'minMaxNorm';
  const config = checkedAxis(
    readOptions(name, options, { minValue: 0, maxValue: 1, rate: 1, axis: 0 as Axis }),
    name,
  );
  const least = numberBetween(config.minValue, name, 'minValue', 0);
  const most = numberBetween(config.maxValue, name, 'maxValue', least);
  const rate = numberBetween(config.rate, name, 'rate', 0, 1);
  const of = (w: Tensor): Tensor => {
    const norms = norm(w, config.axis);
    return scaled(
      w,
      norms,
      norms
        .clip(least, most)
        .mul(rate)
        .add(norms.mul(1 - rate)),
    );
  };
  return new KnownRule('MinMaxNorm', config, of);
}

export const resolveConstraint = ruleResolver('constraint', { maxNorm, nonNeg, unitNorm, minMaxNorm });

const constraints = new WeakMap<Variable, WeightRule>();

/** Optimizers keep to it from now on. */
export const constrain = (weight: Variable, rule: WeightRule): void => void constraints.set(weight, rule);

/** What an update may be of a weight. */
export const constrained = (weight: Variable, updated: Tensor): Tensor =>
  constraints.get(weight)?.of(updated) ?? updated;
