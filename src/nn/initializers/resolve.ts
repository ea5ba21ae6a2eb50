/** What a layer's options mean by an initializer. */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import type { TensorLike } from '../../ops/constant.ts';
import { type Shape, show, sizeOf } from '../../ops/shape.ts';
import { Tensor } from '../../ops/tensor.ts';
import { describe, Makers } from '../names.ts';
import {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
} from './index.ts';
import { Initializer } from './initializer.ts';

const makers = new Makers<Initializer>(
  'initializer',
  {
    zeros,
    ones,
    constant,
    glorotUniform,
    glorotNormal,
    heUniform,
    heNormal,
    lecunUniform,
    lecunNormal,
    randomUniform,
    randomNormal,
    truncatedNormal,
    varianceScaling,
    orthogonal,
    identity,
  },
  { zero: 'zeros', one: 'ones', normal: 'randomNormal', uniform: 'randomUniform' },
);

/** What a layer takes for an initializer: an Initializer, a name, Keras's { className, config }, or a function. */
export type InitializerLike =
  | Initializer
  | string
  | { className: string; config?: object }
  | ((shape: Shape) => TensorLike);

/** The initializer that an argument means. */
export function resolveInitializer(given: unknown, operation: string): Initializer {
  if (given instanceof Initializer) return given;
  if (typeof given === 'function') return custom(given as (shape: Shape) => unknown);
  return makers.make(given, operation);
}

function custom(compute: (shape: Shape) => unknown): Initializer {
  const fill = (shape: Shape): Float32Array => {
    const given = compute(shape);
    const numbers =
      given instanceof Tensor ? given.host : Array.isArray(given) ? given.flat(Infinity) : given;
    if (!Array.isArray(numbers) && !ArrayBuffer.isView(numbers))
      throw new ConfigError(
        `initializer ${compute.name}: gave ${describe(given)}; expected ${sizeOf(shape)} numbers in an array. Of a tensor that is computed, give what await x.data() gives.`,
      );
    const values = Float32Array.from(numbers as ArrayLike<number>);
    if (values.length !== sizeOf(shape))
      throw new ShapeError(
        `initializer ${compute.name}: gave ${values.length} values for shape ${show(shape)}, which takes ${sizeOf(shape)}.`,
      );
    return values;
  };
  return new Initializer(compute.name || 'custom', {}, fill, compute);
}
