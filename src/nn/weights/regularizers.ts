/** Regularizers: what a weight adds to the loss. `layers.dense(10, { kernelRegularizer: regularizers.l2(0.001) })` */
import { sum } from '../../ops/reduce.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { KnownRule, ruleResolver, type WeightRule } from './rule.ts';

/** λ₁ Σ |w|; λ₁ 0.01 */
export const l1 = (options?: number | { l1?: number }): WeightRule => {
  const config = readOptions('l1', typeof options === 'number' ? { l1: options } : options, { l1: 0.01 });
  return regularizer('L1', config);
};

/** λ₂ Σ w²; λ₂ 0.01 */
export const l2 = (options?: number | { l2?: number }): WeightRule => {
  const config = readOptions('l2', typeof options === 'number' ? { l2: options } : options, { l2: 0.01 });
  return regularizer('L2', config);
};

/** λ₁ Σ |w| + λ₂ Σ w²; both 0 unless given */
export const l1l2 = (options?: { l1?: number; l2?: number }): WeightRule =>
  regularizer('L1L2', readOptions('l1l2', options, { l1: 0, l2: 0 }));

function regularizer(className: string, config: { l1?: number; l2?: number }): WeightRule {
  const factors = Object.entries(config) as ['l1' | 'l2', number][];
  for (const [option, factor] of factors) numberBetween(factor, className, option, 0);
  const measure = { l1: (w: Tensor) => w.abs(), l2: (w: Tensor) => w.square() };
  const of = (w: Tensor): Tensor => {
    const terms = factors
      .filter(([, factor]) => factor !== 0)
      .map(([kind, factor]) => measure[kind](w).mul(factor));
    return sum(terms.length === 0 ? w.mul(0) : terms.reduce((a, b) => a.add(b)));
  };
  return new KnownRule(className, config, of);
}

export const resolveRegularizer = ruleResolver('regularizer', { l1, l2, l1l2 });
