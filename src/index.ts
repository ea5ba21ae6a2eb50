/** Weft: train neural networks on WebGPU, in Node and in a page. The public surface. */
import './graph/methods.ts';

export {
  AbortError,
  AxisError,
  ConfigError,
  DeviceLostError,
  DisposedError,
  DownloadError,
  DTypeError,
  EngineMismatchError,
  type ErrorCode,
  FormatError,
  GpuError,
  GradientError,
  KernelError,
  LimitError,
  LoadError,
  OutOfMemoryError,
  SaveError,
  ShapeError,
  StateError,
  UnsupportedError,
  ValueError,
  WeftError,
} from './base/errors.ts';
export type { NestedArray } from './base/nested.ts';
export * from './data/index.ts';
export { Engine, type EngineMemory, type EngineStats, type InitOptions } from './engine/engine.ts';
export type { Profile } from './engine/profile.ts';
export type { Choice as TuningChoice, Tuning, TuningOption, TuningRecord } from './engine/tuning.ts';
export { type Captured, type CaptureOptions, capture, type Outputs } from './graph/capture.ts';
export type { PlannedKernel, PlannedOp, PlannedOperand } from './graph/explain.ts';
export { type GradientOptions, gradients, valueAndGrad } from './graph/gradients.ts';
export type { StepProfile, TimedKernel } from './graph/profile.ts';
export { defaultEngine, init } from './graph/runtime.ts';
export {
  type OpVerdict,
  type SelfTestOptions,
  type SelfTestReport,
  type SelfTestResult,
  selfTest,
} from './graph/self-test.ts';
export { type SpeedTestOptions, type SpeedTestResult, speedTest } from './graph/speed-test.ts';
export { assignAll } from './graph/variables.ts';
export * from './nn/index.ts';
export { argMax, argMin } from './ops/arg-reduce.ts';
export { add, div, floorDiv, maximum, minimum, mul, pow, squaredDifference, sub } from './ops/binary.ts';
export {
  fill,
  iota,
  type Nested,
  ones,
  type RandomOptions,
  random,
  type TensorLike,
  type TensorOptions,
  tensor,
  type VariableOptions,
  variable,
  zeros,
} from './ops/constant.ts';
export type { Case, Composite, ProvenOp as Op } from './ops/define.ts';
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
export { max, mean, min, prod, sum } from './ops/reduce.ts';
export { registry } from './ops/registry.ts';
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
export * as plot from './plot/index.ts';
