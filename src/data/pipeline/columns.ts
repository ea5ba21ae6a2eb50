/** The forms that data take in a pipeline: one array, a list of them or named ones, by row and by batch. */

import { ShapeError, ValueError } from '../../base/errors.ts';
import type { LabelledImages } from '../labelled-images.ts';
import type { NdArray, NumberArray } from '../nd-array.ts';
import { take } from '../rows.ts';

/** An array whose numbers come when they are asked for: a tensor. `data` is called when a pass needs them here. */
export interface LazyArray {
  readonly shape: readonly number[];
  data(): Promise<NumberArray>;
}

/** One array of n rows: with a shape, a typed array, a list of numbers or a tensor. */
export type Column = NdArray | LazyArray | NumberArray | readonly number[];

/** What `fromTensorSlices` takes. */
export type Slices = LabelledImages | Form<Column>;

/** One value, several in a list, or several by name; these may be nested: [{ image, size }, label]. */
export type Form<T> = T | readonly Form<T>[] | { readonly [name: string]: Form<T> };

/** Applies `f` to each value of a form; what comes out has the same form. */
export function mapForm<A, B>(
  form: Form<A>,
  isValue: (part: unknown) => boolean,
  f: (value: A) => B,
): Form<B> {
  if (isValue(form) || typeof form !== 'object' || form === null) return f(form as A);
  const within = (part: Form<A>): Form<B> => mapForm(part, isValue, f);
  if (Array.isArray(form)) return form.map(within);
  return Object.fromEntries(Object.entries(form).map(([key, value]) => [key, within(value)]));
}

export const isNdArray = (value: unknown): value is NdArray => isShaped(value) && !isLazy(value);

/** With a shape, whether the numbers are here or not. */
const isShaped = (value: unknown): value is NdArray | LazyArray =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

const isLazy = (value: NdArray | LazyArray): value is LazyArray => typeof value.data === 'function';

export const isTyped = (value: unknown): value is NumberArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const isNumbers = (value: unknown): boolean => Array.isArray(value) && !(typeof value[0] === 'object');

/** Arrays with the same number of rows, in the form they were given in. */
export class Columns {
  readonly form: Form<NdArray | LazyArray>;
  readonly count: number;
  private fetched: Promise<HostRows> | null = null;

  constructor(given: Slices) {
    const parts = isLabelledImages(given) ? separate(given) : given;
    const isColumn = (part: unknown) => isShaped(part) || isTyped(part) || isNumbers(part);
    this.form = mapForm<Column, NdArray | LazyArray>(parts as Form<Column>, isColumn, toShaped);
    const counts = new Set(this.list().map(({ shape }) => shape[0]));
    if (counts.size !== 1) {
      throw new ShapeError(
        `fromTensorSlices: ${counts.size === 0 ? 'nothing to slice' : `arrays of ${[...counts].join(' and ')} rows`}, expected as many rows in each.`,
      );
    }
    [this.count] = counts;
  }

  private list(): (NdArray | LazyArray)[] {
    const all: (NdArray | LazyArray)[] = [];
    mapForm<NdArray | LazyArray, null>(this.form, isShaped, (column) => {
      all.push(column);
      return null;
    });
    return all;
  }

  /** The rows here, where they can be looked at. Numbers that are elsewhere are fetched once. */
  here(): Promise<HostRows> {
    this.fetched ??= this.fetch();
    return this.fetched;
  }

  private async fetch(): Promise<HostRows> {
    const arrays = await Promise.all(
      this.list().map(
        async (column): Promise<NdArray> =>
          isLazy(column) ? { data: await column.data(), shape: [...column.shape] } : column,
      ),
    );
    let i = 0;
    return new HostRows(mapForm<NdArray | LazyArray, NdArray>(this.form, isShaped, () => arrays[i++]));
  }
}

/** Rows of arrays that are here. */
export class HostRows {
  private readonly form: Form<NdArray>;

  constructor(form: Form<NdArray>) {
    this.form = form;
  }

  /** Row i of each array: a number where the array has rank 1, else an array of the rest of the shape (a view). */
  row(i: number): Form<number | NdArray> {
    return mapForm<NdArray, number | NdArray>(this.form, isNdArray, ({ data, shape }) => {
      if (shape.length === 1) return data[i];
      const rest = shape.slice(1);
      const size = rest.reduce((product, extent) => product * extent, 1);
      return { data: data.subarray(i * size, (i + 1) * size), shape: rest };
    });
  }

  /** The rows at these places as arrays of their own, in the same form and the same element types. */
  rows(places: Uint32Array): Form<NdArray> {
    return mapForm<NdArray, NdArray>(this.form, isNdArray, (column) => take(column, places));
  }
}

const isLabelledImages = (given: Slices): given is LabelledImages =>
  typeof given === 'object' && 'images' in given && 'labels' in given && 'height' in given;

const separate = ({ images, labels, count, height, width, channels }: LabelledImages): NdArray[] => [
  { data: images, shape: [count, height, width, ...(channels ? [channels] : [])] },
  { data: labels, shape: [count] },
];

function toShaped(column: Column): NdArray | LazyArray {
  if (isTyped(column)) return { data: column, shape: [column.length] };
  if (!isShaped(column)) {
    if (!Array.isArray(column) || column.some((value) => typeof value !== 'number')) {
      throw new ValueError(
        'fromTensorSlices: expected numbers, typed arrays, tensors or { data, shape }, in a list or an object if there are several.',
      );
    }
    return { data: Float32Array.from(column), shape: [column.length] };
  }
  const { shape } = column;
  if (isLazy(column)) {
    if (shape.length > 0) return column;
    throw new ShapeError('fromTensorSlices: a tensor without axes has no rows.');
  }
  const { data } = column;
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (shape.length > 0 && data.length === size) return column;
  throw new ShapeError(`fromTensorSlices: ${data.length} numbers in shape [${shape}], expected rows.`);
}
