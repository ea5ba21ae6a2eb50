/** Activations with options or weights of their own, as layers. */
import { ShapeError } from '../../base/errors.ts';
import { where } from '../../ops/select.ts';
import { softmax as softmaxOf } from '../../ops/softmax.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { between, wholeFrom } from '../check.ts';
import { describe } from '../names.ts';
import { option, orNull } from '../options.ts';
import { axisOf, oneAxis } from './axis.ts';
import { factory, layerOf, type OptionsOf, weightRows } from './define.ts';
import { type BatchShape, type CallContext, knownSizes, Layer } from './layer.ts';

/** A function of each value. */
abstract class Elementwise extends Layer {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

const reluRows = {
  /** What values above it become; default null: no limit. */
  maxValue: option(null as number | null, orNull(between(0))),
  /** Slope below the threshold; default 0. */
  negativeSlope: option(0, between(0)),
  /** Where the slope changes; default 0. */
  threshold: option(0, between(0)),
};

export type ReLUOptions = OptionsOf<typeof reluRows>;

/** x from the threshold to maxValue, maxValue above, negativeSlope · (x − threshold) below. */
export class ReLU extends layerOf('ReLU', reluRows, Elementwise) {
  override call(x: Tensor): Tensor {
    const { maxValue, negativeSlope, threshold } = this;
    let y = x.relu();
    if (negativeSlope !== 0 || threshold !== 0)
      y = where(x.greaterEqual(threshold), x, x.sub(threshold).mul(negativeSlope));
    return maxValue === null ? y : y.minimum(maxValue);
  }
}

/** max(x, 0), perhaps with a slope below and a limit above: `relu({ maxValue: 6 })`. */
export const relu = factory(ReLU, 'maxValue');
/** TensorFlow.js's spelling of {@link relu}. */
export const reLU = relu;

const leakyRows = {
  /** Slope below 0; default 0.3 (the function 'leakyRelu' has 0.2). */
  negativeSlope: option(0.3, between(0)),
};

export type LeakyReLUOptions = OptionsOf<typeof leakyRows>;

/** x above 0, negativeSlope · x below. */
export class LeakyReLU extends layerOf('LeakyReLU', leakyRows, Elementwise) {
  override call(x: Tensor): Tensor {
    return where(x.greaterEqual(0), x, x.mul(this.negativeSlope));
  }
}

/** x above 0, 0.3 x below unless another slope is given. */
export const leakyReLU = factory(LeakyReLU, 'negativeSlope');

const eluRows = {
  /** What is approached far below 0, negated; default 1. */
  alpha: option(1, between(0)),
};

export type ELUOptions = OptionsOf<typeof eluRows>;

/** x above 0, α (eˣ − 1) below. */
export class ELU extends layerOf('ELU', eluRows, Elementwise) {
  override call(x: Tensor): Tensor {
    return where(x.greaterEqual(0), x, x.minimum(0).expm1().mul(this.alpha));
  }
}

/** x above 0, α (eˣ − 1) below. */
export const elu = factory(ELU, 'alpha');

const preluRows = {
  ...weightRows({ alpha: 'zeros' }),
  /** Axes along which α is the same, from 1; default null: none. */
  sharedAxes: option(null as readonly number[] | null, orNull(axesFrom1)),
};

function axesFrom1(given: unknown, operation: string, name: string): readonly number[] {
  return [given].flat().map((axis, i) => wholeFrom(1)(axis, operation, `${name}[${i}]`));
}

export type PReLUOptions = OptionsOf<typeof preluRows>;

/** x above 0, α x below, α learned for each value of a sample (He et al. 2015). */
export class PReLU extends layerOf('PReLU', preluRows, Elementwise) {
  alpha: Variable | null = null;

  override build(inputShape: BatchShape): void {
    const shared = this.sharedAxes ?? [];
    const sizes = inputShape.slice(1).map((size, i) => (shared.includes(i + 1) ? 1 : size));
    this.alpha = this.addWeight('alpha', knownSizes(sizes, this.name));
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    const free = (shape: BatchShape): string =>
      shape.map((size, i) => (i === 0 || this.sharedAxes?.includes(i) ? null : size)).join();
    if (free(inputShape) !== free(builtFor)) throw this.unfit(inputShape, builtFor);
  }

  override call(x: Tensor): Tensor {
    return x.relu().sub(x.neg().relu().mul(this.alpha!));
  }
}

/** x above 0, α x below, with α learned. */
export const prelu = (options?: PReLUOptions): PReLU => new PReLU(options);

const softmaxRows = {
  /** The axis along which values sum to 1; default -1. */
  axis: option<number | readonly number[], number>(-1, oneAxis),
};

export type SoftmaxOptions = OptionsOf<typeof softmaxRows>;

/** exp x / Σ exp x along an axis. */
export class Softmax extends layerOf('Softmax', softmaxRows, Elementwise) {
  override get finalActivation(): string | null {
    return this.axis === -1 ? 'softmax' : null;
  }

  override call(x: Tensor, { logits }: CallContext): Tensor {
    if (x.rank < 2) throw new ShapeError(`${this.name}: input ${describe(x.shape)} has no axis of values.`);
    const axis = axisOf(this, this.axis, x.rank);
    if (logits) return x;
    if (axis === x.rank - 1) return softmaxOf(x);
    const swapped = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i === x.rank - 1 ? axis : i));
    return softmaxOf(x.transpose(swapped)).transpose(swapped);
  }
}

/** Probabilities along an axis. */
export const softmax = factory(Softmax, 'axis');
