/** What every tensor can do: each op as a method, and reading. The implementations are attached in graph/methods.ts. */
import type { NestedArray } from '../base/nested.ts';
import type { TensorLike } from './constant.ts';
import type { TypedArray } from './dtype.ts';
import type { Tensor } from './tensor.ts';

export type Axes = number | readonly number[] | null;

export interface ReduceOptions {
  /** Leave reduced axes in place with size 1; default false. */
  keepDims?: boolean;
}

export interface MatmulOptions {
  /** Use the first operand with its last two axes swapped. */
  transposeA?: boolean;
  /** Use the second operand with its last two axes swapped. */
  transposeB?: boolean;
  /**
   * How the operands are kept for the kernel; default `'f32'`. `'f16'` rounds them to 11 significant bits (see
   * `half`), for half the bytes where the adapter has shader-f16; sums stay f32.
   */
  storage?: 'f32' | 'f16';
}

export interface TensorMethods {
  /** The numbers, computed if need be: Float32Array, Int32Array, Uint32Array (also for bool) or Uint8Array. */
  data(): Promise<TypedArray>;
  /** The one number of a tensor of size 1. */
  item(): Promise<number>;
  /** The numbers as nested arrays. */
  array(): Promise<NestedArray>;
  /** Gives its memory back; using it afterwards throws DisposedError. Twice is harmless. */
  dispose(): void;
  [Symbol.dispose](): void;

  add(b: TensorLike): Tensor;
  sub(b: TensorLike): Tensor;
  mul(b: TensorLike): Tensor;
  div(b: TensorLike): Tensor;
  floorDiv(b: TensorLike): Tensor;
  pow(b: TensorLike): Tensor;
  maximum(b: TensorLike): Tensor;
  minimum(b: TensorLike): Tensor;
  squaredDifference(b: TensorLike): Tensor;
  equal(b: TensorLike): Tensor;
  notEqual(b: TensorLike): Tensor;
  greater(b: TensorLike): Tensor;
  greaterEqual(b: TensorLike): Tensor;
  less(b: TensorLike): Tensor;
  lessEqual(b: TensorLike): Tensor;
  logicalAnd(b: TensorLike): Tensor;
  logicalOr(b: TensorLike): Tensor;
  logicalXor(b: TensorLike): Tensor;
  logicalNot(): Tensor;

  neg(): Tensor;
  abs(): Tensor;
  sign(): Tensor;
  floor(): Tensor;
  ceil(): Tensor;
  square(): Tensor;
  sqrt(): Tensor;
  rsqrt(): Tensor;
  reciprocal(): Tensor;
  exp(): Tensor;
  expm1(): Tensor;
  log(): Tensor;
  log1p(): Tensor;
  sin(): Tensor;
  cos(): Tensor;
  tanh(): Tensor;
  sigmoid(): Tensor;
  softplus(): Tensor;
  logSigmoid(): Tensor;
  softsign(): Tensor;
  relu(): Tensor;
  relu6(): Tensor;
  elu(): Tensor;
  selu(): Tensor;
  erf(): Tensor;
  isNan(): Tensor;
  clip(low: number, high: number): Tensor;
  cast(dtype: string): Tensor;

  matmul(b: TensorLike, options?: MatmulOptions): Tensor;
  softmax(axis?: number): Tensor;
  logSoftmax(axis?: number): Tensor;
  sum(axis?: Axes, options?: ReduceOptions | boolean): Tensor;
  mean(axis?: Axes, options?: ReduceOptions | boolean): Tensor;
  max(axis?: Axes, options?: ReduceOptions | boolean): Tensor;
  min(axis?: Axes, options?: ReduceOptions | boolean): Tensor;
  prod(axis?: Axes, options?: ReduceOptions | boolean): Tensor;
  argMax(axis?: number): Tensor;
  argMin(axis?: number): Tensor;

  reshape(shape: readonly number[]): Tensor;
  flatten(): Tensor;
  squeeze(axis?: number | readonly number[]): Tensor;
  expandDims(axis?: number): Tensor;
  transpose(permutation?: readonly number[]): Tensor;
  broadcastTo(shape: readonly number[]): Tensor;
  slice(begin: readonly number[], size?: readonly number[]): Tensor;
  pad(paddings: readonly (readonly [number, number])[]): Tensor;
  gather(indices: TensorLike, axis?: number): Tensor;
  oneHot(depth: number, onValue?: number, offValue?: number): Tensor;
}

export interface VariableMethods {
  /**
   * Gives the variable a new value of the same shape. It holds at once for every later expression; the
   * promise resolves when its numbers are computed. In a captured function it records an in-place update.
   */
  assign(value: TensorLike): Promise<void>;
}
