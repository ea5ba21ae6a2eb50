/** Where tensors come from: JavaScript data, constants and counters. */
import { ConfigError, DTypeError, ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { Engine } from '../engine/engine.ts';
import { apply, defineOp, noGradient, twin } from './define.ts';
import { arrays, type DType, parseDType, type TypedArray } from './dtype.ts';
import { build } from './reference.ts';
import { checkShape, type Shape, show, sizeOf } from './shape.ts';
import { type Attributes, Tensor, Variable } from './tensor.ts';

export type Nested = number | boolean | readonly Nested[];

/** Whatever an op takes where a tensor is due. */
export type TensorLike = Tensor | TypedArray | Float64Array | Nested;

export interface TensorOptions {
  /** Sizes; default is what the nesting says, or [length] for a typed array. */
  shape?: readonly number[];
  /** Element type; default follows the data (Float32Array → f32, Uint8Array → u8, booleans → bool, numbers → f32). */
  dtype?: string;
  /** The engine to belong to; default is the first that uses the tensor. */
  engine?: Engine;
}

/** Whose elements suit which dtype. */
const kinds = [
  [Float32Array, 'f32'],
  [Float64Array, 'f32'],
  [Int32Array, 'i32'],
  [Uint32Array, 'u32'],
  [Uint8Array, 'u8'],
  [Uint8ClampedArray, 'u8'],
] as const;

/** Flattens nested arrays, checking that every branch has the same form. */
function flatten(data: Nested): { values: (number | boolean)[]; shape: number[] } {
  const shape: number[] = [];
  for (let at: Nested = data; Array.isArray(at); at = at[0]) shape.push(at.length);
  const values: (number | boolean)[] = [];
  const walk = (at: unknown, depth: number, path: string): void => {
    if (depth === shape.length) {
      if (typeof at !== 'number' && typeof at !== 'boolean') {
        if (Array.isArray(at))
          throw new ShapeError(
            `tensor: data${path} is an array where the first branch ends; rows must have equal form.`,
          );
        throw new DTypeError(
          `tensor: data${path} is ${describe(at)}; expected a number or a boolean. ${ArrayBuffer.isView(at) ? 'Put rows into one typed array and give its shape: { data, shape }' : 'Convert BigInt with Number(), text with parseFloat()'}.`,
        );
      }
      values.push(at);
      return;
    }
    if (!Array.isArray(at) || at.length !== shape[depth])
      throw new ShapeError(
        `tensor: data${path} ${Array.isArray(at) ? `has length ${at.length}` : `is ${describe(at)}`}; expected ${shape[depth]} elements as in the first branch.`,
      );
    for (let i = 0; i < at.length; i++) walk(at[i], depth + 1, `${path}[${i}]`);
  };
  walk(data, 0, '');
  return { values, shape };
}

function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (typeof x === 'object') return `a ${x.constructor?.name ?? 'object'}`;
  return `${typeof x} ${String(x)}`;
}

/** Copies numbers into the array of a dtype; a number that the dtype cannot hold is a ValueError. */
function convert(values: ArrayLike<number | boolean>, dtype: DType, operation = 'tensor'): TypedArray {
  const out = new arrays[dtype](values.length);
  const lowest = dtype === 'i32' ? -(2 ** 31) : 0;
  const highest = { f32: 0, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 0, u8: 255 }[dtype];
  for (let i = 0; i < values.length; i++) {
    const x = Number(values[i]);
    if (dtype === 'bool') out[i] = x !== 0 ? 1 : 0;
    else if (dtype !== 'f32' && !(Number.isInteger(x) && x >= lowest && x <= highest))
      throw new ValueError(
        `${operation}: element ${i} is ${x}, which ${dtype} cannot hold (whole numbers from ${lowest} to ${highest}). Round it, or use dtype 'f32'.`,
      );
    else out[i] = x;
  }
  return out;
}

const tensorOptions = ['shape', 'dtype', 'engine'] as const;

/** ConfigError: what is a tensor already has its shape and dtype. */
function refuseOptions(operation: string, options: object): void {
  const [option] = Object.keys(options);
  if (option === undefined) return;
  throw new ConfigError(
    `${operation}: the data are a tensor, which ${option} does not change. Use reshape or cast, and leave out the option.`,
  );
}

/** What stands for a value in a network of layers has a shape and no numbers. */
const ofSymbolic = (data: unknown): string =>
  typeof data === 'object' && data !== null && 'call' in data && 'shape' in data
    ? ' Functions of symbolic tensors are layers: layers.lambda((x) => …).apply(a).'
    : '';

/**
 * A tensor from JavaScript data, which is copied. A tensor is given back as it is.
 *
 * `data`: a number, nested arrays, or a typed array. Float64Array becomes f32; Uint8Array stays bytes
 * (u8), which ops take after `cast`. In place of options a shape will do, and a dtype after it, as in
 * TensorFlow.js: `tensor(data, [2, 3], 'int32')`.
 *
 * Throws ShapeError for ragged data or a shape of another size, DTypeError for BigInt, text, null, ValueError
 * for numbers that an integer dtype cannot hold, and ConfigError for options that it does not know.
 *
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * const images = tensor(bytes, { shape: [60000, 28, 28] });
 * ```
 */
export function tensor(data: TensorLike, given?: TensorOptions | readonly number[], type?: string): Tensor {
  const options = knownOptions<TensorOptions>(
    'tensor',
    Array.isArray(given) ? { shape: given } : (given as TensorOptions),
    tensorOptions,
  );
  if (data instanceof Tensor) {
    refuseOptions('tensor', options);
    return data;
  }
  const { dtype: named = type } = options;
  const asked = named === undefined ? undefined : parseDType(named, 'tensor');
  let host: TypedArray;
  let dtype: DType;
  let natural: number[];
  if (ArrayBuffer.isView(data)) {
    const own = kinds.find(([Kind]) => (data as unknown) instanceof Kind)?.[1];
    if (!own)
      throw new DTypeError(
        `tensor: data is ${describe(data)}; expected Float32Array, Float64Array, Int32Array, Uint32Array or Uint8Array.`,
      );
    dtype = asked ?? own;
    natural = [data.length];
    host = dtype === own ? new arrays[dtype](data) : convert(data, dtype);
  } else {
    if (typeof data !== 'number' && typeof data !== 'boolean' && !Array.isArray(data))
      throw new DTypeError(
        `tensor: data is ${describe(data)}; expected a number, nested arrays or a typed array.${ofSymbolic(data)}`,
      );
    const { values, shape } = flatten(data as Nested);
    natural = shape;
    dtype = asked ?? (values.length > 0 && values.every((x) => typeof x === 'boolean') ? 'bool' : 'f32');
    host = convert(values, dtype);
  }
  const shape = options.shape === undefined ? natural : checkShape(options.shape, 'tensor');
  if (sizeOf(shape) !== host.length)
    throw new ShapeError(
      `tensor: shape ${show(shape)} has ${sizeOf(shape)} elements but the data has ${host.length}.`,
    );
  const leaf = new Tensor(shape, dtype, null, [], {}, options.engine ?? null);
  leaf.host = host;
  return leaf;
}

export interface VariableOptions extends TensorOptions {
  /** Shown in summaries and errors; default `variable`. */
  name?: string;
  /** Whether training may change it; default true. */
  trainable?: boolean;
}

/** A mutable tensor with the given initial value. See {@link Variable}. */
export function variable(initial: TensorLike, options?: VariableOptions): Variable {
  const known = ['name', 'trainable', ...tensorOptions] as const;
  const { name = 'variable', trainable = true, ...rest } = knownOptions('variable', options, known);
  if (initial instanceof Tensor) refuseOptions('variable', rest);
  const value = initial instanceof Tensor ? apply(identity, [initial]) : tensor(initial, rest);
  return new Variable(value, name, trainable);
}

/** The same numbers as a node of its own. */
export const identity = defineOp({
  name: 'identity',
  pointwise: true,
  silent: true,
  shape: ([x]) => x,
  dtype: ([x]) => x,
  expression: (e, [x], index) => e.value(x, index),
  backward: (_inputs, _y, g) => [g],
});

const valueOp = defineOp({
  name: 'value',
  shape: ([x]) => x,
  dtype: ([x]) => x,
  alias: true,
  simplify: ({ inputs: [x] }) => x,
  expression: (e, [x], index) => e.value(x, index),
  backward: (_inputs, _y, g) => [g],
});

/** What an op gives that has nothing to do: the tensor itself, and of a variable its present value. */
export const unchanged = (x: Tensor): Tensor => (x instanceof Variable ? apply(valueOp, [x]) : x);

const stopGradientOp = defineOp({
  name: 'stopGradient',
  shape: ([x]) => x,
  dtype: ([x]) => x,
  alias: true,
  // In a plan alone: gradients are taken of what the user wrote.
  simplify: ({ inputs: [x] }) => x,
  expression: (e, [x], index) => e.value(x, index),
  backward: noGradient,
});

/**
 * The same numbers, through which no gradient flows: what they were made from is a constant to `gradients`.
 *
 * ```ts
 * const target = stopGradient(teacher.apply(x));
 * const loss = squaredDifference(student.apply(x), target).mean();
 * ```
 */
export const stopGradient = (x: TensorLike): Tensor => apply(stopGradientOp, [toTensor(x)]);

interface FillAttributes extends Attributes {
  shape: Shape;
  value: number;
  dtype: DType;
}

const fillOp = defineOp({
  name: 'fill',
  silent: true,
  shape: (_inputs, a) => (a as FillAttributes).shape,
  dtype: (_inputs, a) => (a as FillAttributes).dtype,
  expression(e, _inputs, _index, y) {
    const { value } = y.attributes as FillAttributes;
    if (y.dtype === 'bool') return value ? 'true' : 'false';
    return e.uniform(value, y.dtype === 'u8' ? 'u32' : y.dtype);
  },
  backward: noGradient,
});

/** Is x one repeated number, or this one? */
export const isFill = (x: Tensor, value?: number): boolean =>
  x.op === fillOp && (value === undefined || x.attributes.value === value);

/** A tensor of one repeated number; costs no memory and, fused, no load. */
export function fill(shape: readonly number[], value: number, dtype = 'f32'): Tensor {
  const type = parseDType(dtype, 'fill');
  convert([value], type, 'fill');
  return apply(fillOp, [], { shape: checkShape(shape, 'fill'), value, dtype: type });
}
export const zeros = (shape: readonly number[], dtype?: string): Tensor => fill(shape, 0, dtype);
export const ones = (shape: readonly number[], dtype?: string): Tensor => fill(shape, 1, dtype);

/** A scalar of the dtype that suits its partner: integers stay integers beside integers. */
export function scalar(value: number | boolean, beside?: DType): Tensor {
  if (typeof value === 'boolean') return fill([], Number(value), 'bool');
  const whole = Number.isInteger(value) && Math.abs(value) < 2 ** 31;
  const dtype: DType =
    whole && beside && beside !== 'f32' && beside !== 'bool'
      ? beside === 'u8' || value < 0
        ? 'i32'
        : beside
      : 'f32';
  return fill([], value, dtype);
}

/** Anything that can stand for a tensor, as a tensor. */
export function toTensor(x: TensorLike, beside?: DType): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === 'number' || typeof x === 'boolean') return scalar(x, beside);
  return tensor(x);
}

const iotaOp = defineOp({
  name: 'iota',
  shape: (_inputs, a) => [a.size as number],
  dtype: () => 'i32',
  expression: (_e, _inputs, index) => `i32(${index})`,
  backward: noGradient,
});

/** [0, 1, …, n - 1] as i32; costs nothing inside an expression. */
export const iota = (n: number): Tensor => apply(iotaOp, [], { size: checkShape([n], 'iota')[0] });

// ---- the twins

const identityTwin = twin(identity, () => ({
  reference: ([x]) => x,
  cases: [{ shapes: [[3, 4]] }],
}));

const valueTwin = twin(valueOp, () => ({
  reference: ([x]) => x,
  cases: [{ shapes: [[3, 4]] }],
}));

const stopGradientTwin = twin(stopGradientOp, () => ({
  reference: ([x]) => x,
  cases: [{ shapes: [[3, 4]], noGradient: 'none by definition' }],
}));

const fillTwin = twin(fillOp, () => ({
  reference: (_inputs, a) => build((a as FillAttributes).shape, () => a.value as number),
  cases: [{ shapes: [], attributes: { shape: [2, 3], value: 1.5, dtype: 'f32' } }],
}));

const iotaTwin = twin(iotaOp, () => ({
  reference: (_inputs, a) => build([a.size as number], ([i]) => i),
  cases: [{ shapes: [], attributes: { size: 7 } }],
}));

/** For the registry. */
export const twins = [identityTwin, valueTwin, stopGradientTwin, fillTwin, iotaTwin];
