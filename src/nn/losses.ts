/**
 * Losses: a row each. A row gives one value for each row of predictions, [N, …, C] → [N, …]; weighting
 * and averaging are the same for all.
 */
import { ConfigError } from '../base/errors.ts';
import type { TensorLike } from '../ops/constant.ts';
import { toTensor } from '../ops/constant.ts';
import { oneHot } from '../ops/movement.ts';
import { mean, sum } from '../ops/reduce.ts';
import { cast, where } from '../ops/select.ts';
import type { Shape } from '../ops/shape.ts';
import { softmaxCrossEntropy } from '../ops/softmax.ts';
import type { Tensor } from '../ops/tensor.ts';
import { flag, numberBetween } from './check.ts';
import { describe, kerasClass, Names, readDescription, readOptions, snakeCase } from './names.ts';
import { classNumbers, isSparse, paired, perSample, sameRank } from './pairs.ts';

/** Probabilities are kept this far from 0 and 1. */
const EPSILON = 1e-7;

/** How the values of a batch become one number. */
export type Reduction = 'sumOverBatchSize' | 'sum' | 'none';

const reductions = new Names<Reduction>(
  'reduction',
  { sumOverBatchSize: 'sumOverBatchSize', sum: 'sum', none: 'none' },
  { mean: 'sumOverBatchSize' },
);

/** Options of single losses; a loss takes those that its row names. */
interface RowOptions {
  fromLogits: boolean;
  labelSmoothing: number;
  delta: number;
}

interface Row {
  /** Options that the loss takes, with their defaults. */
  readonly options?: Partial<RowOptions>;
  /** The activation whose input the form `fromLogits` wants. */
  readonly absorbs?: 'softmax' | 'sigmoid';
  /** True where y holds class numbers. */
  readonly sparse?: boolean;
  readonly values: (yTrue: Tensor, yPred: Tensor, options: RowOptions) => Tensor;
}

/** A row that compares element by element and averages over the last axis. */
const averaged = (name: string, f: (t: Tensor, p: Tensor, options: RowOptions) => Tensor): Row['values'] => {
  return (yTrue, yPred, options) => {
    const [t, p] = paired(name, yTrue, yPred);
    return mean(f(t, p, options), -1);
  };
};

/** −Σ t · log p over the last axis, p first scaled to a sum of 1 and kept inside (0, 1). */
const crossEntropyOfProbabilities = (t: Tensor, p: Tensor): Tensor =>
  sum(
    t.mul(
      p
        .div(sum(p, -1, true))
        .clip(EPSILON, 1 - EPSILON)
        .log(),
    ),
    -1,
  ).neg();

const crossEntropy = (t: Tensor, p: Tensor, fromLogits: boolean): Tensor =>
  fromLogits ? softmaxCrossEntropy(p, t) : crossEntropyOfProbabilities(t, p);

/** Rows of length 1 under a square root, but never 0. */
const unit = (x: Tensor): Tensor =>
  x.div(
    sum(x.square(), -1, true)
      .maximum(EPSILON * EPSILON)
      .sqrt(),
  );

/** Labels 0 and 1 become −1 and 1, when there are no others. */
function hingeLabels(t: Tensor): Tensor {
  const binary = t.equal(0).logicalOr(t.equal(1)).cast('f32').min();
  return where(binary.greater(0), t.mul(2).sub(1), t);
}

const crossEntropyOptions = { fromLogits: false, labelSmoothing: 0 };

const table = {
  /** mean (t − p)² */
  meanSquaredError: { values: averaged('meanSquaredError', (t, p) => p.sub(t).square()) },

  /** mean |t − p| */
  meanAbsoluteError: { values: averaged('meanAbsoluteError', (t, p) => p.sub(t).abs()) },

  /** 100 · mean |t − p| / |t| */
  meanAbsolutePercentageError: {
    values: averaged('meanAbsolutePercentageError', (t, p) =>
      t.sub(p).div(t.abs().maximum(EPSILON)).abs().mul(100),
    ),
  },

  /** mean (log(1 + t) − log(1 + p))² */
  meanSquaredLogarithmicError: {
    values: averaged('meanSquaredLogarithmicError', (t, p) =>
      p.maximum(EPSILON).log1p().sub(t.maximum(EPSILON).log1p()).square(),
    ),
  },

  /** −Σ t · log p: rows t of probabilities, mostly one-hot */
  categoricalCrossentropy: {
    options: crossEntropyOptions,
    absorbs: 'softmax',
    values(yTrue, yPred, { fromLogits, labelSmoothing }) {
      const [t, p] = paired('categoricalCrossentropy', yTrue, yPred);
      const classes = p.shape[p.rank - 1];
      const smooth = labelSmoothing === 0 ? t : t.mul(1 - labelSmoothing).add(labelSmoothing / classes);
      return crossEntropy(smooth, p, fromLogits);
    },
  },

  /** −log p of the right class: class numbers t, one for each row */
  sparseCategoricalCrossentropy: {
    options: { fromLogits: false },
    absorbs: 'softmax',
    sparse: true,
    values(yTrue, yPred, { fromLogits }) {
      const labels = classNumbers('sparseCategoricalCrossentropy', yTrue, yPred);
      return crossEntropy(oneHot(labels, yPred.shape[yPred.rank - 1]), cast(yPred, 'f32'), fromLogits);
    },
  },

  /** mean −(t · log p + (1 − t) · log(1 − p)) */
  binaryCrossentropy: {
    options: crossEntropyOptions,
    absorbs: 'sigmoid',
    values: averaged('binaryCrossentropy', (yTrue, p, { fromLogits, labelSmoothing }) => {
      const t = labelSmoothing === 0 ? yTrue : yTrue.mul(1 - labelSmoothing).add(0.5 * labelSmoothing);
      // −log σ(z) = softplus(−z): each half is accurate where it counts, and so is the gradient at z = 0.
      const [ifTrue, ifFalse] = fromLogits
        ? [p.neg().softplus(), p.softplus()]
        : [p, p.neg().add(1)].map((x) =>
            x
              .clip(EPSILON, 1 - EPSILON)
              .log()
              .neg(),
          );
      return t.mul(ifTrue).add(t.neg().add(1).mul(ifFalse));
    }),
  },

  /** ½ e² up to |e| = delta, then delta · |e| − ½ delta² */
  huber: {
    options: { delta: 1 },
    values: averaged('huber', (t, p, { delta }) => {
      const e = p.sub(t).abs();
      return where(e.lessEqual(delta), e.square().mul(0.5), e.mul(delta).sub(0.5 * delta * delta));
    }),
  },

  /** mean log cosh(p − t) */
  logCosh: {
    values: averaged('logCosh', (t, p) => {
      const e = p.sub(t);
      return e.add(e.mul(-2).softplus()).sub(Math.LN2);
    }),
  },

  /** Σ t · log(t / p) */
  klDivergence: {
    values(yTrue, yPred) {
      const [t, p] = paired('klDivergence', yTrue, yPred).map((x) => x.clip(EPSILON, 1));
      return sum(t.mul(t.div(p).log()), -1);
    },
  },

  /** mean p − t · log p */
  poisson: { values: averaged('poisson', (t, p) => p.sub(t.mul(p.add(EPSILON).log()))) },

  /** −cos of the angle between t and p */
  cosineSimilarity: {
    values(yTrue, yPred) {
      const [t, p] = paired('cosineSimilarity', yTrue, yPred);
      return sum(unit(t).mul(unit(p)), -1).neg();
    },
  },

  /** mean max(1 − t · p, 0), t = ±1 */
  hinge: { values: averaged('hinge', (t, p) => hingeLabels(t).mul(p).neg().add(1).relu()) },

  /** mean max(1 − t · p, 0)² */
  squaredHinge: {
    values: averaged('squaredHinge', (t, p) => hingeLabels(t).mul(p).neg().add(1).relu().square()),
  },

  /** max(best of the wrong classes − the right one + 1, 0) */
  categoricalHinge: {
    values(yTrue, yPred) {
      const [t, p] = paired('categoricalHinge', yTrue, yPred);
      const wrong = t.neg().add(1).mul(p).max(-1);
      return wrong
        .sub(sum(t.mul(p), -1))
        .add(1)
        .relu();
    },
  },
} satisfies Record<string, Row>;

type LossName = keyof typeof table;

/** Options of every loss made by {@link losses}. */
export interface LossOptions extends Partial<RowOptions> {
  /** Default 'sumOverBatchSize': the mean over all values. */
  reduction?: string;
  /** Shown in logs and saved; default the loss's name. */
  name?: string | null;
}

/** Compares what is true with what is predicted. */
export class Loss {
  /** snake_case, as Keras has it. */
  readonly name: string;
  /** Keras's class name, or null for a loss of one's own: files describe losses by it. */
  readonly className: string | null;
  readonly reduction: Reduction;
  /** Options in full, in camelCase. */
  readonly config: Readonly<Record<string, unknown>>;
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
    config: Readonly<Record<string, unknown>> = {},
    {
      absorbs = null,
      sparse = false,
      className = null,
    }: { absorbs?: 'softmax' | 'sigmoid' | null; sparse?: boolean; className?: string | null } = {},
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

/**
 * A loss by name. Called with options it makes a Loss for `compile`; called with y and predictions it is the
 * function itself, one value for each row of predictions.
 */
export interface LossFactory {
  (options?: LossOptions): Loss;
  (yTrue: TensorLike, yPred: TensorLike, options?: LossOptions): Tensor;
}

function makeLoss(name: LossName, options?: LossOptions): Loss {
  const row: Row = table[name];
  const defaults = { reduction: 'sumOverBatchSize', name: null as string | null, ...row.options };
  const given = readOptions(name, options, defaults) as typeof defaults & RowOptions;
  const takes = (option: keyof RowOptions): boolean => Object.hasOwn(row.options ?? {}, option);
  if (takes('fromLogits')) flag(given.fromLogits, name, 'fromLogits');
  if (takes('labelSmoothing')) numberBetween(given.labelSmoothing, name, 'labelSmoothing', 0, 1);
  if (takes('delta')) numberBetween(given.delta, name, 'delta', 0);
  return new Loss(
    given.name ?? snakeCase(kerasClass(name)),
    (yTrue, yPred, fromLogits) => row.values(yTrue, yPred, { ...given, fromLogits }),
    { ...given },
    { ...row, className: kerasClass(name) },
  );
}

const factory = (name: LossName): LossFactory =>
  ((...args: [TensorLike | LossOptions | undefined, TensorLike?, LossOptions?]) => {
    const [first, second, options] = args;
    return second === undefined
      ? makeLoss(name, first as LossOptions | undefined)
      : makeLoss(name, options).values(first as TensorLike, second);
  }) as LossFactory;

/**
 * Losses by name: `losses.sparseCategoricalCrossentropy({ fromLogits: true })` for `compile`, or as functions
 * in one's own steps: `losses.meanSquaredError(y, model.apply(x)).mean()`.
 */
export const losses = Object.fromEntries(
  (Object.keys(table) as LossName[]).map((name) => [name, factory(name)]),
) as Readonly<Record<LossName, LossFactory>>;

/** Keras's short names. */
export const shortNames = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  bce: 'binaryCrossentropy',
  kld: 'klDivergence',
  kullbackLeiblerDivergence: 'klDivergence',
} as const;

export const lossNames = new Names<LossFactory>('loss', losses, shortNames);

/** A loss of one's own: a function, or an object with `call` (and perhaps `name` and `config`). */
export interface LossDefinition {
  name?: string;
  /** One value for each sample, or a scalar. */
  call(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: Record<string, unknown>;
}

export type LossLike = string | Loss | LossDefinition | ((yTrue: Tensor, yPred: Tensor) => Tensor);

/** Chooses the loss once the shapes of y and the predictions are known. */
export type LossChoice = (yTrue: Shape, yPred: Shape) => Loss;

/** What `compile({ loss })` means. 'crossentropy' is chosen by the shapes, as in Keras. */
export function resolveLoss(given: unknown, operation: string): LossChoice {
  const loss = lossOf(given, operation);
  if (loss instanceof Loss && loss.reduction === 'none')
    throw new ConfigError(
      `${operation}: loss ${loss.name} has reduction 'none'; training needs one number. Use 'sum' or 'sumOverBatchSize'.`,
    );
  return loss instanceof Loss ? () => loss : loss;
}

function lossOf(given: unknown, operation: string): Loss | LossChoice {
  if (given instanceof Loss) return given;
  if (typeof given === 'string') {
    if (['crossentropy', 'ce'].includes(given.toLowerCase()))
      return (yTrue, yPred) => {
        if (yPred.at(-1) === 1) return losses.binaryCrossentropy();
        return isSparse(yTrue, yPred)
          ? losses.sparseCategoricalCrossentropy()
          : losses.categoricalCrossentropy();
      };
    return lossNames.get(given, operation)();
  }
  if (typeof given === 'function')
    return new Loss(given.name || 'loss', given as (yTrue: Tensor, yPred: Tensor) => Tensor);
  if (typeof given === 'object' && given !== null && 'call' in given) {
    const { name = 'loss', call, config } = given as LossDefinition;
    return new Loss(name, (yTrue, yPred) => call.call(given, yTrue, yPred), config);
  }
  if (typeof given === 'object' && given !== null) {
    const { className, config } = readDescription(operation, given);
    return lossNames.get(className, operation)(config);
  }
  throw new ConfigError(`${operation}: loss is ${describe(given)}; expected a name, a loss or a function.`);
}
