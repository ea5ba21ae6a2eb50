/** Attaches every op to Tensor as a method, and what only the runtime can do: reading, disposing, assigning. */
import { ValueError } from '../base/errors.ts';
import { type NestedArray, nest } from '../base/nested.ts';
import * as argReduce from '../ops/arg-reduce.ts';
import * as binary from '../ops/binary.ts';
import { matmul } from '../ops/matmul.ts';
import type { TensorMethods, VariableMethods } from '../ops/methods.ts';
import * as movement from '../ops/movement.ts';
import * as reduce from '../ops/reduce.ts';
import * as select from '../ops/select.ts';
import { show } from '../ops/shape.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { Tensor, Variable } from '../ops/tensor.ts';
import * as unary from '../ops/unary.ts';
import { dispose, read } from './runtime.ts';
import { assign } from './variables.ts';

// biome-ignore lint/suspicious/noExplicitAny: each method has parameters of its own.
type Method = (tensor: any, ...rest: any[]) => unknown;
type Methods<T> = Record<Exclude<keyof T, symbol>, Method>;

/** Functions whose first argument is the tensor itself. */
const methods: Methods<TensorMethods> = {
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

  data: read,
  async item(x: Tensor): Promise<number> {
    if (x.size !== 1)
      throw new ValueError(
        `item: shape ${show(x.shape)} has ${x.size} numbers; expected one. Use data() or array().`,
      );
    return (await read(x))[0];
  },
  async array(x: Tensor): Promise<NestedArray> {
    return nest(await read(x), x.shape);
  },
  dispose,
};

attach(Tensor, methods);
attach(Tensor, { [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: dispose });
attach(Variable, { assign } satisfies Methods<VariableMethods>);

function attach(
  to: typeof Tensor | typeof Variable,
  methods: Readonly<Record<string | symbol, Method>>,
): void {
  for (const name of Reflect.ownKeys(methods)) {
    const method = methods[name];
    Object.defineProperty(to.prototype, name, {
      value(this: Tensor, ...rest: unknown[]) {
        return method(this, ...rest);
      },
      writable: true,
      configurable: true,
    });
  }
}
