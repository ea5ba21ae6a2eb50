/** Muon: `compile({ optimizer: optimizers.muon() })`. Pages that do not import it do not load it. */
import { sum } from '../../ops/reduce.ts';
import { where } from '../../ops/select.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { flag, numberBetween, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { type Named, Optimizer, type OptimizerOptions, optimizerDefaults, type Update } from './optimizer.ts';

export interface MuonOptions extends OptimizerOptions {
  /** Share of the running mean of g that stays where Adam is used; default 0.9. */
  adamBeta1?: number;
  /** Share of the running mean of g² that stays where Adam is used; default 0.999. */
  adamBeta2?: number;
  /** The weight decay of what Adam changes; default 0.004, as `weightDecay` of the others. */
  adamWeightDecay?: number | null;
  /** Adam's rate as a share of the learning rate; default 1. */
  adamLrRatio?: number;
  /** Added to the square root where Adam is used; default 1e-7. */
  epsilon?: number;
  /** Adam for weights whose path ('dense_1/kernel') matches one of these regular expressions; default none. */
  excludeLayers?: readonly string[];
  /** Adam for embeddings; default true. */
  excludeEmbeddings?: boolean;
  /** a, b and c of the iteration; defaults 3.4445, −4.775 and 2.0315. */
  muonA?: number;
  muonB?: number;
  muonC?: number;
  /** Share of the last step that is taken again; default 0.95. */
  momentum?: number;
  /** Iterations; default 5. */
  nsSteps?: number;
  /** Look ahead along the momentum; default true. */
  nesterov?: boolean;
  /** Steps are √max(rows, columns) · rmsRate long, as long as Adam's; default 0.2, null: as they come. */
  rmsRate?: number | null;
}

const own = {
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamWeightDecay: 0.004 as number | null,
  adamLrRatio: 1,
  epsilon: 1e-7,
  excludeLayers: [] as readonly string[],
  excludeEmbeddings: true,
  muonA: 3.4445,
  muonB: -4.775,
  muonC: 2.0315,
  momentum: 0.95,
  nsSteps: 5,
  nesterov: true,
  rmsRate: 0.2 as number | null,
};

type Own = typeof own;

/**
 * Momentum, made nearly orthogonal, for matrices: m = μ m + g, u = g + μ m, w −= η · rmsRate √max(rows, columns) · N(u / ‖u‖);
 * N is nsSteps times x ← a x + (b A + c A²) x with A = x xᵀ, which moves all singular values towards 1 (Jordan 2024; Liu et al.
 * 2025, in the form of Keras). Everything but matrices, and embeddings, have Adam with weight decay. Name the last layer in
 * `excludeLayers`. Default η 0.001, decay 0.004.
 *
 * ```ts
 * model.compile({ optimizer: optimizers.muon({ excludeLayers: ['logits'] }), loss: 'mse' });
 * ```
 */
export class Muon extends Optimizer {
  readonly slotNames = ['momentum', 'velocity'];
  private readonly own: Own;

  constructor(options?: MuonOptions) {
    const given = readOptions('muon', options, {
      ...optimizerDefaults,
      weightDecay: 0.004 as number | null,
      learningRate: 0.001 as NonNullable<OptimizerOptions['learningRate']>,
      ...own,
    });
    super('Muon', given);
    const number = (key: keyof Own, low: number, high?: number): void => {
      const isNone = given[key] === null && ['adamWeightDecay', 'rmsRate'].includes(key);
      if (!isNone) numberBetween(given[key], 'muon', key, low, high);
    };
    for (const key of ['adamBeta1', 'adamBeta2', 'momentum'] as const) number(key, 0, 1);
    for (const key of ['adamWeightDecay', 'adamLrRatio', 'epsilon', 'rmsRate'] as const) number(key, 0);
    for (const key of ['muonA', 'muonB', 'muonC'] as const) number(key, Number.NEGATIVE_INFINITY);
    wholeNumber(given.nsSteps, 'muon', 'nsSteps', 0);
    flag(given.nesterov, 'muon', 'nesterov');
    flag(given.excludeEmbeddings, 'muon', 'excludeEmbeddings');
    this.own = Object.fromEntries(Object.keys(own).map((key) => [key, given[key as keyof Own]])) as Own;
  }

  /** Whether Adam changes it. */
  private hasAdam(one: Variable): boolean {
    if (one.rank !== 2) return true;
    const path = this.pathOf(one);
    const { excludeEmbeddings, excludeLayers } = this.own;
    return (
      (excludeEmbeddings && /embedding/i.test(path)) ||
      (excludeLayers ?? []).some((pattern) => new RegExp(pattern).test(path))
    );
  }

  /** 'dense_1/kernel'; in a step of one's own, the variable's name. */
  private pathOf(one: Variable): string {
    const within = ({ layers, name }: Named): string => {
      const inner = layers.find(({ weights }) => weights.includes(one));
      return `${name}/${inner ? within(inner) : one.name}`;
    };
    return this.model?.weights.includes(one) ? within(this.model) : one.name;
  }

  protected override ownSlotsFor(one: Variable): readonly string[] {
    return this.hasAdam(one) ? this.slotNames : ['momentum'];
  }

  /** Keras makes what it keeps of a variable next to each other. */
  override slotOrder<T>(beside: readonly (readonly T[])[]): T[] {
    return beside.flat();
  }

  protected override decayOf(one: Variable): number | null {
    return this.hasAdam(one) ? this.own.adamWeightDecay : this.weightDecay;
  }

  protected override update(
    w: Tensor,
    g: Tensor,
    [m, v]: readonly Tensor[],
    rate: Tensor,
    one: Variable,
  ): Update {
    if (this.hasAdam(one)) return this.adam(w, g, [m, v], rate);
    const { momentum, nesterov, rmsRate } = this.own;
    const next = m.mul(momentum).add(g);
    const direction = this.orthogonal(nesterov ? next.mul(momentum).add(g) : next);
    const length = rmsRate === null ? 1 : Math.sqrt(Math.max(...w.shape)) * rmsRate;
    return { value: w.sub(direction.mul(rate.mul(length))), slots: [next] };
  }

  /** N(x / ‖x‖): the singular vectors of x, with singular values near 1. */
  private orthogonal(given: Tensor): Tensor {
    const { muonA, muonB, muonC, nsSteps } = this.own;
    const isTall = given.shape[0] > given.shape[1];
    const squares = sum(given.square());
    const length = where(squares.greater(0), squares.sqrt(), squares).add(1e-7);
    let x = (isTall ? given.transpose() : given).div(length);
    for (let i = 0; i < nsSteps; i++) {
      const a = x.matmul(x.transpose());
      x = x.mul(muonA).add(a.mul(muonB).add(a.matmul(a).mul(muonC)).matmul(x));
    }
    return isTall ? x.transpose() : x;
  }

  private adam(w: Tensor, g: Tensor, [m, v]: readonly Tensor[], rate: Tensor): Update {
    const { adamBeta1: beta1, adamBeta2: beta2, adamLrRatio, epsilon } = this.own;
    // 1 − βᵗ = −expm1(t log β): see Adam.
    const correction = (beta: number): Tensor =>
      this.updates.add(1).cast('f32').mul(Math.log(beta)).expm1().neg();
    const alpha = rate.mul(adamLrRatio).mul(correction(beta2).sqrt()).div(correction(beta1));
    const nextM = m.add(g.sub(m).mul(1 - beta1));
    const nextV = v.add(
      g
        .square()
        .sub(v)
        .mul(1 - beta2),
    );
    return { value: w.sub(nextM.mul(alpha).div(nextV.sqrt().add(epsilon))), slots: [nextM, nextV] };
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), ...this.own };
  }
}
