import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

export interface SgdOptions extends OptimizerOptions {
  /** Share of the last step that is taken again, from 0 to 1; default 0. */
  momentum?: number;
  /** Look ahead along the momentum (Nesterov 1983); default false. */
  nesterov?: boolean;
}

/**
 * Stochastic gradient descent: w −= η g.
 *
 * With momentum: m = μ m − η g, w += m; Nesterov's: w += μ m − η g. Default η 0.01.
 */
export class SGD extends Optimizer {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly slotNames: readonly string[];

  constructor(options?: SgdOptions) {
    const given = readOptions('sgd', options, {
      ...optimizerDefaults,
      learningRate: 0.01 as NonNullable<OptimizerOptions['learningRate']>,
      momentum: 0,
      nesterov: false,
    });
    super('SGD', given);
    this.momentum = numberBetween(given.momentum, 'sgd', 'momentum', 0, 1);
    this.nesterov = flag(given.nesterov, 'sgd', 'nesterov');
    this.slotNames = this.momentum === 0 ? [] : ['momentum'];
  }

  protected override update(w: Tensor, g: Tensor, [m]: readonly Tensor[], rate: Tensor): Update {
    const step = g.mul(rate);
    if (m === undefined) return { value: w.sub(step), slots: [] };
    const next = m.mul(this.momentum).sub(step);
    return { value: w.add(this.nesterov ? next.mul(this.momentum).sub(step) : next), slots: [next] };
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), momentum: this.momentum, nesterov: this.nesterov };
  }
}
