/** Tensors: what makes them, every op, gradients and captured steps. Whoever imports one of these gets the methods too. */
import './graph/methods.ts';

export type { NestedArray } from './base/nested.ts';
export { setRandomSeed } from './base/seed.ts';
export { type Captured, type CaptureOptions, capture, type Outputs } from './graph/capture.ts';
export { defaultEngine, init } from './graph/engines.ts';
export { type GradientOptions, gradients, valueAndGrad } from './graph/gradients.ts';
export * from './graph/methods.ts';
export { assignAll } from './graph/variables.ts';
export { celu, gelu, hardSigmoid, hardSwish, leakyRelu, mish, silu, softmin } from './ops/activations.ts';
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
export { arange, diag, type EyeOptions, eye, linspace, tril, triu } from './ops/create.ts';
export * as random from './ops/draws.ts';
export type { DType, TypedArray } from './ops/dtype.ts';
export { half } from './ops/half.ts';
export type { MatmulOptions } from './ops/matmul.ts';
export { mod } from './ops/mod.ts';
export { concat, stack } from './ops/movement.ts';
export type { RandomOptions } from './ops/random.ts';
export type { Axes, ReduceOptions } from './ops/reduce.ts';
export { cumprod, cumsum, type ScanOptions } from './ops/scan.ts';
export { type NanToNumOptions, nanToNum, where } from './ops/select.ts';
export { softmaxCrossEntropy } from './ops/softmax.ts';
export { argsort, type SortOptions, sort, topK } from './ops/sort.ts';
export { logSumExp, norm } from './ops/statistics.ts';
export { Tensor, Variable } from './ops/tensor.ts';
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cosh,
  sinh,
  tan,
} from './ops/trigonometry.ts';
