import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { NdArray, NumberArray } from './nd-array.ts';
import { isNdArray } from './pipeline/columns.ts';
import { Dataset } from './pipeline/dataset.ts';

export interface TimeseriesOptions {
  /** Steps of a window. */
  readonly sequenceLength: number;
  /** Steps from the beginning of one window to that of the next; default 1. */
  readonly sequenceStride?: number;
  /** Each so-manieth step within a window is taken; default 1: all. */
  readonly samplingRate?: number;
  /** Windows of a batch; default 128; null: single windows. */
  readonly batchSize?: number | null;
  /** Whether windows come in another order in each pass; default false. */
  readonly shuffle?: boolean;
  /** Of that order. */
  readonly seed?: number;
  /** Only steps from here on; default 0. */
  readonly startIndex?: number | null;
  /** Only steps before this one; default: all. */
  readonly endIndex?: number | null;
}

const known = [
  'sequenceLength',
  'sequenceStride',
  'samplingRate',
  'batchSize',
  'shuffle',
  'seed',
  'startIndex',
  'endIndex',
] as const;

const shaped = (given: NdArray | NumberArray | readonly number[]): NdArray => {
  if (isNdArray(given)) return given;
  const data = ArrayBuffer.isView(given) ? given : Float32Array.from(given as readonly number[]);
  return { data: data as NumberArray, shape: [data.length] };
};

/**
 * Windows over time, as Keras's `timeseries_dataset_from_array`: window i begins at step startIndex + i · sequenceStride and
 * takes every samplingRate-th step; its target is that of its first step.
 *
 * values: [steps, …features]; targets: [steps, …], or null → a dataset of [windows, sequenceLength, …] and [windows, …].
 * Throws ValueError for sizes that leave no window.
 *
 * ```ts
 * const train = data.timeseriesDatasetFromArray(x, x.subarray(24), { sequenceLength: 24, batchSize: 32 });
 * await model.fit(train, { epochs: 5 });
 * ```
 */
export function timeseriesDatasetFromArray(
  values: NdArray | NumberArray | readonly number[],
  targets: NdArray | NumberArray | readonly number[] | null,
  given: TimeseriesOptions,
): Dataset {
  const called = 'timeseriesDatasetFromArray';
  const options = knownOptions<TimeseriesOptions>(called, given, known);
  const {
    sequenceLength = Number.NaN,
    sequenceStride = 1,
    samplingRate = 1,
    batchSize = 128,
    shuffle = false,
  } = options;
  const x = shaped(values);
  const y = targets === null ? null : shaped(targets);
  const steps = x.shape[0];
  const startIndex = options.startIndex ?? 0;
  const endIndex = options.endIndex ?? steps;
  const whole = (name: string, value: number, least: number, most: number): void => {
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new ValueError(
        `${called}: ${name} is ${value}; expected a whole number from ${least} to ${most}.`,
      );
  };
  whole('startIndex', startIndex, 0, steps - 1);
  whole('endIndex', endIndex, startIndex + 1, steps);
  whole('sequenceLength', sequenceLength, 1, steps);
  whole('sequenceStride', sequenceStride, 1, Math.max(1, steps - 1));
  whole('samplingRate', samplingRate, 1, Math.max(1, steps - 1));
  const reach = (sequenceLength - 1) * samplingRate;
  const room = Math.min(endIndex - startIndex - reach, y?.shape[0] ?? Number.POSITIVE_INFINITY);
  if (room < 1)
    throw new ValueError(
      `${called}: a window reaches over ${reach + 1} steps and there are ${endIndex - startIndex}; expected at least as many.`,
    );
  const count = Math.ceil(room / sequenceStride);
  const rowOf = ({ data, shape }: NdArray) => {
    const rest = shape.slice(1);
    const size = rest.reduce((product, one) => product * one, 1);
    return { rest, row: (i: number): NumberArray => data.subarray(i * size, (i + 1) * size), size };
  };
  const [from, to] = [rowOf(x), y && rowOf(y)];
  const window = (i: number): NdArray => {
    const data = new (x.data.constructor as new (length: number) => NumberArray)(sequenceLength * from.size);
    for (let t = 0; t < sequenceLength; t++)
      data.set(from.row(startIndex + i + t * samplingRate), t * from.size);
    return { data, shape: [sequenceLength, ...from.rest] };
  };
  const target = (i: number): number | NdArray =>
    to!.rest.length === 0 ? to!.row(startIndex + i)[0] : { data: to!.row(startIndex + i), shape: to!.rest };
  const positions = Float64Array.from({ length: count }, (_, i) => i * sequenceStride);
  let windows: Dataset<number> = Dataset.fromTensorSlices(positions);
  if (shuffle) windows = windows.shuffle(count, options.seed);
  const all = windows.map((i) => (to ? [window(i), target(i)] : window(i)));
  return batchSize === null ? (all as Dataset) : (all.batch(batchSize) as Dataset);
}
