/** What a loss is: one value for each row of predictions, weighted and averaged in the same way for all. */
import { type TensorLike, toTensor } from '../../ops/constant.ts';
import type { CrossEntropyOptions } from '../../ops/cross-entropy.ts';
import { oneHot } from '../../ops/movement.ts';
import { mean, sum } from '../../ops/reduce.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, numberBetween } from '../check.ts';
import { kerasClass, Names, readOptions, snakeCase } from '../names.ts';
import { classNumbers, paired, perSample, sameRank } from '../targets.ts';

/** How the values of a batch become one number. */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'none';

const reductions = Names.ofWords<Reduction>('reduction', ['sumOverBatchSize', 'sum', 'none'], {
  mean: 'sumOverBatchSize',
});

/** What is known of a loss beside its formula. */
interface Traits {
  /** The activation whose input the form `fromLogits` wants. */
  readonly absorbs?: 'softmax' | 'sigmoid' | null;
  /** True where y holds class numbers. */
  readonly sparse?: boolean;
  /** Keras's class name; default null: a loss of one's own, which files cannot describe. */
  readonly className?: string | null;
}

type Config = Readonly<Record<string, unknown>>;

/** Compares what is true with what is predicted. */
export class Loss {
  /** snake_case, as Keras has it. */
  readonly name: string;
  /** Keras's class name, or null for a loss of one's own: files describe losses by it. */
  readonly className: string | null;
  readonly reduction: Reduction;
  /** Options in full, in camelCase. */
  readonly config: Config;
  /** Whether y holds class numbers, which are then checked before training. */
  readonly sparse: boolean;
  /** The final activation that this loss would rather see the input of, or null. */
  readonly absorbs: 'softmax' | 'sigmoid' | null;
  /** Whether the predictions are taken for logits. */
  readonly fromLogits: boolean;
  private readonly compare: (yTrue: Tensor, yPred: Tensor, fromLogits: boolean) => Tensor;

  constructor(
    name: string,
    compare: (yTrue: Tensor, yPred: Tensor, fromLogits: boolean) => Tensor,
    config: Config = {},
    { absorbs = null, sparse = false, className = null }: Traits = {},
  ) {
    this.name = name;
    this.className = className;
    this.compare = compare;
    this.config = config;
    this.reduction = reductions.get(config.reduction ?? 'sumOverBatchSize', name);
    this.fromLogits = config.fromLogits === true;
    this.absorbs = this.fromLogits ? null : absorbs;
    this.sparse = sparse;
  }

  /**
   * One value for each row of predictions: [N, …, C] → [N, …]. `logits`: the predictions have not gone
   * through the activation that the loss absorbs.
   */
  values(yTrue: TensorLike, yPred: TensorLike, logits = this.fromLogits): Tensor {
    return this.compare(toTensor(yTrue), toTensor(yPred), logits);
  }

  /** The loss of a batch, reduced: weighted by `sampleWeight`, then averaged (or summed). */
  compute(yTrue: TensorLike, yPred: TensorLike, sampleWeight?: TensorLike | null): Tensor {
    return this.reduce(weighted(this.values(yTrue, yPred), sampleWeight));
  }

  /** Values as one number. */
  reduce(values: Tensor): Tensor {
    if (this.reduction === 'none' || values.rank === 0) return values;
    return this.reduction === 'sum' ? sum(values) : mean(values);
  }

  /** What each sample of a batch adds to `batch size · batch loss`: [N]. Epoch means are made of these sums. */
  contributions(values: Tensor, batchSize: number): Tensor {
    if (values.rank === 0) return values.broadcastTo([batchSize]);
    const each = perSample(values);
    return this.reduction === 'sum' ? each.mul(values.size) : each;
  }
}

/** Values times the weights of their samples; a weight of [N] counts for all values of a sample. */
export function weighted(values: Tensor, sampleWeight?: TensorLike | null): Tensor {
  if (sampleWeight === null || sampleWeight === undefined) return values;
  const weight = cast(toTensor(sampleWeight), 'f32');
  const [v, w] = weight.rank === 0 ? [values, weight] : sameRank(values, weight);
  const aligned =
    w.rank > 0 && w.rank < v.rank ? w.reshape([...w.shape, ...Array(v.rank - w.rank).fill(1)]) : w;
  return v.mul(aligned);
}

/** Options of single losses; a loss takes those for which its formula has defaults. */
interface FormulaOptions extends CrossEntropyOptions {
  readonly delta: number;
}

const checks: Record<keyof FormulaOptions, (value: unknown, operation: string, option: string) => void> = {
  fromLogits: flag,
  labelSmoothing: (...given) => numberBetween(...given, 0, 1),
  delta: (...given) => numberBetween(...given, 0),
};

/** Options of every loss by name. */
export interface LossOptions extends Partial<FormulaOptions> {
  /** Default 'sumOverBatchSize': the mean over all values. */
  reduction?: string;
  /** Shown in logs and saved; default the loss's name. */
  name?: string | null;
}

/**
 * A loss by name. Called with options it makes a Loss for `compile`; called with y and predictions it is the
 * function itself, one value for each row of predictions.
 */
export interface LossFactory {
  (options?: LossOptions): Loss;
  (yTrue: TensorLike, yPred: TensorLike, options?: LossOptions): Tensor;
}

/** A value for each element, of which the mean over the last axis is taken, or one for each row. y is as the predictions. */
type Formula = (t: Tensor, p: Tensor, options: FormulaOptions) => Tensor;

/** The loss of a formula. `defaults`: of the options that it takes. */
export function lossOf(
  name: string,
  formula: Formula,
  defaults: Partial<FormulaOptions> = {},
  traits: Traits = {},
): LossFactory {
  const className = kerasClass(name);
  const make = (options?: LossOptions): Loss => {
    const given = readOptions(name, options, {
      reduction: 'sumOverBatchSize',
      name: null as string | null,
      ...defaults,
    });
    for (const option of Object.keys(defaults) as (keyof FormulaOptions)[])
      checks[option](given[option], name, option);
    const compare = (yTrue: Tensor, yPred: Tensor, fromLogits: boolean): Tensor => {
      const [t, p] = traits.sparse
        ? [oneHot(classNumbers(name, yTrue, yPred), yPred.shape[yPred.rank - 1]), cast(yPred, 'f32')]
        : paired(name, yTrue, yPred);
      const values = formula(t, p, { ...(given as FormulaOptions), fromLogits });
      return values.rank === p.rank ? mean(values, -1) : values;
    };
    return new Loss(given.name ?? snakeCase(className), compare, given, { ...traits, className });
  };
  return ((first?: TensorLike | LossOptions, second?: TensorLike, options?: LossOptions) =>
    second === undefined
      ? make(first as LossOptions | undefined)
      : make(options).values(first as TensorLike, second)) as LossFactory;
}
