/**
 * Steps whose gradients are accumulated, and running means of weights, for every optimizer, in the form of Keras. `fit` loads
 * it when its optimizer has `useEma` or `gradientAccumulationSteps`; steps of one's own import it.
 */
import { ConfigError } from '../../base/errors.ts';
import { assignAll } from '../../graph/variables.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween, wholeNumber } from '../check.ts';
import { describe } from '../names.ts';
import type { Optimizer } from './optimizer.ts';
import type { Averaging, AveragingOptions, Update } from './update.ts';

/** Whether the next of `n` is the last: (count + 1) mod n = 0. */
const isTurn = (count: Tensor, n: number): Tensor => {
  const next = count.add(1);
  return next.sub(next.floorDiv(n).mul(n)).equal(0);
};

/** ValueError, before anything is computed, for options that mean nothing. */
function check(name: string, options: AveragingOptions): void {
  const { emaOverwriteFrequency, gradientAccumulationSteps } = options;
  flag(options.useEma, name, 'useEma');
  numberBetween(options.emaMomentum, name, 'emaMomentum', 0, 1);
  if (emaOverwriteFrequency !== null) wholeNumber(emaOverwriteFrequency, name, 'emaOverwriteFrequency');
  if (gradientAccumulationSteps !== null)
    wholeNumber(gradientAccumulationSteps, name, 'gradientAccumulationSteps', 2);
}

/**
 * In n steps, sums a of gradients: a += g; in the nth, an update by a / n, and a = 0.
 *
 * After each step, means e of the variables: e = m e + (1 − m) w, m = 0 before the first update; in every fth update w = e.
 */
function averagingOf(optimizer: Optimizer, options: AveragingOptions): Averaging {
  check(optimizer.className, options);
  const { useEma, emaMomentum, emaOverwriteFrequency: f, gradientAccumulationSteps: n } = options;
  const common = optimizer.commonSlots.length;
  return {
    step(updatesSoFar, variables, gradients, step, further) {
      const slots = variables.map((one) => optimizer.slotsBeside(one));
      const due = n === null ? null : isTurn(optimizer.iterations, n);
      const changed = (next: Tensor, before: Tensor): Tensor => (due ? where(due, next, before) : next);
      const sums = n === null ? null : gradients.map((g, i) => g.add(slots[i][common - 1]));
      const momentum = useEma ? where(updatesSoFar.equal(0), 0, emaMomentum) : null;
      const overwrites = useEma && f !== null ? isTurn(updatesSoFar, f) : null;
      const updates = step(sums ? sums.map((sum) => sum.div(n!)) : gradients).map((update, i): Update => {
        const value = changed(update.value, variables[i]);
        const own = update.slots.map((slot, j) => changed(slot, slots[i][common + j]));
        const rest = sums ? [where(due!, 0, sums[i]), ...own] : own;
        if (!momentum) return { value, slots: rest };
        const average = slots[i][0].mul(momentum).add(value.mul(momentum.neg().add(1)));
        return { value: overwrites ? where(overwrites, average, value) : value, slots: [average, ...rest] };
      });
      return [updates, further.map((next, i) => changed(next, optimizer.further[i]))];
    },
    async finish(variables) {
      const kept = variables.filter((one) => useEma && optimizer.slotsBeside(one).length > 0);
      await assignAll(kept.map((one) => [one, optimizer.slotsBeside(one)[0]]));
    },
  };
}

/**
 * Makes `apply` of an optimizer with `useEma` or `gradientAccumulationSteps` do what they say, and gives the optimizer. For steps of
 * one's own: `fit` and `trainOnBatch` do it themselves. ValueError for options that mean nothing.
 *
 * ```ts
 * const optimizer = optimizers.averaging(optimizers.adam({ gradientAccumulationSteps: 4 }));
 * ```
 */
export function averaging<O extends Optimizer>(optimizer: O): O {
  if (optimizer?.averages === undefined)
    throw new ConfigError(`averaging: ${describe(optimizer)} came; expected an optimizer.`);
  if (optimizer.averages) optimizer.averaging ??= averagingOf(optimizer, optimizer.averages);
  return optimizer;
}
