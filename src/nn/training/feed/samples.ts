/** What `fit` and its kin are given, checked and made into tensors, before any GPU work. */
import { ConfigError, ShapeError, ValueError } from '../../../base/errors.ts';
import { isNdArray, isTyped } from '../../../data/pipeline/columns.ts';
import type { Dataset } from '../../../data/pipeline/dataset.ts';
import { isDataset } from '../../../data/pipeline/is-dataset.ts';
import { type TensorLike, tensor } from '../../../ops/constant.ts';
import type { DType, TypedArray } from '../../../ops/dtype.ts';
import { reshape } from '../../../ops/movement.ts';
import { type Shape, show, sizeOf } from '../../../ops/shape.ts';
import { Tensor } from '../../../ops/tensor.ts';
import { isGiven } from '../../check.ts';
import { type BatchShape, fits, showBatch } from '../../layers/layer.ts';
import { describe } from '../../names.ts';
import { isSparse, refuseBadClasses } from '../../targets.ts';
import { classWeights } from './class-weights.ts';

/** Samples that are the same in number: [n, …] each. `start` and `count` are a part of them. */
export interface Samples {
  /** What the model's inputs are given; one for most models. */
  readonly inputs: readonly Tensor[];
  /** What its outputs should be; none for predictions, null for an output that is compared with nothing. */
  readonly targets: readonly (Tensor | null)[];
  /** What each sample counts for each target, [n], or null. */
  readonly weights: readonly (Tensor | null)[];
  /** Whether the weights are those of classes, which count in training alone. */
  readonly byClass?: boolean;
  readonly start: number;
  readonly count: number;
  /** The rows that a pass visits, where a dataset says which; null for `count` rows from `start`. */
  readonly order?: ((pass: number) => Int32Array) | null;
  /** Samples of a step, where a dataset says how many. */
  readonly batchSize?: number | null;
  /** Frees what was made here, and leaves alone what was given. */
  dispose(): void;
}

/** A dataset whose batches are made on the way. */
export interface MadeBatches {
  readonly dataset: Dataset;
  /** How many are wanted: of a pass, or at once; null where the dataset cannot say. */
  readonly stepCount: number | null;
  /** How many are wanted at once; null for all. */
  readonly limit: number | null;
  dispose(): void;
}

/** Samples, or a dataset that makes its batches on the way. */
export type Source = Samples | MadeBatches;

export const isMade = (source: Source): source is MadeBatches => 'dataset' in source;

/** x, y and weights as a user gives them. */
export interface GivenSamples {
  readonly x: unknown;
  readonly y?: unknown;
  readonly sampleWeight?: unknown;
  readonly classWeight?: unknown;
}

/** A value that a user gave for one input, or for one output. */
export interface Part {
  /** For messages: 'x', 'x.image', 'y[1]'. */
  readonly name: string;
  readonly value: unknown;
  /** What is expected, as far as it is known. */
  readonly shape?: BatchShape | null;
}

/** How data for several inputs and outputs are told apart. */
export interface Ports {
  inputs(x: unknown, operation: string): readonly Part[];
  /** What is given for the targets of inputs like these, with the weights; null for an output that has none. */
  targets(
    given: Omit<GivenSamples, 'x'>,
    inputs: readonly Tensor[],
    operation: string,
  ): readonly (readonly [target: Part | null, weight: Part | null])[];
}

/** What takes samples. */
export interface Recipient {
  readonly inputShape: BatchShape | null;
  /** Null where there is one input and one output. */
  readonly ports: Ports | null;
  /** Of each input that takes ids, how many there are; null for others. */
  readonly vocabularies: readonly (number | null)[];
}

/** What the samples are for. */
export interface Purpose {
  /** For messages: 'fit'. */
  readonly operation: string;
  /** The model that they are for. */
  readonly model: Recipient;
  /** Tensors made so far in this run, by the arrays they hold: parts of one dataset share them. */
  readonly shared?: Map<unknown, Tensor>;
  /** Of a dataset that makes its batches, at most so many at once; default all. */
  readonly limit?: number | null;
  /** Further options, as far as they were given, that contradict a dataset. */
  readonly beside?: Readonly<Record<string, unknown>>;
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
export async function takeSamples(given: GivenSamples, purpose: Purpose): Promise<Samples> {
  const { operation, shared } = purpose;
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
    const { ports, inputShape } = purpose.model;
    const parts = ports?.inputs(given.x, operation) ?? [{ name: 'x', value: given.x, shape: inputShape }];
    const inputs = parts.map((part) => {
      const x = own(part.value, part.name, sampleShape(part.shape ?? null));
      checkInput(x, part, operation);
      return x;
    });
    const { vocabularies } = purpose.model;
    for (const [i, one] of inputs.entries()) {
      const size = vocabularies[i] ?? null;
      if (size !== null) await checkIds(one, size, `${operation}: ${parts[i].name}`);
    }
    const [x] = inputs;
    const count = x.shape[0] ?? 0;
    const asMany = (one: Tensor, name: string): Tensor => {
      if (one.shape[0] === count) return one;
      throw new ShapeError(
        `${operation}: ${parts[0].name} has ${count} samples and ${name} ${one.shape[0] ?? 'is one number'}; expected the same number of both.`,
      );
    };
    inputs.forEach((one, i) => {
      asMany(one, parts[i].name);
    });
    const pairs = ports?.targets(given, inputs, operation) ?? [
      [
        isGiven(given.y) ? { name: 'y', value: given.y } : null,
        { name: 'sampleWeight', value: given.sampleWeight },
      ],
    ];
    const targets = pairs.map(([y]) => y && asMany(own(y.value, y.name), y.name));
    if (count === 0)
      throw new ValueError(`${operation}: x has shape ${show(x.shape)}: there are no samples.`);
    const { classWeight } = given;
    const weights: (Tensor | null)[] = [];
    for (const [i, [, weight]] of pairs.entries())
      weights.push(await weightsOf(weight, classWeight, targets[i], count, operation, own));
    const none = targets.every((target) => target === null);
    return {
      inputs,
      targets: none ? [] : targets,
      weights: none ? [] : weights,
      byClass: isGiven(classWeight),
      start: 0,
      count,
      dispose: () => freeAll(made),
    };
  } catch (error) {
    freeAll(made);
    throw error;
  }
}

const freeAll = (made: readonly Tensor[]): void => {
  for (const one of made) one.dispose();
};

const sampleShape = (inputShape: BatchShape | null): Shape | null =>
  inputShape !== null && inputShape.length > 1 && !inputShape.slice(1).includes(null)
    ? (inputShape.slice(1) as number[])
    : null;

/**
 * Arrays as a tensor; a flat one, typed or a list, as rows of the model's input, where it divides into such. Typed arrays are not
 * copied: data that are streamed would be there twice.
 */
function asTensor(value: unknown, like: Shape | null): Tensor {
  const { data, shape: given } = isNdArray(value) ? value : { data: value };
  const isFlat = isTyped(data) || (Array.isArray(data) && typeof data[0] === 'number');
  if (!isFlat) return tensor(data as TensorLike, given ? { shape: given } : {});
  const { length } = data;
  const rows = like === null ? 0 : length / sizeOf(like);
  const shape = given ?? (rows > 0 && Number.isInteger(rows) ? [rows, ...like!] : [length]);
  if (!isTyped(data)) return tensor(data, { shape });
  const dtype = data.buffer instanceof ArrayBuffer ? OWN_DTYPE.get(data.constructor) : undefined;
  const fits = shape.every((size) => size >= 0) && sizeOf(shape) === length;
  return dtype && fits
    ? onHost(data as TypedArray, [...shape], dtype)
    : tensor(data as TensorLike, { shape });
}

/** A tensor of numbers that are on the host, without a copy: they must stay as they are until it has been used. */
export function onHost(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  const x = new Tensor(shape, dtype);
  x.host = data;
  return x;
}

const OWN_DTYPE: ReadonlyMap<unknown, DType> = new Map<unknown, DType>([
  [Float32Array, 'f32'],
  [Int32Array, 'i32'],
  [Uint32Array, 'u32'],
  [Uint8Array, 'u8'],
]);

/** ValueError for an id outside the vocabulary: on the GPU its row would be NaN, and training would go on. */
async function checkIds(x: Tensor, size: number, where: string): Promise<void> {
  if (x.size === 0) return;
  const known = x.host ?? [...(await x.min().data()), ...(await x.max().data())];
  const bad = known.findIndex((id: number) => !(id >= 0 && id < size));
  if (bad >= 0)
    throw new ValueError(
      `${where} holds the id ${known[bad]}${x.host ? ` at position ${bad}` : ''}; ids go from 0 to ${size - 1}. Raise the embedding's inputDim, or map rare words to one id.`,
    );
}

function checkInput(x: Tensor, { name, shape: inputShape = null }: Part, operation: string): void {
  if (x.rank === 0) throw new ShapeError(`${operation}: ${name} is one number; expected samples, [n, …].`);
  if (inputShape !== null && !fits([null, ...x.shape.slice(1)], [null, ...inputShape.slice(1)]))
    throw new ShapeError(
      `${operation}: ${name} has shape ${show(x.shape)}; the model takes ${showBatch([null, ...inputShape.slice(1)])}.${
        fits(x.shape, inputShape.slice(1))
          ? ' For one sample give [x]; on a dataset of rows call batch(size).'
          : ''
      }`,
    );
}

async function weightsOf(
  part: Part | null,
  classWeight: unknown,
  y: Tensor | null,
  count: number,
  operation: string,
  own: (value: unknown, argument: string) => Tensor,
): Promise<Tensor | null> {
  const { name = 'sampleWeight', value: sampleWeight } = part ?? {};
  if (!isGiven(sampleWeight) && !isGiven(classWeight)) return null;
  if (isGiven(sampleWeight) && isGiven(classWeight))
    throw new ConfigError(
      `${operation}: sampleWeight and classWeight exclude each other. Multiply them into one.`,
    );
  if (isGiven(sampleWeight)) {
    const weight = own(sampleWeight, name);
    if (weight.shape[0] !== count)
      throw new ShapeError(
        `${operation}: ${name} has shape ${show(weight.shape)} for ${count} samples; expected one for each.`,
      );
    return weight.rank === 2 && weight.shape[1] === 1 ? reshape(weight, [count]) : weight;
  }
  if (y === null) throw new ConfigError(`${operation}: classWeight needs y.`);
  return own(await classWeights(classWeight, y, operation), 'classWeight');
}

/** Checks class numbers, where targets hold such; reads them back when they are on the GPU. `sparse`: which losses take them. */
export async function checkLabels(
  { targets }: Pick<Samples, 'targets'>,
  { outputShapes }: { readonly outputShapes: readonly BatchShape[] },
  sparse: readonly boolean[],
  operation: string,
): Promise<void> {
  for (const [i, y] of targets.entries()) {
    const known = outputShapes[i].map((size) => size ?? 0);
    if (y && sparse[i] && isSparse(y.shape, known))
      refuseBadClasses(y.host ?? (await y.data()), known[known.length - 1], operation);
  }
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
    {
      ...samples,
      weights: samples.byClass ? samples.weights.map(() => null) : samples.weights,
      start: kept,
      count: count - kept,
      dispose: () => {},
    },
  ];
}
