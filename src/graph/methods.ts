/** Attaches every op to Tensor as a method, and what only the runtime can do: reading, disposing, assigning. */
import { ValueError } from '../base/errors.ts';
import { type NestedArray, nest } from '../base/nested.ts';
import * as argReduce from '../ops/arg-reduce.ts';
import * as binary from '../ops/binary.ts';
import type { TensorLike } from '../ops/constant.ts';
import { matmul } from '../ops/matmul.ts';
import type { TensorMethods } from '../ops/methods.ts';
import * as movement from '../ops/movement.ts';
import * as reduce from '../ops/reduce.ts';
import * as select from '../ops/select.ts';
import { show } from '../ops/shape.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { Tensor, Variable } from '../ops/tensor.ts';
import * as unary from '../ops/unary.ts';
import { dispose, read } from './runtime.ts';
import { assign } from './variables.ts';

/** Functions whose first argument is the tensor itself. */
const methods = {
  add: binary.add,
  sub: binary.sub,
  mul: binary.mul,
  div: binary.div,
  floorDiv: binary.floorDiv,
  pow: binary.pow,
  maximum: binary.maximum,
  minimum: binary.minimum,
  squaredDifference: binary.squaredDifference,
  equal: select.equal,
  notEqual: select.notEqual,
  greater: select.greater,
  greaterEqual: select.greaterEqual,
  less: select.less,
  lessEqual: select.lessEqual,
  logicalAnd: select.logicalAnd,
  logicalOr: select.logicalOr,
  logicalXor: select.logicalXor,
  logicalNot: select.logicalNot,

  neg: unary.neg,
  abs: unary.abs,
  sign: unary.sign,
  floor: unary.floor,
  ceil: unary.ceil,
  square: unary.square,
  sqrt: unary.sqrt,
  rsqrt: unary.rsqrt,
  reciprocal: unary.reciprocal,
  exp: unary.exp,
  expm1: unary.expm1,
  log: unary.log,
  log1p: unary.log1p,
  sin: unary.sin,
  cos: unary.cos,
  tanh: unary.tanh,
  sigmoid: unary.sigmoid,
  softplus: unary.softplus,
  logSigmoid: unary.logSigmoid,
  softsign: unary.softsign,
  relu: unary.relu,
  relu6: unary.relu6,
  elu: unary.elu,
  selu: unary.selu,
  erf: unary.erf,
  isNan: unary.isNan,
  clip: select.clip,
  cast: select.cast,

  matmul,
  softmax,
  logSoftmax,
  sum: reduce.sum,
  mean: reduce.mean,
  max: reduce.max,
  min: reduce.min,
  prod: reduce.prod,
  argMax: argReduce.argMax,
  argMin: argReduce.argMin,

  reshape: movement.reshape,
  flatten: movement.flatten,
  squeeze: movement.squeeze,
  expandDims: movement.expandDims,
  transpose: movement.transpose,
  broadcastTo: movement.broadcastTo,
  slice: movement.slice,
  pad: movement.pad,
  gather: movement.gather,
  oneHot: movement.oneHot,
} satisfies Record<Exclude<keyof TensorMethods, 'data' | 'item' | 'array' | 'dispose' | symbol>, unknown>;

for (const [name, fn] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (fn as (...args: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

Object.assign(Tensor.prototype, {
  data(this: Tensor) {
    return read(this);
  },
  async item(this: Tensor): Promise<number> {
    if (this.size !== 1)
      throw new ValueError(
        `item: shape ${show(this.shape)} has ${this.size} numbers; expected one. Use data() or array().`,
      );
    return (await read(this))[0];
  },
  async array(this: Tensor): Promise<NestedArray> {
    return nest(await read(this), this.shape);
  },
  dispose(this: Tensor): void {
    dispose(this);
  },
});

Object.defineProperty(Tensor.prototype, Symbol.dispose ?? Symbol.for('Symbol.dispose'), {
  value(this: Tensor): void {
    dispose(this);
  },
});

Object.assign(Variable.prototype, {
  assign(this: Variable, value: TensorLike): Promise<void> {
    return assign(this, value);
  },
});
