/**
 * The ops that are methods too: `add(a, b)` is also `a.add(b)`. The types of the methods, their attachment and what the
 * package exports follow from the list below. Beside it stands what only the runtime can do: reading, disposing, assigning.
 *
 * Whoever loads a tensor loads all of these; the other ops are loaded by those who name them (tensors.ts).
 */
import { ValueError } from '../base/errors.ts';
import { type NestedArray, nest } from '../base/nested.ts';
import type { TensorLike } from '../ops/constant.ts';
import type { TypedArray } from '../ops/dtype.ts';
import { show } from '../ops/shape.ts';
import { Tensor, Variable } from '../ops/tensor.ts';
import * as methods from './methods.ts';
import { dispose, read } from './reading.ts';
import { assign } from './variables.ts';

export { argMax, argMin } from '../ops/arg-reduce.ts';
export { add, div, floorDiv, maximum, minimum, mul, pow, squaredDifference, sub } from '../ops/binary.ts';
export { stopGradient } from '../ops/constant.ts';
export { matmul } from '../ops/matmul.ts';
export {
  broadcastTo,
  expandDims,
  flatten,
  gather,
  oneHot,
  pad,
  reshape,
  slice,
  squeeze,
  transpose,
} from '../ops/movement.ts';
export { max, mean, min, prod, sum } from '../ops/reduce.ts';
export {
  cast,
  clip,
  equal,
  greater,
  greaterEqual,
  isFinite,
  isInf,
  isNan,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
} from '../ops/select.ts';
export { logSoftmax, softmax } from '../ops/softmax.ts';
export { all, any, std, variance } from '../ops/statistics.ts';
export {
  abs,
  ceil,
  cos,
  elu,
  erf,
  exp,
  expm1,
  floor,
  log,
  log1p,
  logSigmoid,
  neg,
  reciprocal,
  relu,
  relu6,
  round,
  rsqrt,
  selu,
  sigmoid,
  sign,
  sin,
  softplus,
  softsign,
  sqrt,
  square,
  tanh,
} from '../ops/unary.ts';

/** Each as a method: without its first argument, which is the tensor itself. */
type Methods = {
  [Name in keyof typeof methods]: (typeof methods)[Name] extends (x: never, ...rest: infer Rest) => infer Y
    ? (...rest: Rest) => Y
    : never;
};

declare module '../ops/tensor.ts' {
  interface Tensor extends Methods {
    /** The numbers, computed if need be: Float32Array, Int32Array, Uint32Array (also for bool) or Uint8Array. */
    data(): Promise<TypedArray>;
    /** The one number of a tensor of size 1. */
    item(): Promise<number>;
    /** The numbers as nested arrays. */
    array(): Promise<NestedArray>;
    /** Gives its memory back; using it afterwards throws DisposedError. Twice is harmless. */
    dispose(): void;
    [Symbol.dispose](): void;
  }

  interface Variable {
    /**
     * Gives the variable a new value of the same shape. It holds at once for every later expression; the
     * promise resolves when its numbers are computed. In a captured function it records an in-place update.
     */
    assign(value: TensorLike): Promise<void>;
  }
}

/** Functions whose first argument is the tensor itself. */
// biome-ignore lint/suspicious/noExplicitAny: each has parameters of its own.
type Functions = Readonly<Record<string | symbol, (tensor: any, ...rest: any[]) => unknown>>;

attach(Tensor, methods);
attach(Tensor, {
  data: read,
  async item(x: Tensor) {
    if (x.size !== 1)
      throw new ValueError(
        `item: shape ${show(x.shape)} has ${x.size} numbers; expected one. Use data() or array().`,
      );
    return (await read(x))[0];
  },
  async array(x: Tensor) {
    return nest(await read(x), x.shape);
  },
  dispose,
  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose,
});
attach(Variable, { assign });

function attach(to: typeof Tensor | typeof Variable, methods: Functions): void {
  for (const name of Reflect.ownKeys(methods)) {
    const method = methods[name];
    if (typeof method !== 'function') continue; // a module has a tag of its own, Symbol.toStringTag
    Object.defineProperty(to.prototype, name, {
      value(this: Tensor, ...rest: unknown[]) {
        return method(this, ...rest);
      },
      writable: true,
      configurable: true,
    });
  }
}
