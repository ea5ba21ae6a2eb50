import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

export interface RmspropOptions extends OptimizerOptions {
  /** Share of the running mean of g² that stays, from 0 to 1; default 0.9. */
  rho?: number;
  /** Share of the last step that is taken again; default 0. */
  momentum?: number;
  /** Added under the square root; default 1e-7. */
  epsilon?: number;
  /** Subtract the square of the running mean of g, an estimate of the variance; default false. */
  centered?: boolean;
}

/**
 * v = ρ v + (1 − ρ) g², w −= η g / √(v + ε): ε is under the root, as in Keras. Default η 0.001.
 *
 * Centered: ḡ = ρ ḡ + (1 − ρ) g, √(v − ḡ² + ε). With momentum: m = μ m + step, w −= m.
 */
export class RMSprop extends Optimizer {
  readonly rho: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;
  readonly slotNames: readonly string[];

  constructor(options?: RmspropOptions) {
    const given = readOptions('rmsprop', options, {
      ...optimizerDefaults,
      learningRate: 0.001 as NonNullable<OptimizerOptions['learningRate']>,
      rho: 0.9,
      momentum: 0,
      epsilon: 1e-7,
      centered: false,
    });
    super('RMSprop', given);
    this.rho = numberBetween(given.rho, 'rmsprop', 'rho', 0, 1);
    this.momentum = numberBetween(given.momentum, 'rmsprop', 'momentum', 0, 1);
    this.epsilon = numberBetween(given.epsilon, 'rmsprop', 'epsilon', 0);
    this.centered = flag(given.centered, 'rmsprop', 'centered');
    this.slotNames = [
      'velocity',
      ...(this.momentum > 0 ? ['momentum'] : []),
      ...(this.centered ? ['average_gradient'] : []),
    ];
  }

  protected override update(w: Tensor, g: Tensor, slots: readonly Tensor[], rate: Tensor): Update {
    const { rho, momentum, epsilon, centered } = this;
    const mean = (old: Tensor, x: Tensor): Tensor => old.mul(rho).add(x.mul(1 - rho));
    const v = mean(slots[0], g.square());
    const average = centered ? mean(slots[slots.length - 1], g) : null;
    const spread = (average ? v.sub(average.square()) : v).add(epsilon);
    const step = g.mul(rate).div(spread.sqrt());
    const moved = momentum > 0 ? slots[1].mul(momentum).add(step) : null;
    return {
      value: w.sub(moved ?? step),
      slots: [v, ...(moved ? [moved] : []), ...(average ? [average] : [])],
    };
  }

  override getConfig(): Record<string, unknown> {
    const { rho, momentum, epsilon, centered } = this;
    return { ...super.getConfig(), rho, momentum, epsilon, centered };
  }
}
