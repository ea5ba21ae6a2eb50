/** Optimizers that few name: `compile({ optimizer: optimizers.nadam() })`. Pages that do not import them do not load them. */
import { variable } from '../../ops/constant.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { readOptions } from '../names.ts';
import { Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

/** The options of an optimizer beside those of all, with their defaults; each is a number from 0. */
type Numbers = Readonly<Record<string, number>>;

/** What these optimizers count by. */
export abstract class Numbered extends Optimizer {
  /** 1 − βᵗ of the step to come, or of one `later`: see Adam. */
  protected correction(beta: number, later = 0): Tensor {
    return this.step(later).mul(Math.log(beta)).expm1().neg();
  }

  /** The number of the step to come, from 1, or of one `later`. */
  protected step(later = 0): Tensor {
    return this.updates.add(1 + later).cast('f32');
  }

  /** Keras makes what it keeps of a variable next to each other. */
  override slotOrder<T>(beside: readonly (readonly T[])[]): T[] {
    return beside.flat();
  }
}

/** The class of an optimizer with these numbers, which are its properties. */
export type NumberedClass<N extends Numbers> = abstract new (
  options?: OptimizerOptions & Partial<N>,
) => Numbered & { readonly [K in keyof N]: number };

/** What an optimizer of these numbers is: they are checked, become properties, and are written down. */
function numbered<N extends Numbers>(className: string, numbers: N, rate = 0.001): NumberedClass<N> {
  abstract class Own extends Numbered {
    constructor(options?: OptimizerOptions & Partial<N>) {
      const name = className.toLowerCase();
      const given = readOptions(name, options, {
        ...optimizerDefaults,
        learningRate: rate as NonNullable<OptimizerOptions['learningRate']>,
        ...(numbers as Numbers),
      });
      super(className, given);
      for (const key of Object.keys(numbers))
        Object.assign(this, {
          [key]: numberBetween(given[key as never], name, key, 0, key === 'epsilon' ? undefined : 1),
        });
    }

    override getConfig(): Record<string, unknown> {
      const own = Object.keys(numbers).map((key) => [key, (this as Record<string, unknown>)[key]]);
      return { ...super.getConfig(), ...Object.fromEntries(own) };
    }
  }
  return Own as unknown as NumberedClass<N>;
}

/**
 * Adam with Nesterov's momentum: m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= η m̂ / (√(v / (1 − β₂ᵗ)) + ε) with
 * m̂ = u' m / (1 − Πu u') + (1 − u) g / (1 − Πu), u = β₁ (1 − 0.5 · 0.96ᵗ), u' the next u (Dozat 2016). Default η 0.001.
 */
export class Nadam extends numbered('Nadam', { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }) {
  readonly slotNames = ['momentum', 'velocity'];
  /** Πu over the steps so far. */
  private readonly product: Variable = variable(1, { name: 'u_product', trainable: false });
  override readonly further = [this.product];

  /** u of the step to come, or of one `later`. */
  private u(later = 0): Tensor {
    return this.step(later).mul(Math.log(0.96)).exp().mul(-0.5).add(1).mul(this.beta1);
  }

  protected override furtherAfter(): readonly Tensor[] {
    return [this.product.mul(this.u())];
  }

  protected override update(w: Tensor, g: Tensor, [m, v]: readonly Tensor[], rate: Tensor): Update {
    const { beta1, beta2, epsilon } = this;
    const [u, next] = [this.u(), this.u(1)];
    const product = this.product.mul(u);
    const nextM = m.add(g.sub(m).mul(1 - beta1));
    const nextV = v.add(
      g
        .square()
        .sub(v)
        .mul(1 - beta2),
    );
    const ahead = nextM.mul(next.div(product.mul(next).neg().add(1)));
    const now = g.mul(u.neg().add(1).div(product.neg().add(1)));
    const spread = nextV.div(this.correction(beta2)).sqrt().add(epsilon);
    return { value: w.sub(ahead.add(now).mul(rate).div(spread)), slots: [nextM, nextV] };
  }
}

/**
 * Adam by the largest gradient: m += (g − m)(1 − β₁), u = max(β₂ u, |g|), w −= η m / ((1 − β₁ᵗ)(u + ε)) (Kingma and Ba
 * 2015). Default η 0.001.
 */
export class Adamax extends numbered('Adamax', { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }) {
  readonly slotNames = ['momentum', 'norm'];

  protected override update(w: Tensor, g: Tensor, [m, u]: readonly Tensor[], rate: Tensor): Update {
    const nextM = m.add(g.sub(m).mul(1 - this.beta1));
    const nextU = u.mul(this.beta2).maximum(g.abs());
    const spread = nextU.add(this.epsilon).mul(this.correction(this.beta1));
    return { value: w.sub(nextM.mul(rate).div(spread)), slots: [nextM, nextU] };
  }
}

/**
 * Steps as long as those before: a = ρ a + (1 − ρ) g², d = g √(s + ε) / √(a + ε), s = ρ s + (1 − ρ) d², w −= η d (Zeiler
 * 2012). Default η 0.001; 1 is the paper's.
 */
export class Adadelta extends numbered('Adadelta', { rho: 0.95, epsilon: 1e-7 }) {
  readonly slotNames = ['accumulated_grad', 'accumulated_delta_var'];

  protected override update(w: Tensor, g: Tensor, [a, s]: readonly Tensor[], rate: Tensor): Update {
    const { rho, epsilon } = this;
    const nextA = a.mul(rho).add(g.square().mul(1 - rho));
    const d = s.add(epsilon).sqrt().mul(g).div(nextA.add(epsilon).sqrt());
    const nextS = s.mul(rho).add(d.square().mul(1 - rho));
    return { value: w.sub(d.mul(rate)), slots: [nextA, nextS] };
  }
}

/** The sign of a mean: w −= η sign(β₁ m + (1 − β₁) g), m = β₂ m + (1 − β₂) g (Chen et al. 2023). Default η 0.001. */
export class Lion extends numbered('Lion', { beta1: 0.9, beta2: 0.99 }) {
  readonly slotNames = ['momentum'];

  protected override update(w: Tensor, g: Tensor, [m]: readonly Tensor[], rate: Tensor): Update {
    const { beta1, beta2 } = this;
    const direction = m
      .mul(beta1)
      .add(g.mul(1 - beta1))
      .sign();
    return { value: w.sub(direction.mul(rate)), slots: [m.mul(beta2).add(g.mul(1 - beta2))] };
  }
}
