import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** Where the sums of g² start; default 0.1. */
  initialAccumulatorValue?: number;
  /** Added under the square root; default 1e-7. */
  epsilon?: number;
}

/** a += g², w −= η g / √(a + ε) (Duchi et al. 2011, in the form of Keras). Default η 0.001. */
export class Adagrad extends Optimizer {
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;
  readonly slotNames = ['accumulator'];

  constructor(options?: AdagradOptions) {
    const given = readOptions('adagrad', options, {
      ...optimizerDefaults,
      learningRate: 0.001 as NonNullable<OptimizerOptions['learningRate']>,
      initialAccumulatorValue: 0.1,
      epsilon: 1e-7,
    });
    super('Adagrad', given);
    this.initialAccumulatorValue = numberBetween(
      given.initialAccumulatorValue,
      'adagrad',
      'initialAccumulatorValue',
      0,
    );
    this.epsilon = numberBetween(given.epsilon, 'adagrad', 'epsilon', 0);
  }

  protected override get initialSlotValue(): number {
    return this.initialAccumulatorValue;
  }

  protected override update(w: Tensor, g: Tensor, [a]: readonly Tensor[], rate: Tensor): Update {
    const next = a.add(g.square());
    return { value: w.sub(g.mul(rate).div(next.add(this.epsilon).sqrt())), slots: [next] };
  }

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      initialAccumulatorValue: this.initialAccumulatorValue,
      epsilon: this.epsilon,
    };
  }
}
