import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

export interface AdamOptions extends OptimizerOptions {
  /** Share of the running mean of g that stays; default 0.9. */
  beta1?: number;
  /** Share of the running mean of g² that stays; default 0.999. */
  beta2?: number;
  /** Added to the square root, not corrected for bias; default 1e-7. */
  epsilon?: number;
  /** Divide by the largest running mean of g² so far (Reddi et al. 2018); default false. */
  amsgrad?: boolean;
}

const adamDefaults = {
  ...optimizerDefaults,
  learningRate: 0.001 as NonNullable<OptimizerOptions['learningRate']>,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  amsgrad: false,
};

/**
 * m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= α m / (√v + ε) with α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ), t the
 * number of the step from 1 (Kingma and Ba 2015, in the form of Keras). Default η 0.001.
 */
export class Adam extends Optimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;
  readonly slotNames: readonly string[];

  constructor(options?: AdamOptions, className = 'Adam', defaults: typeof adamDefaults = adamDefaults) {
    const name = className.toLowerCase();
    const given = readOptions(name, options, defaults);
    super(className, given);
    this.beta1 = numberBetween(given.beta1, name, 'beta1', 0, 1);
    this.beta2 = numberBetween(given.beta2, name, 'beta2', 0, 1);
    this.epsilon = numberBetween(given.epsilon, name, 'epsilon', 0);
    this.amsgrad = flag(given.amsgrad, name, 'amsgrad');
    this.slotNames = ['momentum', 'velocity', ...(this.amsgrad ? ['velocity_hat'] : [])];
  }

  protected override update(w: Tensor, g: Tensor, [m, v, most]: readonly Tensor[], rate: Tensor): Update {
    const alpha = rate.mul(this.correction(this.beta2).sqrt()).div(this.correction(this.beta1));
    const nextM = m.add(g.sub(m).mul(1 - this.beta1));
    const nextV = v.add(
      g
        .square()
        .sub(v)
        .mul(1 - this.beta2),
    );
    const largest = this.amsgrad ? most.maximum(nextV) : nextV;
    return {
      value: w.sub(nextM.mul(alpha).div(largest.sqrt().add(this.epsilon))),
      slots: [nextM, nextV, ...(this.amsgrad ? [largest] : [])],
    };
  }

  /**
   * 1 − βᵗ = −expm1(t · log β). WGSL's pow is good to 1e-4, and 1 − 0.999 would lose three digits of that;
   * log β is computed here, in float64.
   */
  private correction(beta: number): Tensor {
    return this.updates.add(1).cast('f32').mul(Math.log(beta)).expm1().neg();
  }

  /** Keras makes momentum and velocity of a variable next to each other, and the largest ones after all. */
  override slotOrder<T>(beside: readonly (readonly T[])[]): T[] {
    return [...beside.flatMap((of) => of.slice(0, 2)), ...beside.flatMap((of) => of.slice(2))];
  }

  override getConfig(): Record<string, unknown> {
    const { beta1, beta2, epsilon, amsgrad } = this;
    return { ...super.getConfig(), beta1, beta2, epsilon, amsgrad };
  }
}

/** Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019); default decay 0.004. */
export class AdamW extends Adam {
  constructor(options?: AdamOptions) {
    super(options, 'AdamW', { ...adamDefaults, weightDecay: 0.004 });
  }
}
