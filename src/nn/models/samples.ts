/** What `fit` and its kin are given, checked and made into tensors, before any GPU work. */
import { ConfigError, ShapeError, ValueError } from '../../base/errors.ts';
import { isNdArray, isTyped } from '../../data/pipeline/columns.ts';
import { type TensorLike, tensor } from '../../ops/constant.ts';
import type { DType, TypedArray } from '../../ops/dtype.ts';
import { reshape } from '../../ops/movement.ts';
import { type Shape, show, sizeOf } from '../../ops/shape.ts';
import { Tensor } from '../../ops/tensor.ts';
import { type BatchShape, fits, showBatch } from '../layers/layer.ts';
import { describe } from '../names.ts';
import { isSparse, refuseBadClasses } from '../pairs.ts';
import { onHost } from './host-rows.ts';
import { batchedPlan, isDataset, partsOf, refuseBeside } from './pipeline.ts';

/** Samples that are the same in number: x [n, …], y [n, …], weight [n]. `start` and `count` are a part of them. */
export interface Samples {
  readonly x: Tensor;
  readonly y: Tensor | null;
  readonly weight: Tensor | null;
  readonly start: number;
  readonly count: number;
  /** The rows that a pass visits, where a dataset says which; null for `count` rows from `start`. */
  readonly order?: ((pass: number) => Int32Array) | null;
  /** Samples of a step, where a dataset says how many. */
  readonly batchSize?: number | null;
  /** Frees what was made here, and leaves alone what was given. */
  dispose(): void;
}

/** x, y and weights as a user gives them. */
export interface GivenSamples {
  readonly x: unknown;
  readonly y?: unknown;
  readonly sampleWeight?: unknown;
  readonly classWeight?: unknown;
}

/** What the samples are for. */
export interface Purpose {
  /** For messages: 'fit'. */
  readonly operation: string;
  /** The model's input, as far as it is known. */
  readonly inputShape: BatchShape | null;
  /** Tensors made so far in this run, by the arrays they hold: parts of one dataset share them. */
  readonly shared?: Map<unknown, Tensor>;
}

/** `[x, y]`, `[x, y, weights]`, `{ x, y, sampleWeight }` or a dataset of such. */
export function unpackValidationData(given: unknown, operation: string): GivenSamples {
  if (isDataset(given)) return { x: given };
  if (Array.isArray(given) && (given.length === 2 || given.length === 3)) {
    const [x, y, sampleWeight] = given;
    return { x, y, sampleWeight };
  }
  if (typeof given === 'object' && given !== null && 'x' in given && 'y' in given)
    return given as GivenSamples;
  throw new ConfigError(
    `${operation}: validationData is ${describe(given)}; expected [x, y], [x, y, sampleWeight], { x, y, sampleWeight } or a dataset.`,
  );
}

/** Checks and converts. Reads y back only where class weights need its numbers and they are on the GPU. */
export async function takeSamples(samples: GivenSamples, purpose: Purpose): Promise<Samples> {
  const { operation, shared } = purpose;
  const plan = isDataset(samples.x) ? batchedPlan(samples.x, operation) : null;
  if (plan) refuseBeside(samples.x, operation, { y: samples.y, sampleWeight: samples.sampleWeight });
  const given = plan ? { ...samples, ...partsOf(plan.columns, operation) } : samples;
  const made: Tensor[] = [];
  const own = (value: unknown, argument: string, like?: Shape | null): Tensor => {
    if (value instanceof Tensor) return value.checkUsable(operation);
    if (value === null || value === undefined)
      throw new ValueError(
        `${operation}: ${argument} is missing. Give a tensor, a typed array or nested arrays.`,
      );
    const present = shared?.get(value);
    if (present) return present;
    const x = asTensor(value, like ?? null);
    made.push(x);
    shared?.set(value, x);
    return x;
  };
  try {
    const x = own(given.x, 'x', sampleShape(purpose.inputShape));
    const count = x.shape[0] ?? 0;
    checkInput(x, purpose);
    const y = given.y === undefined || given.y === null ? null : own(given.y, 'y');
    if (y !== null && y.shape[0] !== count)
      throw new ShapeError(
        `${operation}: x has ${count} samples and y ${y.shape[0] ?? 'is one number'}; expected the same number of both.`,
      );
    if (count === 0)
      throw new ValueError(`${operation}: x has shape ${show(x.shape)}: there are no samples.`);
    const weight = await weightsOf(given, y, count, operation, own);
    const all = { x, y, weight, start: 0, count, dispose: () => freeAll(made) };
    if (!plan) return all;
    if (plan.count === 0) throw new ValueError(`${operation}: the dataset has no elements.`);
    const { batchSize } = plan;
    return plan.start === null
      ? { ...all, count: plan.count, batchSize, order: (pass) => asInt32(plan.order(pass)) }
      : { ...all, count: plan.count, batchSize, start: plan.start };
  } catch (error) {
    freeAll(made);
    throw error;
  }
}

/** Row numbers are far below 2³¹. */
const asInt32 = ({ buffer, byteOffset, length }: Uint32Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

const freeAll = (made: readonly Tensor[]): void => {
  for (const one of made) one.dispose();
};

const sampleShape = (inputShape: BatchShape | null): Shape | null =>
  inputShape !== null && inputShape.length > 1 && !inputShape.slice(1).includes(null)
    ? (inputShape.slice(1) as number[])
    : null;

/**
 * Arrays as a tensor; a flat one as rows of the model's input, where it divides into such. Typed arrays are not
 * copied: data that are streamed would be there twice.
 */
function asTensor(value: unknown, like: Shape | null): Tensor {
  const data = isNdArray(value) ? value.data : value;
  let shape = isNdArray(value) ? value.shape : null;
  if (shape === null && like !== null && isTyped(data)) {
    const size = sizeOf(like);
    if (size > 0 && data.length % size === 0) shape = [data.length / size, ...like];
  }
  const dtype =
    isTyped(data) && data.buffer instanceof ArrayBuffer ? OWN_DTYPE.get(data.constructor) : undefined;
  const sizes = shape ?? (isTyped(data) ? [data.length] : []);
  const fits = isTyped(data) && sizes.every((size) => size >= 0) && sizeOf(sizes) === data.length;
  if (dtype !== undefined && fits) return onHost(data as TypedArray, [...sizes], dtype);
  return tensor(data as TensorLike, shape === null ? {} : { shape });
}

const OWN_DTYPE: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [Float32Array, 'f32'],
  [Int32Array, 'i32'],
  [Uint32Array, 'u32'],
  [Uint8Array, 'u8'],
]);

function checkInput(x: Tensor, { inputShape, operation }: Purpose): void {
  if (x.rank === 0) throw new ShapeError(`${operation}: x is one number; expected samples, [n, …].`);
  if (inputShape !== null && !fits([null, ...x.shape.slice(1)], [null, ...inputShape.slice(1)]))
    throw new ShapeError(
      `${operation}: x has shape ${show(x.shape)}; the model takes ${showBatch([null, ...inputShape.slice(1)])}.`,
    );
}

async function weightsOf(
  { sampleWeight, classWeight }: GivenSamples,
  y: Tensor | null,
  count: number,
  operation: string,
  own: (value: unknown, argument: string) => Tensor,
): Promise<Tensor | null> {
  const absent = (value: unknown): boolean => value === null || value === undefined;
  if (absent(sampleWeight) && absent(classWeight)) return null;
  if (!absent(sampleWeight) && !absent(classWeight))
    throw new ConfigError(
      `${operation}: sampleWeight and classWeight exclude each other. Multiply them into one.`,
    );
  if (!absent(sampleWeight)) {
    const weight = own(sampleWeight, 'sampleWeight');
    if (weight.shape[0] !== count)
      throw new ShapeError(
        `${operation}: sampleWeight has shape ${show(weight.shape)} for ${count} samples; expected one for each.`,
      );
    return weight.rank === 2 && weight.shape[1] === 1 ? reshape(weight, [count]) : weight;
  }
  if (y === null) throw new ConfigError(`${operation}: classWeight needs y.`);
  return own(await classWeights(classWeight, y, operation), 'classWeight');
}

/** The weight of each sample's class. One-hot rows count for the class of their largest value. */
async function classWeights(given: unknown, y: Tensor, operation: string): Promise<Float32Array> {
  const weights = readClassWeight(given, operation);
  const width = y.rank > 1 ? y.shape[y.rank - 1] : 1;
  // One-hot rows that are here are looked at here: going to the GPU they would stay there.
  const classes =
    width === 1 ? (y.host ?? (await y.data())) : y.host ? largest(y.host, width) : await y.argMax(-1).data();
  const result = new Float32Array(y.shape[0]);
  for (let i = 0; i < result.length; i++) {
    const weight = weights.get(Math.round(classes[i]));
    if (weight === undefined)
      throw new ShapeError(
        `${operation}: classWeight has weights for ${weights.size} classes (${[...weights.keys()].join(', ')}), but y has class ${classes[i]} at position ${i}. Give every class a weight.`,
      );
    result[i] = weight;
  }
  return result;
}

/** The position of the largest number in each row. */
function largest(numbers: TypedArray, width: number): Int32Array {
  const result = new Int32Array(numbers.length / width);
  for (let row = 0; row < result.length; row++) {
    const start = row * width;
    let best = start;
    for (let i = start + 1; i < start + width; i++) if (numbers[i] > numbers[best]) best = i;
    result[row] = best - start;
  }
  return result;
}

function readClassWeight(given: unknown, operation: string): Map<number, number> {
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(
      `${operation}: classWeight is ${describe(given)}; expected { 0: weight, 1: weight, … }.`,
    );
  const entries = given instanceof Map ? [...given] : Object.entries(given);
  return new Map(
    entries.map(([key, weight]) => {
      const number = Number(key);
      if (!Number.isInteger(number) || number < 0)
        throw new ValueError(
          `${operation}: classWeight has the class ${describe(key)}; classes are whole numbers from 0.`,
        );
      if (typeof weight !== 'number' || !Number.isFinite(weight))
        throw new ValueError(
          `${operation}: classWeight of class ${key} is ${describe(weight)}; expected a number.`,
        );
      return [number, weight] as const;
    }),
  );
}

/** ValueError when class weights name a class that the model does not have. */
export function checkClassWeight(given: unknown, classes: number, operation: string): void {
  if (given === null || given === undefined) return;
  for (const number of readClassWeight(given, operation).keys())
    if (number >= classes)
      throw new ValueError(
        `${operation}: classWeight has a weight for class ${number}; the model has the classes 0 … ${classes - 1}.`,
      );
}

/** How many classes outputs tell apart: two where there is one output. */
export const classCount = (outputShape: BatchShape): number => Math.max(2, outputShape.at(-1) ?? 2);

/** Checks class numbers, where y holds such; reads them back when they are on the GPU. */
export async function checkLabels(y: Tensor, outputShape: BatchShape, operation: string): Promise<void> {
  const known = outputShape.map((size) => size ?? 0);
  if (isSparse(y.shape, known))
    refuseBadClasses(y.host ?? (await y.data()), known[known.length - 1], operation);
}

/** The first part for training and the last for validation, before any shuffling. */
export function splitSamples(samples: Samples, share: number, operation: string): [Samples, Samples | null] {
  if (share === 0) return [samples, null];
  const { count } = samples;
  const kept = Math.floor(count * (1 - share));
  if (kept === 0 || kept === count)
    throw new ValueError(
      `${operation}: validationSplit ${share} of ${count} samples leaves ${kept} for training and ${count - kept} for validation; both need one.`,
    );
  return [
    { ...samples, count: kept },
    { ...samples, start: kept, count: count - kept, dispose: () => {} },
  ];
}
