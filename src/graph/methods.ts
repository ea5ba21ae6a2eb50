/** Attaches every op to Tensor as a method, and what only the runtime can do: reading, disposing, assigning. */
import { ValueError } from '../base/errors.ts';
import { type NestedArray, nest } from '../base/nested.ts';
import * as argReduce from '../ops/arg-reduce.ts';
import * as binary from '../ops/binary.ts';
import type { TensorLike } from '../ops/constant.ts';
import { matmul } from '../ops/matmul.ts';
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
  ...binary,
  ...unary,
  ...argReduce,
  ...reduce,
  matmul,
  softmax,
  logSoftmax,
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
  clip: select.clip,
  cast: select.cast,
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
};

for (const [name, fn] of Object.entries(methods)) {
  if (typeof fn !== 'function') continue;
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
