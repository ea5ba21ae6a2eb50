/** `discretization`: numbers become the intervals that they lie in. */
import { ConfigError, StateError, ValueError } from '../../base/errors.ts';
import { tensor } from '../../ops/constant.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { option, orNull } from '../options.ts';
import { encodedIds, encodedShape } from './category-encoding.ts';
import { layerOf, type OptionsOf } from './define.ts';
import type { BatchShape } from './layer.ts';
import { outputModeRow } from './lookup.ts';
import { eachHostPart, listed } from './preparing.ts';

const rows = {
  /** Where one interval ends and the next begins, rising; default null: `adapt` finds numBins intervals. */
  binBoundaries: option<readonly number[] | null>(
    null,
    orNull((given, operation, name) => {
      const rising = (one: unknown, i: number, all: unknown[]) =>
        typeof one === 'number' && !Number.isNaN(one) && (i === 0 || one >= (all[i - 1] as number));
      if (Array.isArray(given) && given.every(rising)) return given as readonly number[];
      throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected rising numbers, or null.`);
    }),
  ),
  /** How many intervals adapt makes, of about as many values each; default null. */
  numBins: option<number | null>(null, orNull(wholeFrom(1))),
  /** How far quantiles may be off, as a share of the values; default 0.01. */
  epsilon: option(0.01, between(1e-9, 1)),
  /** The number of the interval ('int', default), or rows. */
  outputMode: outputModeRow(['int', 'one_hot', 'multi_hot', 'count']),
};

export type DiscretizationOptions = OptionsOf<typeof rows>;

/** Intervals of numbers: see {@link discretization}. */
export class Discretization extends layerOf('Discretization', rows) {
  constructor(options?: DiscretizationOptions) {
    super(options);
    // Files of adapted layers have both.
    if (this.numBins === null && this.binBoundaries === null)
      throw new ConfigError(`${this.name}: give binBoundaries, or numBins and call adapt.`);
  }

  private get boundaries(): readonly number[] {
    if (this.binBoundaries === null)
      throw new StateError(`${this.name}: the intervals are not known yet. Call adapt first.`);
    return this.binBoundaries;
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const depth = (this.binBoundaries?.length ?? this.numBins! - 1) + 1;
    return this.outputMode === 'int' ? inputShape : encodedShape(inputShape, this.outputMode, depth);
  }

  override call(x: Tensor): Tensor {
    const { boundaries, outputMode } = this;
    // As NumPy's digitize: an interval has its lower end.
    const above = x
      .cast('f32')
      .expandDims(-1)
      .greaterEqual(tensor(Float32Array.from(boundaries)));
    const ids = above.cast('i32').sum(-1);
    return outputMode === 'int' ? ids : encodedIds(ids, outputMode, boundaries.length + 1);
  }

  /**
   * Finds intervals of about as many values each: of an array or tensor, or of a dataset in batches, whose x counts. What
   * was found before is forgotten. ConfigError where the boundaries were given.
   */
  async adapt(data: unknown): Promise<void> {
    if (this.numBins === null)
      throw new ConfigError(
        `${this.name}: adapt finds the intervals, which were given. Give numBins instead.`,
      );
    let summary: Summary = { values: [], weights: [] };
    await eachHostPart(data, (part) => {
      const { values } = listed<number>(part, 'number', `${this.name}: adapt`);
      if (values.some(Number.isNaN))
        throw new ValueError(`${this.name}: adapt was given NaN, which lies in no interval.`);
      summary = merged(summarized(values, this.epsilon), summary, this.epsilon);
    });
    if (summary.values.length === 0) throw new ValueError(`${this.name}: adapt was given no values.`);
    // The option says what is known, and so do files.
    Object.assign(this, { binBoundaries: compressed(summary, 1 / this.numBins).values.slice(0, -1) });
  }
}

/** Values in rising order, each with the number of values that it stands for; f32, as Keras keeps them. */
interface Summary {
  readonly values: readonly number[];
  readonly weights: readonly number[];
}

function summarized(values: readonly number[], epsilon: number): Summary {
  const sorted = Float32Array.from(values).sort();
  const step = Math.max(sorted.length / (1 / epsilon), 1);
  const kept: number[] = [];
  for (let i = Math.trunc(step - 1); i < sorted.length; i += Math.trunc(step)) kept.push(sorted[i]);
  return { values: kept, weights: kept.map(() => Math.fround(step)) };
}

function merged(a: Summary, b: Summary, epsilon: number): Summary {
  const pairs = [a, b].flatMap(({ values, weights }) =>
    values.map((value, i) => [value, weights[i]] as const),
  );
  pairs.sort(([x], [y]) => x - y);
  return compressed(
    { values: pairs.map(([value]) => value), weights: pairs.map(([, weight]) => weight) },
    epsilon,
  );
}

/** About 1/epsilon values between those that there are. */
function compressed(summary: Summary, epsilon: number): Summary {
  if (summary.values.length * epsilon < 1) return summary;
  const shares: number[] = [];
  const count = Math.ceil(1 / epsilon);
  for (let i = 0; i < count; i++) shares.push(epsilon + i * epsilon);
  let sum = 0;
  const sums = summary.weights.map((weight) => (sum = Math.fround(sum + weight)));
  const parts = sums.map((one) => Math.fround(one / sum));
  const values = shares.map((share) => Math.fround(interpolated(share, parts, summary.values)));
  const ends = shares.map((share) => interpolated(share, parts, sums));
  return { values, weights: ends.map((end, i) => Math.fround(end - (i === 0 ? 0 : ends[i - 1]))) };
}

/** NumPy's interp. */
function interpolated(x: number, xs: readonly number[], ys: readonly number[]): number {
  const last = xs.length - 1;
  if (x <= xs[0]) return ys[0];
  if (x >= xs[last]) return ys[last];
  let i = 0;
  while (xs[i + 1] <= x) i++;
  return ys[i] + ((ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i])) * (x - xs[i]);
}

/**
 * Numbers become intervals: i where b[i − 1] ≤ x < b[i].
 *
 * ```ts
 * layers.discretization([0, 1, 2]).apply(tensor([-1.5, 1, 3.4]));      // [0, 2, 3], i32
 * ```
 */
export const discretization = (
  first: readonly number[] | DiscretizationOptions,
  rest?: Omit<DiscretizationOptions, 'binBoundaries'>,
): Discretization =>
  new Discretization(
    Array.isArray(first) ? { ...rest, binBoundaries: first } : (first as DiscretizationOptions),
  );
