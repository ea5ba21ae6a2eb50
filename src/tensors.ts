/** Tensors: what makes them, every op, gradients and captured steps. Whoever imports one of these gets the methods too. */
import './graph/methods.ts';

export type { NestedArray } from './base/nested.ts';
export { type Captured, type CaptureOptions, capture, type Outputs } from './graph/capture.ts';
export { type GradientOptions, gradients, valueAndGrad } from './graph/gradients.ts';
export { defaultEngine, init } from './graph/runtime.ts';
export { assignAll } from './graph/variables.ts';
export { argMax, argMin } from './ops/arg-reduce.ts';
export { add, div, floorDiv, maximum, minimum, mul, pow, squaredDifference, sub } from './ops/binary.ts';
export {
  fill,
  iota,
  type Nested,
  ones,
  type TensorLike,
  type TensorOptions,
  tensor,
  type VariableOptions,
  variable,
  zeros,
} from './ops/constant.ts';
export * as random from './ops/draws.ts';
export type { DType, TypedArray } from './ops/dtype.ts';
export { half } from './ops/half.ts';
export { matmul } from './ops/matmul.ts';
export type { Axes, MatmulOptions, ReduceOptions } from './ops/methods.ts';
export {
  broadcastTo,
  concat,
  expandDims,
  flatten,
  gather,
  oneHot,
  pad,
  reshape,
  slice,
  squeeze,
  stack,
  transpose,
} from './ops/movement.ts';
export type { RandomOptions } from './ops/random.ts';
export { max, mean, min, prod, sum } from './ops/reduce.ts';
export {
  cast,
  clip,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  where,
} from './ops/select.ts';
export { logSoftmax, softmax, softmaxCrossEntropy } from './ops/softmax.ts';
export { Tensor, Variable } from './ops/tensor.ts';
export {
  abs,
  ceil,
  cos,
  elu,
  erf,
  exp,
  expm1,
  floor,
  isNan,
  log,
  log1p,
  logSigmoid,
  neg,
  reciprocal,
  relu,
  relu6,
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
} from './ops/unary.ts';
