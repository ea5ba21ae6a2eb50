/** Layers that move values or pass them on, and compute nothing. */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import { broadcastTo, expandDims, transpose } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { wholeNumber } from '../check.ts';
import { describe } from '../names.ts';
import { needed } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, type CallContext, type LayerOptions, showBatch } from './layer.ts';

const permuteRows = {
  /** For each axis of a sample afterwards which one it was, from 1: [2, 1] swaps two. */
  dims: needed(permutationOf),
};

function permutationOf(given: unknown, operation: string, name: string): readonly number[] {
  const isOne = Array.isArray(given) && given.every((_, i) => given.includes(i + 1));
  if (isOne) return given;
  throw new ConfigError(
    `${operation}: ${name} is ${describe(given)}; expected each axis of a sample once, from 1: [2, 1].`,
  );
}

export type PermuteOptions = OptionsOf<typeof permuteRows>;

/** [N, a, b, …] → the same values with the axes of each sample in another order. */
export class Permute extends layerOf('Permute', permuteRows) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== this.dims.length + 1)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(inputShape)}; dims ${showBatch(this.dims)} order ${this.dims.length} axes.`,
      );
    return [inputShape[0], ...this.dims.map((axis) => inputShape[axis])];
  }

  override call(x: Tensor): Tensor {
    this.computeOutputShape(x.shape);
    return transpose(x, [0, ...this.dims]);
  }
}

/** The axes of each sample in another order: `permute([2, 1])`. */
export const permute = factory(Permute, 'dims');

const repeatRows = {
  /** How often. */
  n: needed<number>(wholeNumber),
};

export type RepeatVectorOptions = OptionsOf<typeof repeatRows>;

/** [N, f] → [N, n, f] */
export class RepeatVector extends layerOf('RepeatVector', repeatRows) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    if (inputShape.length !== 2)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(inputShape)}; expected [samples, features].`,
      );
    return [inputShape[0], this.n, inputShape[1]];
  }

  override call(x: Tensor): Tensor {
    const [samples, n, features] = this.computeOutputShape(x.shape) as number[];
    return broadcastTo(expandDims(x, 1), [samples, n, features]);
  }
}

/** Each sample n times, along a new axis. */
export const repeatVector = factory(RepeatVector, 'n');

/** y = x */
export class Identity extends layerOf('Identity', {}) {
  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

/** y = x */
export const identity = (options?: LayerOptions): Identity => new Identity(options);

type LambdaFunction = (x: Tensor, context: CallContext) => Tensor;

const lambdaRows = {
  /** A function of a tensor. Files hold its name. */
  function: needed(functionOf),
};

function functionOf(given: unknown, operation: string, name: string): LambdaFunction {
  if (typeof given === 'function') return given as LambdaFunction;
  throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected a function of a tensor.`);
}

export type LambdaOptions = OptionsOf<typeof lambdaRows>;

/** y = f(x), with a function of the user's and no weights. */
export class Lambda extends layerOf('Lambda', lambdaRows) {
  override call(x: Tensor, context: CallContext): Tensor {
    return this.function(x, context);
  }
}

/** A function as a layer: `lambda((x) => x.mul(2))`. */
export const lambda = factory(Lambda, 'function');
