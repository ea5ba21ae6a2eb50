import { ConfigError, ValueError } from '../../base/errors.ts';
import { knownOptions } from '../../base/options.ts';
import type { NdArray } from '../nd-array.ts';
import { collate } from './collate.ts';
import { Columns, type Form, type LazyArray, type Slices } from './columns.ts';
import type { Flow } from './flow.ts';
import * as flows from './flow.ts';
import { PIPELINE } from './is-dataset.ts';
import { chain, cut, inOrder, type RowOrder, repeated, type Shuffle, shuffled } from './order.ts';

export interface ShuffleOptions {
  /** Whether each pass is shuffled anew; true unless given. */
  readonly reshuffleEachIteration?: boolean;
}

export interface BatchingOptions {
  /** Whether a last batch that is not full is left out; false unless given. */
  readonly dropRemainder?: boolean;
}

export interface GeneratorOptions {
  /** How many elements a pass has, if that is known. */
  readonly cardinality?: number;
}

/** A pipeline that only chooses, orders and batches the rows of arrays, said without touching the data. */
export interface RowPlan {
  /** The arrays, in the form they were given in. */
  readonly columns: Form<NdArray | LazyArray>;
  /** How many rows a pass visits. */
  readonly count: number;
  /** The first row where a pass visits start, start + 1, …; null where the order is another. */
  readonly start: number | null;
  /** The rows of a pass, from 0, in order. */
  order(pass: number): Uint32Array;
  /** Rows of a batch; null where elements are single rows. */
  readonly batchSize: number | null;
}

/** What a pipeline is made of. `rows` is there as long as everything can be said about rows alone. */
interface Parts<T> {
  readonly flow: Flow<T>;
  /** Elements of a pass: Infinity when it has no end, null when nobody can say. */
  readonly cardinality: number | null;
  readonly rows?: { readonly columns: Columns; readonly order: RowOrder; readonly batchSize: number | null };
  readonly shuffles: number;
}

/**
 * A lazy pipeline of data, after TensorFlow's `tf.data.Dataset`: nothing is read or made before it is asked for, and
 * each step gives a new pipeline and leaves the old one as it was.
 *
 * Iterate it with `for await`; each iteration is a pass. An element of arrays is one row of each: a number where the
 * array is [n], else `{ data, shape }`; `batch` makes `{ data, shape: [size, …] }` of them. Where a pipeline only
 * shuffles, takes, skips, repeats and batches rows of arrays, rows stay where they are and only their numbers move.
 *
 * Shuffles are a function of seed and pass: the n-th pass over `all.take(k)` and over `all.skip(k)` never share a
 * row, but without `{ reshuffleEachIteration: false }` rows change sides from pass to pass, as in TensorFlow.
 *
 * ```ts
 * const all = data.Dataset.fromTensorSlices([x, y]).shuffle(10_000, 42, { reshuffleEachIteration: false });
 * const train = all.take(42_000).batch(20);
 * const validation = all.skip(42_000).batch(20);
 * ```
 */
export class Dataset<T = unknown> implements AsyncIterable<T> {
  readonly kind = PIPELINE;
  private readonly parts: Parts<T>;
  private passes = 0;

  private constructor(parts: Parts<T>) {
    this.parts = parts;
  }

  /**
   * The rows of arrays or tensors: one, a list of them (`[x, y]`) or named ones (`{ x, y }`), or labelled images as
   * `[images, labels]`. Nothing is copied. Throws ShapeError when they differ in the number of rows.
   */
  static fromTensorSlices<T = unknown>(slices: Slices): Dataset<T> {
    const columns = new Columns(slices);
    return Dataset.ofRows(columns, inOrder(columns.count)) as Dataset<T>;
  }

  /** What `make` gives: a generator, asynchronous or not, or a list. It is called once for each pass. */
  static fromGenerator<T>(
    make: () => Iterable<T> | AsyncIterable<T>,
    options?: GeneratorOptions,
  ): Dataset<T> {
    const { cardinality = null } = knownOptions<GeneratorOptions>('fromGenerator', options, ['cardinality']);
    if (cardinality !== null && cardinality !== Infinity) whole(cardinality, 'fromGenerator: cardinality', 0);
    if (typeof make !== 'function') {
      throw new ValueError(
        'fromGenerator: expected a function that makes a generator, so that it can begin anew.',
      );
    }
    const flow: Flow<T> = async function* () {
      yield* make();
    };
    return new Dataset({ flow, cardinality, shuffles: 0 });
  }

  /** One element of each pipeline, side by side, as a list; as long as the shortest. */
  static zip<T extends unknown[] = unknown[]>(datasets: readonly Dataset[]): Dataset<T> {
    if (datasets.length === 0) throw new ValueError('zip: nothing to zip, expected at least one dataset.');
    const cardinalities = datasets.map(({ cardinality }) => cardinality);
    return new Dataset({
      flow: flows.zipped(datasets.map(({ parts }) => parts.flow)) as unknown as Flow<T>,
      cardinality: cardinalities.includes(null) ? null : Math.min(...(cardinalities as number[])),
      shuffles: Math.max(...datasets.map(({ parts }) => parts.shuffles)),
    });
  }

  private static ofRows(columns: Columns, order: RowOrder): Dataset {
    const flow: Flow<unknown> = async function* (pass) {
      const here = await columns.here();
      for (const row of order.of(pass)) yield here.row(row);
    };
    return new Dataset({
      flow,
      cardinality: order.count,
      rows: { columns, order, batchSize: null },
      shuffles: order.shuffles,
    });
  }

  private static ofBatches(columns: Columns, order: RowOrder, batchSize: number): Dataset {
    const flow: Flow<unknown> = async function* (pass) {
      const here = await columns.here();
      const rows = order.of(pass);
      for (let at = 0; at < rows.length; at += batchSize) yield here.rows(rows.subarray(at, at + batchSize));
    };
    return new Dataset({
      flow,
      cardinality: Math.ceil(order.count / batchSize),
      rows: { columns, order, batchSize },
      shuffles: order.shuffles,
    });
  }

  /** Elements of a pass: Infinity when it has no end, null when nobody can say before it is over. */
  get cardinality(): number | null {
    return this.parts.cardinality;
  }

  /** The pipeline in terms of rows, or null when it maps, filters, zips or makes its data. */
  get rowPlan(): RowPlan | null {
    const { rows } = this.parts;
    if (!rows) return null;
    const { columns, order, batchSize } = rows;
    const { count, start } = order;
    return { columns: columns.form, count, start, batchSize, order: (pass) => order.of(pass) };
  }

  /** A pass. `pass` chooses the shuffles; unless given, each pass over this pipeline is the next one, from 0. */
  iterate(pass = this.passes++): AsyncGenerator<T, void, undefined> {
    return this.parts.flow(pass);
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.iterate();
  }

  /** All elements of a pass. Throws ValueError when it has no end. */
  async toArray(): Promise<T[]> {
    if (this.cardinality === Infinity) {
      throw new ValueError('toArray: the dataset has no end. Call take(count) first.');
    }
    const elements: T[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }

  /** What `f` makes of each element; it may be asynchronous. */
  map<U>(f: (element: T) => U | Promise<U>): Dataset<U> {
    const { flow, cardinality, shuffles } = this.parts;
    return new Dataset({ flow: flows.mapped(flow, f), cardinality, shuffles });
  }

  /** The elements for which `keep` is true; it may be asynchronous. */
  filter(keep: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    const { flow, cardinality, shuffles } = this.parts;
    return new Dataset({
      flow: flows.filtered(flow, keep),
      cardinality: cardinality === 0 ? 0 : null,
      shuffles,
    });
  }

  /**
   * Elements in random order, each picked from the next `bufferSize` ones: a buffer as large as the pipeline shuffles
   * it evenly. `seed`: an integer from 0 to 2³² − 1; another for each call unless given.
   */
  shuffle(bufferSize: number, seed?: number, options?: ShuffleOptions): Dataset<T> {
    const known = ['reshuffleEachIteration'] as const;
    const { reshuffleEachIteration = true } = knownOptions<ShuffleOptions>('shuffle', options, known);
    whole(bufferSize, 'shuffle: bufferSize', 1);
    if (seed !== undefined) whole(seed, 'shuffle: seed', 0);
    const shuffle: Shuffle = {
      bufferSize,
      seed: seed ?? Math.floor(Math.random() * 2 ** 32),
      reshuffle: reshuffleEachIteration,
    };
    const { flow, cardinality, shuffles } = this.parts;
    return (
      this.reordered((order) => shuffled(order, shuffle)) ??
      new Dataset({
        flow: flows.shuffledThrough(flow, shuffle, shuffles),
        cardinality,
        shuffles: shuffles + 1,
      })
    );
  }

  /** Batches of `size` elements. Elements must have one form, arrays one shape, else the pass throws ShapeError. */
  batch<U = unknown>(size: number, options?: BatchingOptions): Dataset<U> {
    const { dropRemainder = false } = knownOptions<BatchingOptions>('batch', options, ['dropRemainder']);
    whole(size, 'batch: size', 1);
    const { flow, cardinality, rows, shuffles } = this.parts;
    if (rows?.batchSize === null) {
      const { columns, order } = rows;
      const kept = dropRemainder ? cut(order, 0, order.count - (order.count % size)) : order;
      return Dataset.ofBatches(columns, kept, size) as Dataset<U>;
    }
    const batches = flows.mapped(flows.grouped(flow, size, dropRemainder), collate);
    const round = dropRemainder ? Math.floor : Math.ceil;
    return new Dataset({
      flow: batches as Flow<U>,
      cardinality: cardinality === null ? null : round(cardinality / size),
      shuffles,
    });
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    whole(count, 'take: count', 0);
    const { flow, cardinality, shuffles } = this.parts;
    return (
      this.reordered((order, size) => cut(order, 0, count * size), true) ??
      new Dataset({
        flow: flows.limited(flow, count),
        cardinality: cardinality === null ? null : Math.min(cardinality, count),
        shuffles,
      })
    );
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    whole(count, 'skip: count', 0);
    const { flow, cardinality, shuffles } = this.parts;
    return (
      this.reordered((order, size) => cut(order, count * size, Infinity), true) ??
      new Dataset({
        flow: flows.skipped(flow, count),
        cardinality: cardinality === null ? null : Math.max(0, cardinality - count),
        shuffles,
      })
    );
  }

  /** The same again, `times` times in all; without end unless given. */
  repeat(times = Infinity): Dataset<T> {
    if (times !== Infinity) whole(times, 'repeat: times', 0);
    const { flow, cardinality, shuffles } = this.parts;
    return (
      (times === Infinity ? undefined : this.reordered((order) => repeated(order, times))) ??
      new Dataset({
        flow: flows.again(flow, times),
        cardinality: cardinality === 0 || times === 0 ? 0 : cardinality === null ? null : cardinality * times,
        shuffles,
      })
    );
  }

  /** These elements, then those. */
  concatenate(other: Dataset<T>): Dataset<T> {
    const mine = this.parts;
    const others = other.parts;
    const columns = mine.rows?.columns;
    if (columns && others.rows?.columns === columns && !mine.rows?.batchSize && !others.rows.batchSize) {
      return Dataset.ofRows(columns, chain(mine.rows!.order, others.rows.order)) as Dataset<T>;
    }
    const known = mine.cardinality !== null && others.cardinality !== null;
    return new Dataset({
      flow: flows.followed(mine.flow, others.flow),
      cardinality: known ? mine.cardinality + others.cardinality : null,
      shuffles: Math.max(mine.shuffles, others.shuffles),
    });
  }

  /** Makes up to `count` elements ahead of whoever reads; 1 unless given. Rows of arrays need it not. */
  prefetch(count = 1): Dataset<T> {
    whole(count, 'prefetch: count', 1);
    if (this.parts.rows) return this;
    return new Dataset({ ...this.parts, flow: flows.ahead(this.parts.flow, count) });
  }

  /** The same on rows alone, where that can be said; batches only where `batches` is true and they stay whole. */
  private reordered(
    change: (order: RowOrder, size: number) => RowOrder,
    batches = false,
  ): Dataset<T> | undefined {
    const { rows } = this.parts;
    if (!rows) return undefined;
    const { columns, order, batchSize } = rows;
    if (batchSize === null) return Dataset.ofRows(columns, change(order, 1)) as Dataset<T>;
    return batches
      ? (Dataset.ofBatches(columns, change(order, batchSize), batchSize) as Dataset<T>)
      : undefined;
  }
}

function whole(value: number, name: string, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= 0xffffffff) return;
  throw value === -1
    ? new ConfigError(
        `${name} is −1, TensorFlow's sign for "all" or "automatic". Leave it out, or give a number.`,
      )
    : new ValueError(`${name} is ${value}, expected a whole number from ${least}.`);
}
