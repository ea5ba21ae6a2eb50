/** `normalization`: features at mean 0 and variance 1, by what is known of the data before training. */
import { ConfigError, ShapeError, ValueError } from '../../base/errors.ts';
import { isNdArray } from '../../data/pipeline/columns.ts';
import { assignAll } from '../../graph/variables.ts';
import { type TensorLike, tensor } from '../../ops/constant.ts';
import { cast } from '../../ops/select.ts';
import { variance as varianceOf } from '../../ops/statistics.ts';
import { Tensor, type Variable } from '../../ops/tensor.ts';
import { flag } from '../check.ts';
import { describe } from '../names.ts';
import { option, orNull } from '../options.ts';
import { eachPart } from './adapt.ts';
import { axesOf, someAxes } from './axis.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, knownSizes } from './layer.ts';

/** Numbers as nested arrays: of one, a list, or lists of lists. */
type Numbers = number | readonly Numbers[];

const numbersRow = option<Numbers | null>(
  null,
  orNull((given, operation, name) => {
    const flat = [given].flat(Number.POSITIVE_INFINITY);
    if (flat.length > 0 && flat.every(Number.isFinite)) return given as Numbers;
    throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected numbers, or null.`);
  }),
);

const rows = {
  /** The axis or axes that keep a mean and a variance of their own; null: one for all values. Default -1. */
  axis: option<number | readonly number[] | null, readonly number[]>(-1, (given, operation, name) =>
    given === null ? [] : [someAxes(given, operation, name)].flat(),
  ),
  /** The means, where they are known; default null: `adapt` finds them. */
  mean: numbersRow,
  /** The variances, where they are known. */
  variance: numbersRow,
  /** Whether the way back is gone: from normalized values to those of the data; default false. */
  invert: option(false, flag),
};

export type NormalizationOptions = OptionsOf<typeof rows>;

/** Deviations are at least this. */
const EPSILON = 1e-7;

/**
 * y = (x − μ) / σ, with μ and σ of the data: given, or found by `adapt` and kept in files as weights that are not trained.
 */
export class Normalization extends layerOf('Normalization', rows) {
  private found: { readonly mean: Variable; readonly variance: Variable } | null = null;

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override build(inputShape: BatchShape): void {
    const axes = axesOf(this, this.axis, inputShape.length);
    const sizes = knownSizes(
      axes.map((axis) => inputShape[axis]),
      this.name,
    );
    const { mean, variance } = this;
    if ((mean === null) !== (variance === null))
      throw new ConfigError(
        `${this.name}: ${mean === null ? 'variance' : 'mean'} is given alone; give mean and variance, or neither and call adapt.`,
      );
    if (mean !== null && variance !== null) {
      const shapes = [mean, variance].map((one) => tensor(one as TensorLike).shape);
      const fit = (shape: readonly number[]): boolean =>
        shape.length <= sizes.length &&
        shape.every((size, i) => size === 1 || size === sizes[sizes.length - shape.length + i]);
      if (!shapes.every(fit) || String(shapes[0]) !== String(shapes[1]))
        throw new ShapeError(
          `${this.name}: mean has shape [${shapes[0]}] and variance [${shapes[1]}]; expected one number or [${sizes}] for both.`,
        );
      return;
    }
    const fixed = { trainable: false };
    this.found = {
      mean: this.addWeight('mean', sizes, 'zeros', fixed),
      variance: this.addWeight('variance', sizes, 'ones', fixed),
    };
    // Keras keeps one more, from older versions, and never counts in it.
    this.addWeight('count', [], 'zeros', fixed);
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    const axes = axesOf(this, this.axis, builtFor.length);
    if (inputShape.length !== builtFor.length || axes.some((axis) => inputShape[axis] !== builtFor[axis]))
      throw this.unfit(inputShape, builtFor);
  }

  /** A mean or a variance as it stands beside x. */
  private beside(x: Tensor, given: Numbers | null, found: Variable | undefined): Tensor {
    const axes = axesOf(this, this.axis, x.rank);
    const sizes = axes.map((axis) => x.shape[axis]);
    const values = found ?? tensor(given as TensorLike, { dtype: 'f32' }).broadcastTo(sizes);
    return values.reshape(x.shape.map((size, axis) => (axes.includes(axis) ? size : 1)));
  }

  override call(given: Tensor): Tensor {
    const x = cast(given, 'f32');
    const mean = this.beside(x, this.mean, this.found?.mean);
    const deviation = this.beside(x, this.variance, this.found?.variance).sqrt().maximum(EPSILON);
    return this.invert ? x.mul(deviation).add(mean) : x.sub(mean).div(deviation);
  }

  /**
   * Finds mean and variance of the data: of an array or tensor [n, …], or of a dataset in batches, of whose elements
   * [x, y] x counts. What they were before is forgotten. Resolves when they are there.
   *
   * Throws ConfigError where the layer was given its mean, ValueError for no data, ShapeError for data of another shape.
   */
  async adapt(data: unknown): Promise<void> {
    if (this.mean !== null)
      throw new ConfigError(`${this.name}: adapt finds mean and variance, which were given. Leave them out.`);
    const total = new Moments();
    await eachPart(data, (part) => this.take(total, part));
    if (total.count === 0) throw new ValueError(`${this.name}: adapt was given no samples.`);
    const { mean, variance } = this.found!;
    await assignAll([
      [mean, tensor(Float32Array.from(total.mean), { shape: [...mean.shape] })],
      [variance, tensor(Float32Array.from(total.variance), { shape: [...variance.shape] })],
    ]);
  }

  private async take(total: Moments, given: unknown): Promise<void> {
    const x =
      given instanceof Tensor
        ? given
        : isNdArray(given)
          ? tensor(given.data, { shape: given.shape })
          : tensor(given as TensorLike);
    this.buildFor([null, ...x.shape.slice(1)]);
    const axes = axesOf(this, this.axis, x.rank);
    const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const count = others.reduce((product, axis) => product * x.shape[axis], 1);
    if (count === 0) return;
    const values = cast(x, 'f32');
    const [mean, variance] = await Promise.all([
      values.mean(others).data(),
      varianceOf(values, others).data(),
    ]);
    total.add(count, mean, variance);
  }
}

/** Mean and variance of everything so far, from those of parts (Chan et al. 1979). */
class Moments {
  count = 0;
  mean: Float64Array = new Float64Array();
  variance: Float64Array = new Float64Array();

  add(count: number, mean: ArrayLike<number>, variance: ArrayLike<number>): void {
    if (this.count === 0) {
      this.mean = Float64Array.from(mean);
      this.variance = Float64Array.from(variance);
    } else {
      const share = count / (this.count + count);
      this.mean.forEach((before, i) => {
        const apart = mean[i] - before;
        this.mean[i] = before + apart * share;
        this.variance[i] += (variance[i] - this.variance[i]) * share + apart * apart * share * (1 - share);
      });
    }
    this.count += count;
  }
}

/**
 * Features at mean 0 and variance 1, by the data that `adapt` saw:
 *
 * ```ts
 * const scale = layers.normalization();
 * await scale.adapt(x);
 * const model = sequential([layers.input([13]), scale, layers.dense(1)]);
 * ```
 */
export const normalization = (options?: NormalizationOptions): Normalization => new Normalization(options);
