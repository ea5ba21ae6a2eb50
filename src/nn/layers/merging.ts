/**
 * Layers that make one value of several: `layers.add().apply([a, b])`. Sizes must be equal, or 1, or unknown; values of
 * fewer axes get axes of size 1 after the samples, as in Keras.
 */
import { ShapeError, ValueError } from '../../base/errors.ts';
import { maximum as larger, mul, minimum as smaller, sub, add as sum } from '../../ops/binary.ts';
import { matmul } from '../../ops/matmul.ts';
import { concat, expandDims, reshape, transpose } from '../../ops/movement.ts';
import { where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { needed, option } from '../options.ts';
import { axisOf } from './axis.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { Layer, type LayerOptions, masking } from './layer.ts';
import { maskBeside } from './masked.ts';
import { type BatchShape, type InputShape, isList, showBatch } from './symbolic.ts';

/** A layer whose input is a list. */
abstract class Merging extends Layer {
  /** Fewest and most values that it merges. */
  get takes(): readonly [number, number] {
    return [1, Number.POSITIVE_INFINITY];
  }

  /** The shapes, when they are as many as the layer takes. */
  several(inputShape: InputShape): readonly BatchShape[] {
    const [fewest, most] = this.takes;
    const came = isList(inputShape) ? inputShape.length : 0;
    if (isList(inputShape) && came >= fewest && came <= most) return inputShape;
    throw new ShapeError(
      `${this.name}: ${came === 0 ? 'one value' : `a list of ${came}`} came; expected a list of ${fewest === most ? fewest : `${fewest} or more`}: apply([a, b]).`,
    );
  }

  misfit(shapes: readonly BatchShape[], rule: string): ShapeError {
    return new ShapeError(`${this.name}: shapes ${shapes.map(showBatch).join(' and ')} do not fit: ${rule}.`);
  }

  override buildFor(inputShape: InputShape): void {
    this.computeOutputShape(this.several(inputShape));
    super.buildFor(inputShape);
  }
}

// ---- element by element

/** The shape with as many axes as `rank`, the new ones after the samples. */
const widened = ([samples, ...sizes]: BatchShape, rank: number): BatchShape => [
  samples,
  ...Array(rank - 1 - sizes.length).fill(1),
  ...sizes,
];

/** Two values at a time, from the left. */
abstract class Elementwise extends Merging {
  abstract merge(a: Tensor, b: Tensor): Tensor;

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const shapes = this.several(inputShape);
    const rank = Math.max(...shapes.map(({ length }) => length));
    const join = (a: number | null, b: number | null): number | null => {
      if (a === 1 || a === b) return b;
      if (b === 1) return a;
      if (a === null || b === null) return a ?? b;
      throw this.misfit(shapes, `sizes ${a} and ${b} differ; they must be equal, or 1`);
    };
    return shapes
      .map((shape) => widened(shape, rank))
      .reduce((a, b) => a.map((size, axis) => (axis === 0 ? (size ?? b[0]) : join(size, b[axis]))));
  }

  /** The values with as many axes each. */
  protected aligned(xs: readonly Tensor[]): Tensor[] {
    const rank = Math.max(...xs.map((x) => x.rank));
    return xs.map((x) => {
      let y = x;
      while (y.rank < rank) y = expandDims(y, 1);
      return y;
    });
  }

  override call(xs: readonly Tensor[]): Tensor {
    return this.aligned(xs).reduce((a, b) => this.merge(a, b));
  }
}

/** a + b + … */
export class Add extends layerOf('Add', {}, Elementwise) {
  override merge = sum;
}

/** a − b */
export class Subtract extends layerOf('Subtract', {}, Elementwise) {
  override merge = sub;

  override get takes(): readonly [number, number] {
    return [2, 2];
  }
}

/** a · b · … */
export class Multiply extends layerOf('Multiply', {}, Elementwise) {
  override merge = mul;
}

/** (a + b + …) / n */
export class Average extends layerOf('Average', {}, Elementwise) {
  override merge = sum;

  override call(xs: readonly Tensor[]): Tensor {
    return super.call(xs).div(xs.length);
  }
}

/** One of the values; where a mask says that one does not count, the other. */
abstract class Extreme extends Elementwise {
  override call(xs: readonly Tensor[]): Tensor {
    const given = xs.map(masking.of);
    if (!given.some(Boolean)) return super.call(xs);
    const values = this.aligned(xs);
    const masks = given.map((mask, i) => mask && maskBeside(mask, values[i]));
    let [y, known] = [values[0], masks[0]];
    for (let i = 1; i < values.length; i++) {
      const mask = masks[i];
      const x = mask ? where(mask, values[i], y) : values[i];
      y = this.merge(known ? where(known, y, x) : y, x);
      known = mask && known && mask.logicalOr(known);
    }
    return y;
  }
}

/** The largest of the values. */
export class Maximum extends layerOf('Maximum', {}, Extreme) {
  override merge = larger;
}

/** The smallest of the values. */
export class Minimum extends layerOf('Minimum', {}, Extreme) {
  override merge = smaller;
}

/** a + b + … of two or more values: `add().apply([a, b])`. */
export const add = (options?: LayerOptions): Add => new Add(options);
/** a − b of two values. */
export const subtract = (options?: LayerOptions): Subtract => new Subtract(options);
/** a · b · … element by element. */
export const multiply = (options?: LayerOptions): Multiply => new Multiply(options);
/** (a + b + …) / n */
export const average = (options?: LayerOptions): Average => new Average(options);
/** The largest of the values, element by element. */
export const maximum = (options?: LayerOptions): Maximum => new Maximum(options);
/** The smallest of the values, element by element. */
export const minimum = (options?: LayerOptions): Minimum => new Minimum(options);

// ---- joined, and by products

const wholeAxis = wholeFrom(Number.NEGATIVE_INFINITY);

const concatenateRows = {
  /** The axis along which values are joined; default -1, the last. */
  axis: option(-1, wholeAxis),
};

export type ConcatenateOptions = OptionsOf<typeof concatenateRows>;

/** [N, …, a, …], [N, …, b, …] → [N, …, a + b, …] */
export class Concatenate extends layerOf('Concatenate', concatenateRows, Merging) {
  override computeOutputShape(inputShape: InputShape): BatchShape {
    const shapes = this.several(inputShape);
    const [first] = shapes;
    const axis = axisOf(this, this.axis, first.length);
    for (const shape of shapes)
      if (
        shape.length !== first.length ||
        shape.some((size, i) => i !== axis && size !== null && first[i] !== null && size !== first[i])
      )
        throw this.misfit(shapes, `all axes but ${axis} must be equal`);
    const joined = shapes.map((shape) => shape[axis]);
    const total = joined.includes(null) ? null : (joined as number[]).reduce((a, b) => a + b, 0);
    return first.map((size, i) => (i === axis ? total : size));
  }

  override call(xs: readonly Tensor[]): Tensor {
    return xs.length === 1 ? xs[0] : concat(xs, axisOf(this, this.axis, xs[0].rank));
  }
}

/** Joins values along an axis: `concatenate({ axis: -1 }).apply([a, b])`. */
export const concatenate = (options?: ConcatenateOptions): Concatenate => new Concatenate(options);

const dotRows = {
  /** The axis that is summed over: one for both values, or one for each. The samples are axis 0. */
  axes: needed<number | readonly [number, number], readonly [number, number]>((given, operation, name) => {
    const pair = Array.isArray(given) ? given : [given, given];
    if (pair.length !== 2)
      throw new ValueError(`${operation}: ${name} is ${describe(given)}; expected one axis, or two.`);
    return [wholeAxis(pair[0], operation, name), wholeAxis(pair[1], operation, name)];
  }),
  /** Scales both to length 1 along it first: the cosine of their angle; default false. */
  normalize: option(false, flag),
};

export type DotOptions = OptionsOf<typeof dotRows>;

/** Sample by sample, Σ a·b along an axis of each: [N, n], [N, n] → [N, 1]; [N, i, n], [N, j, n] → [N, i, j]. */
export class Dot extends layerOf('Dot', dotRows, Merging) {
  override get takes(): readonly [number, number] {
    return [2, 2];
  }

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const shapes = this.several(inputShape);
    const [i, j] = shapes.map(({ length }, at) => axisOf(this, this.axes[at], length));
    const [a, b] = shapes;
    if (a[i] !== null && b[j] !== null && a[i] !== b[j])
      throw this.misfit(shapes, `axis ${i} of the first and axis ${j} of the second must be equal`);
    const rest = [
      ...a.filter((_, axis) => axis > 0 && axis !== i),
      ...b.filter((_, axis) => axis > 0 && axis !== j),
    ];
    return [a[0] ?? b[0], ...(rest.length > 0 ? rest : [1])];
  }

  override call(xs: readonly Tensor[]): Tensor {
    const [a, b] = xs.map((x, at) => this.lines(x, axisOf(this, this.axes[at], x.rank)));
    const shape = this.computeOutputShape(xs.map((x) => x.shape)) as number[];
    return reshape(matmul(a, b, { transposeB: true }), shape);
  }

  /** [N, …, n, …] → [N, all the others, n], of length 1 where that is asked for. */
  private lines(x: Tensor, axis: number): Tensor {
    const others = x.shape.map((_, i) => i).filter((i) => i > 0 && i !== axis);
    const last = transpose(x, [0, ...others, axis]);
    const rows = others.reduce((product, i) => product * x.shape[i], 1);
    const lines = reshape(last, [x.shape[0], rows, x.shape[axis]]);
    if (!this.normalize) return lines;
    // As Keras does: x / √max(Σx², 1e-12).
    return lines.mul(lines.square().sum(-1, { keepDims: true }).maximum(1e-12).rsqrt());
  }
}

/** Products summed along an axis, sample by sample: `dot(1).apply([a, b])`; `normalize` for cosines. */
export const dot = factory(Dot, 'axes');
