/** Layers of attention: each step of one sequence looks at the steps of another, and takes a mean of what it finds. */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import { dotProductAttention } from '../../ops/attention.ts';
import { iota } from '../../ops/constant.ts';
import { matmul } from '../../ops/matmul.ts';
import { uniform } from '../../ops/random.ts';
import { cast, greaterEqual, logicalAnd, where } from '../../ops/select.ts';
import { show } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { between, flag, wholeNumber } from '../check.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { PLACES } from '../seeds.ts';
import { activityRow, factory, layerOf, type OptionsOf, weightRows } from './define.ts';
import { Drawing, seedRow } from './drawing.ts';
import { EinsumDense } from './einsum-dense.ts';
import { type BatchShape, type CallContext, type InputShape, masking, showBatch } from './layer.ts';
import { carryMasks, type Masks } from './masks.ts';
import { isList } from './symbolic.ts';

/** The score of a step that does not count. */
const NOTHING = -1e9;

/** What goes into attention: query, value and key, by default the value; of one tensor alone all three. */
function inputsOf<T>(given: T | readonly T[], layer: string): { query: T; value: T; key: T; apart: boolean } {
  const list = (Array.isArray(given) ? given : [given]) as readonly T[];
  if (list.length < 1 || list.length > 3)
    throw new ShapeError(
      `${layer}: ${list.length} inputs came; expected [query, value] or [query, value, key].`,
    );
  const [query, value = query, key = value] = list;
  return { query, value, key, apart: list.length === 3 };
}

const shapesOf = (shape: InputShape): readonly BatchShape[] => (isList(shape) ? shape : [shape]);

/** Which of the steps of a value count for which of a query: [1 or samples, T, S]; null for all. */
function allowed(
  [T, S]: readonly [number, number],
  { causal = false, window = null as number | null },
  masks: readonly (Tensor | null)[],
): Tensor | null {
  const row = iota(T).reshape([1, T, 1]);
  const column = iota(S).reshape([1, 1, S]);
  const all = [
    ...masks,
    causal ? greaterEqual(row, column) : null,
    window === null ? null : row.sub(column).abs().less(window),
  ].filter((mask) => mask !== null);
  return all.length === 0 ? null : all.reduce((a, b) => logicalAnd(a, b));
}

/** What layers of attention have in common: dropping shares, and masks. */
abstract class Attending extends Drawing {
  declare readonly dropout: number;
  declare readonly seed: number | null;

  /** Are some of the shares dropped? Then they are made one by one. */
  protected drops({ training }: CallContext): boolean {
    return training && this.dropout > 0;
  }

  /** The shares, some of them dropped in training. */
  protected thinned(shares: Tensor, context: CallContext): Tensor {
    if (!this.drops(context)) return shares;
    const kept = greaterEqual(this.drawn(uniform, shares.shape, this.seed), this.dropout);
    return where(kept, shares.div(1 - this.dropout), 0);
  }

  override computeMask(_x: unknown, mask: Masks): Masks {
    return [[mask].flat()[0] as Tensor | null];
  }
}

/** Options of attention in heads, whatever heads there are. */
export const inHeads = {
  /** Share of the scores' softmax that is dropped in training; default 0. */
  dropout: option(0, between(0, 1)),
  /** Whether projections add a bias; default true. */
  useBias: option(true, flag),
  /** Each step sees those nearer than this alone; default null: all. */
  slidingWindow: option(null as number | null, orNull(wholeNumber)),
  /** Whether a step sees no later one, as in a decoder; default false. Keras has it as an argument of the call. */
  useCausalMask: { ...option(false, flag), config: (causal: boolean) => causal || undefined },
  /** Whether the shares come out too, [samples, heads, T, S]; default false. Keras has it as an argument of the call. */
  returnAttentionScores: { ...option(false, flag), config: (asked: boolean) => asked || undefined },
  ...weightRows({ kernel: 'glorotUniform', bias: 'zeros' }),
  activityRegularizer: activityRow,
  /** For what is dropped; default null: the engine's seed. */
  seed: seedRow,
};

/** Attention in heads: query, key and value are projected, and so is the result. */
export abstract class InHeads extends Attending {
  declare readonly useBias: boolean;
  declare readonly slidingWindow: number | null;
  declare readonly useCausalMask: boolean;
  declare readonly returnAttentionScores: boolean;
  queryDense: EinsumDense | null = null;
  keyDense: EinsumDense | null = null;
  /** Where there is one it comes before the values, as in Keras. */
  gateDense: EinsumDense | null = null;
  valueDense: EinsumDense | null = null;
  outputDense: EinsumDense | null = null;

  /** Number of heads, and the length of what comes out of a query of this length. */
  protected abstract get headCount(): number;
  protected abstract lengthAfter(query: number): number;
  /** The layers inside, from the shapes of query, value and key. */
  protected abstract buildInner(query: BatchShape, value: BatchShape, key: BatchShape): void;

  /** Keys or values with one head for each of the query. */
  protected perHead(x: Tensor): Tensor {
    return x;
  }

  /** What of the heads' results goes on to the last projection. */
  protected passed(made: Tensor, _query: Tensor, _context: CallContext): Tensor {
    return made;
  }

  override build(inputShape: InputShape): void {
    carryMasks();
    const { query, value, key } = inputsOf(shapesOf(inputShape) as readonly BatchShape[], this.name);
    for (const shape of [query, value, key])
      if (shape.length !== 3)
        throw new ShapeError(
          `${this.name}: input has shape ${showBatch(shape)}; expected [samples, steps, features].`,
        );
    this.buildInner(query, value, key);
  }

  /** A projection, built. */
  protected project(
    name: string,
    shape: BatchShape,
    equation: string,
    sizes: (number | null)[],
    biasAxes: string,
    further: object = {},
  ): EinsumDense {
    const options = this as object as Record<string, Initializer>;
    const common = Object.fromEntries(
      ['Initializer', 'Regularizer', 'Constraint'].flatMap((kind) =>
        ['kernel', 'bias'].map((weight) => [`${weight}${kind}`, options[`${weight}${kind}`]]),
      ),
    );
    const layer = new EinsumDense({
      name,
      equation,
      outputShape: sizes,
      biasAxes: this.useBias ? biasAxes : null,
      ...common,
      ...further,
    } as never);
    layer.supportsMasking = true;
    layer.place = (this.place ?? 0) * PLACES + this.layers.length + 1;
    layer.randomSeed ??= this.randomSeed;
    layer.buildFor(shape);
    return layer;
  }

  protected override checkInput(inputShape: InputShape): void {
    const { query, value, key } = inputsOf(shapesOf(inputShape) as readonly BatchShape[], this.name);
    this.queryDense!.buildFor(query);
    this.valueDense!.buildFor(value);
    this.keyDense!.buildFor(key);
  }

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const { query, value } = inputsOf(shapesOf(inputShape) as readonly BatchShape[], this.name);
    const output = [query[0], query[1], this.lengthAfter(query[2] as number)];
    if (!this.returnAttentionScores) return output;
    return [output, [query[0], this.headCount, query[1], value[1]]] as object as BatchShape;
  }

  override call(given: Tensor | readonly Tensor[], context: CallContext): Tensor {
    const { query, value, key, apart } = inputsOf<Tensor>(given, this.name);
    const [T, S] = [query.shape[1], value.shape[1]];
    const inner = { training: context.training && this.trainable };
    const q = this.queryDense!.apply(query, inner);
    const k = this.keyDense!.apply(key, inner);
    const v = this.valueDense!.apply(value, inner);
    const queryMask = context.mask ?? masking.of(query);
    const extra = context.attentionMask ? cast(context.attentionMask, 'bool') : null;
    if (extra && (extra.rank !== 3 || extra.shape[1] !== T || extra.shape[2] !== S))
      throw new ShapeError(
        `${this.name}: attentionMask has shape ${show(extra.shape)}; expected [samples, ${T}, ${S}].`,
      );
    const across = (mask: Tensor | null): Tensor | null => mask?.expandDims(1) ?? null;
    const masks = [
      queryMask?.expandDims(2).broadcastTo([...queryMask.shape, S]) ?? null,
      across(value === query ? queryMask : masking.of(value)),
      apart ? across(masking.of(key)) : null,
      extra,
    ];
    const [isCausal, slidingWindow] = [this.useCausalMask, this.slidingWindow];
    if (!this.returnAttentionScores && !this.drops(context)) {
      const made = dotProductAttention(q, k, v, {
        mask: allowed([T, S], {}, masks),
        isCausal,
        slidingWindow,
      });
      return this.outputDense!.apply(this.passed(made, query, inner), inner);
    }
    const mask = allowed([T, S], { causal: isCausal, window: slidingWindow }, masks)?.expandDims(1);
    const byHead = (x: Tensor): Tensor => x.transpose([0, 2, 1, 3]);
    const keys = byHead(this.perHead(k));
    const scores = matmul(byHead(q).mul(1 / Math.sqrt(q.shape[3])), keys, { transposeB: true });
    const all = (mask ? where(mask, scores, NOTHING) : scores).softmax(-1);
    // A step that may look at nothing looks at all alike, as in Keras, whose shares are 0 only where they are asked for.
    const shares = mask && this.returnAttentionScores ? where(mask, all, 0) : all;
    const made = byHead(matmul(this.thinned(shares, context), byHead(this.perHead(v))));
    const output = this.outputDense!.apply(this.passed(made, query, inner), inner);
    return (this.returnAttentionScores ? [output, shares] : output) as Tensor;
  }
}

const heads = {
  /** Number of heads. */
  numHeads: needed<number>(wholeNumber),
  /** Length of a head's queries and keys. */
  keyDim: needed<number>(wholeNumber),
  /** Length of a head's values; default null: keyDim. */
  valueDim: option(null as number | null, orNull(wholeNumber)),
  /** Length of what comes out; default null: that of the query. */
  outputShape: option<number | readonly number[] | null, number | null>(null, (given, ...where) => {
    const one = Array.isArray(given) && given.length === 1 ? given[0] : given;
    return one === null ? null : wholeNumber(one, ...where);
  }),
  /** Accepted where it is the axis of the steps: null (default) or 1. */
  attentionAxes: option<unknown, null>(null, (given, operation, name) => {
    if (given === null || given === 1 || (Array.isArray(given) && given.length === 1 && given[0] === 1))
      return null;
    throw new ConfigError(
      `${operation}: ${name} is ${describe(given)}; expected null or 1, the axis of the steps.`,
    );
  }),
  ...inHeads,
};

export type MultiHeadAttentionOptions = OptionsOf<typeof heads>;

/**
 * Attention in several heads (Vaswani et al. 2017): softmax(q kᵀ / √keyDim) v of each, with q, k, v and the result projected.
 *
 * [query, value] or [query, value, key], or one tensor for all; query: [samples, T, a], value and key: [samples, S, …] →
 * [samples, T, a]. What masks of the inputs, `attentionMask` of the call ([samples, T, S]), the causal mask and the window
 * leave out has no share. The scores, [samples, heads, T, S], are stored only where shares are dropped or asked for.
 */
export class MultiHeadAttention extends layerOf('MultiHeadAttention', heads, InHeads) {
  override readonly innerPaths = ['query_dense', 'key_dense', 'value_dense', 'output_dense'];

  protected override get headCount(): number {
    return this.numHeads;
  }

  protected override lengthAfter(query: number): number {
    return this.outputShape ?? query;
  }

  protected override buildInner(query: BatchShape, value: BatchShape, key: BatchShape): void {
    const { numHeads, keyDim } = this;
    const size = this.valueDim ?? keyDim;
    const within = (name: string, shape: BatchShape, length: number) =>
      this.project(name, shape, 'abc,cde->abde', [null, numHeads, length], 'de');
    this.queryDense = within('query', query, keyDim);
    this.keyDense = within('key', key, keyDim);
    this.valueDense = within('value', value, size);
    this.outputDense = this.project(
      'attention_output',
      [query[0], query[1], numHeads, size],
      'abcd,cde->abe',
      [null, this.lengthAfter(query[2] as number)],
      'e',
    );
  }
}

/** Attention in several heads: multiHeadAttention(8, 64).apply([query, value]). */
export function multiHeadAttention(options: MultiHeadAttentionOptions): MultiHeadAttention;
export function multiHeadAttention(
  numHeads: number,
  keyDim: number,
  options?: Omit<MultiHeadAttentionOptions, 'numHeads' | 'keyDim'>,
): MultiHeadAttention;
export function multiHeadAttention(
  first: number | MultiHeadAttentionOptions,
  keyDim?: number,
  options: object = {},
): MultiHeadAttention {
  return new MultiHeadAttention(
    typeof first === 'number'
      ? ({ ...options, numHeads: first, keyDim } as MultiHeadAttentionOptions)
      : first,
  );
}

const plainRows = {
  /** Share of the scores' softmax that is dropped in training; default 0. */
  dropout: option(0, between(0, 1)),
  /** For what is dropped; default null: the engine's seed. */
  seed: seedRow,
  /** Whether a step sees no later one; default false. Keras has it as an argument of the call. */
  useCausalMask: inHeads.useCausalMask,
  /** Whether the shares come out too, [samples, T, S]; default false. Keras has it as an argument of the call. */
  returnAttentionScores: inHeads.returnAttentionScores,
};

const dotRows = {
  /** Whether scores are multiplied by a weight; default false. */
  useScale: option(false, flag),
  /** 'dot': q · k (default); 'concat': Σ tanh(q + k), times a weight. */
  scoreMode: option<'dot' | 'concat'>('dot', (given, operation, name) => {
    if (given === 'dot' || given === 'concat') return given;
    throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected 'dot' or 'concat'.`);
  }),
  ...plainRows,
};

/** What attention without heads does with its scores. */
abstract class Plain extends Attending {
  declare readonly useScale: boolean;
  declare readonly useCausalMask: boolean;
  declare readonly returnAttentionScores: boolean;
  scale: Variable | null = null;

  /** [samples, T, S] */
  protected abstract scores(query: Tensor, key: Tensor): Tensor;

  /** [samples, T, b] without scores, where they are products; null otherwise. */
  protected products(_query: Tensor, _key: Tensor, _value: Tensor): Tensor | null {
    return null;
  }

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const { query, value } = inputsOf(shapesOf(inputShape) as readonly BatchShape[], this.name);
    const output = [...query.slice(0, -1), value.at(-1)!];
    if (!this.returnAttentionScores) return output;
    return [output, [query[0], query[1], value[1]]] as object as BatchShape;
  }

  override call(given: Tensor | readonly Tensor[], context: CallContext): Tensor {
    const { query, value, key } = inputsOf<Tensor>(given, this.name);
    const valueMask = masking.of(value);
    const queryMask = context.mask ?? masking.of(query);
    const finished = (made: Tensor): Tensor => (queryMask ? where(queryMask.expandDims(2), made, 0) : made);
    const direct = !valueMask && !this.returnAttentionScores && !this.drops(context);
    const quick = direct ? this.products(query, key, value) : null;
    if (quick) return finished(quick);
    const scores = this.scores(query, key);
    const mask = allowed([query.shape[1], value.shape[1]], { causal: this.useCausalMask }, [
      valueMask?.expandDims(1) ?? null,
    ]);
    const shares = this.thinned(
      (mask ? where(mask, scores, scores.add(NOTHING)) : scores).softmax(-1),
      context,
    );
    const output = finished(matmul(shares, value));
    return (this.returnAttentionScores ? [output, shares] : output) as Tensor;
  }
}

export type AttentionOptions = OptionsOf<typeof dotRows>;

/**
 * softmax(q kᵀ) v (Luong et al. 2015)
 *
 * [query, value] or [query, value, key]: [samples, T, a], [samples, S, b], [samples, S, a] → [samples, T, b]. Steps of the value
 * that are masked have no share; masked steps of the query give 0.
 */
export class Attention extends layerOf('Attention', dotRows, Plain) {
  concatScoreWeight: Variable | null = null;

  override build(): void {
    carryMasks();
    if (this.useScale) this.scale = this.addWeight('scale', [], 'ones');
    if (this.scoreMode === 'concat')
      this.concatScoreWeight = this.addWeight('concat_score_weight', [], 'ones');
  }

  protected override products(query: Tensor, key: Tensor, value: Tensor): Tensor | null {
    if (this.scoreMode !== 'dot' || query.rank !== 3) return null;
    const oneHead = (x: Tensor): Tensor => x.expandDims(2);
    const q = this.scale ? query.mul(this.scale) : query;
    const isCausal = this.useCausalMask;
    return dotProductAttention(oneHead(q), oneHead(key), oneHead(value), { scale: 1, isCausal }).squeeze(2);
  }

  protected override scores(query: Tensor, key: Tensor): Tensor {
    const { scale } = this;
    if (this.scoreMode === 'dot') {
      const scores = matmul(query, key, { transposeB: true });
      return scale ? scores.mul(scale) : scores;
    }
    const sums = query.expandDims(2).add(key.expandDims(1));
    return (scale ? sums.mul(scale) : sums).tanh().sum(-1).mul(this.concatScoreWeight!);
  }
}

const additiveRows = {
  /** Whether each feature has a weight in the score; default true. */
  useScale: option(true, flag),
  ...plainRows,
};

export type AdditiveAttentionOptions = OptionsOf<typeof additiveRows>;

/** softmax(Σ scale · tanh(q + k)) v (Bahdanau et al. 2015); as attention otherwise. */
export class AdditiveAttention extends layerOf('AdditiveAttention', additiveRows, Plain) {
  override build(inputShape: InputShape): void {
    carryMasks();
    const { query } = inputsOf(shapesOf(inputShape) as readonly BatchShape[], this.name);
    if (this.useScale) this.scale = this.addWeight('scale', [query.at(-1)!]);
  }

  protected override scores(query: Tensor, key: Tensor): Tensor {
    const shapes = query.expandDims(2).add(key.expandDims(1)).tanh();
    return (this.scale ? shapes.mul(this.scale) : shapes).sum(-1);
  }
}

/** softmax(q kᵀ) v: attention().apply([query, value]). */
export const attention = factory(Attention, 'useScale');
/** softmax(Σ scale · tanh(q + k)) v: additiveAttention().apply([query, value]). */
export const additiveAttention = factory(AdditiveAttention, 'useScale');
