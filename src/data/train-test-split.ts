import { counting } from '../base/counting.ts';
import { ConfigError, ShapeError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { groupByLabel, type Labels } from './labels.ts';
import { RandomState } from './random-state.ts';
import { type Rows, rowCount, take } from './rows.ts';
import { stratifiedSplit } from './stratified-split.ts';

export interface SplitOptions {
  /** Share of the rows below 1, or a number of rows; 0.25, or what `trainSize` leaves, unless given. */
  readonly testSize?: number;
  /** Share of the rows below 1, or a number of rows; what `testSize` leaves unless given. */
  readonly trainSize?: number;
  /** Seed from 0 to 2³² − 1, as in NumPy; a different split each time unless given. */
  readonly randomState?: number;
  /** Whether rows are drawn at random (true unless given) or in order, training rows first. */
  readonly shuffle?: boolean;
  /** The class of each row: both parts get each class's share of the rows. Needs `shuffle`. */
  readonly stratify?: Labels | null;
}

/** [A, B] → [A, A, B, B]: each of the rows given comes back twice, for training and for testing. */
export type Split<T extends readonly unknown[]> = T extends readonly [infer First, ...infer Rest]
  ? [First, First, ...Split<Rest>]
  : [];

/**
 * Splits rows into a training and a test part, the very rows that scikit-learn's `train_test_split` picks.
 *
 * Takes lists, typed arrays, arrays with a shape and labelled images, all with the same number of rows,
 * and gives training and test part of each in turn, copied. Throws ValueError when a part would be empty.
 *
 * ```ts
 * const [xTrain, xTest, yTrain, yTest] = data.trainTestSplit(x, y, { testSize: 0.2, randomState: 42 });
 * const [train, validation] = data.trainTestSplit(fashion.train, { testSize: 0.2, randomState: 42 });
 * ```
 */
export function trainTestSplit<T extends Rows[]>(...args: [...rows: T, options: SplitOptions]): Split<T>;
export function trainTestSplit<T extends Rows[]>(...rows: T): Split<T>;
export function trainTestSplit(...args: (Rows | SplitOptions)[]): unknown[] {
  const options = isOptions(args.at(-1)) ? (args.pop() as SplitOptions) : {};
  const all = args as Rows[];
  if (all.length === 0)
    throw new ValueError('trainTestSplit: nothing to split, expected at least one array.');
  const counts = all.map(rowCount);
  if (counts.some((count) => count !== counts[0])) {
    throw new ShapeError(`trainTestSplit: arrays of ${counts.join(', ')} rows, expected as many in each.`);
  }
  const { train, test } = splitIndices(counts[0], options);
  return all.flatMap((rows) => [take(rows, train), take(rows, test)]);
}

function isOptions(last: Rows | SplitOptions | undefined): last is SplitOptions {
  return last !== undefined && !('length' in last) && !('shape' in last) && !('images' in last);
}

/**
 * The rows of either part: one permutation, the test part first (sklearn/model_selection/_split.py), or with
 * `stratify` those of StratifiedShuffleSplit.
 */
export function splitIndices(count: number, given?: SplitOptions): { train: Uint32Array; test: Uint32Array } {
  const known = ['testSize', 'trainSize', 'randomState', 'shuffle', 'stratify'] as const;
  const options = knownOptions<SplitOptions>('trainTestSplit', given, known);
  const { trainCount, testCount } = partSizes(count, options);
  const { stratify } = options;
  if (options.shuffle === false) {
    if (stratify)
      throw new ConfigError('trainTestSplit: stratify draws at random. Leave out { shuffle: false }.');
    const order = counting(trainCount + testCount);
    return { train: order.slice(0, trainCount), test: order.slice(trainCount) };
  }
  const seed = options.randomState ?? Math.floor(Math.random() * 2 ** 32);
  const random = new RandomState(seed);
  if (stratify) {
    const classes = groupByLabel(stratify, 'sorted', 'trainTestSplit');
    if (classes.count === count) return stratifiedSplit(classes, trainCount, testCount, random);
    throw new ShapeError(`trainTestSplit: stratify has ${classes.count} labels for ${count} rows.`);
  }
  const order = random.permutation(count);
  return { train: order.slice(testCount, testCount + trainCount), test: order.slice(0, testCount) };
}

function partSizes(
  count: number,
  { testSize, trainSize }: SplitOptions,
): { trainCount: number; testCount: number } {
  const fail = (reason: string): never => {
    throw new ValueError(`trainTestSplit: ${reason}`);
  };
  for (const [name, size] of Object.entries({ testSize, trainSize })) {
    if (size === undefined) continue;
    const share = size > 0 && size < 1;
    if (!share && !(Number.isInteger(size) && size >= 1 && size < count)) {
      fail(
        `${name} is ${size}, expected a share between 0 and 1 or a number of rows from 1 to ${count - 1}.`,
      );
    }
  }
  const rows = (size: number, round: (x: number) => number) => (size < 1 ? round(size * count) : size);
  const test = testSize ?? (trainSize === undefined ? 0.25 : undefined);
  const train = trainSize === undefined ? undefined : rows(trainSize, Math.floor);
  const testCount = test === undefined ? count - train! : rows(test, Math.ceil);
  const trainCount = train ?? count - testCount;
  if (trainCount + testCount > count) {
    fail(`${trainCount} training and ${testCount} test rows are more than the ${count} there are.`);
  }
  if (trainCount < 1 || testCount < 1) {
    fail(`${count} rows would be split into ${trainCount} for training and ${testCount} for testing.`);
  }
  return { trainCount, testCount };
}
