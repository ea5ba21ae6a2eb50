/** Tensors: what makes them, every op, gradients and captured steps. Whoever imports one of these gets the methods too. */
import './graph/methods.ts';

export type { NestedArray } from './base/nested.ts';
export { type Captured, type CaptureOptions, capture, type Outputs } from './graph/capture.ts';
export { defaultEngine, init } from './graph/engines.ts';
export { type GradientOptions, gradients, valueAndGrad } from './graph/gradients.ts';
export * from './graph/methods.ts';
export { assignAll } from './graph/variables.ts';
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
export type { MatmulOptions } from './ops/matmul.ts';
export { concat, stack } from './ops/movement.ts';
export type { RandomOptions } from './ops/random.ts';
export type { Axes, ReduceOptions } from './ops/reduce.ts';
export { where } from './ops/select.ts';
export { softmaxCrossEntropy } from './ops/softmax.ts';
export { Tensor, Variable } from './ops/tensor.ts';
