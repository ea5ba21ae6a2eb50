/** The forms that data take in a pipeline: one array, a list of them or named ones, by row and by batch. */

import { ShapeError, ValueError } from '../../base/errors.ts';
import type { LabelledImages } from '../labelled-images.ts';
import type { NdArray, NumberArray } from '../nd-array.ts';
import { take } from '../rows.ts';

/** One array of n rows: with a shape, a typed array or a list of numbers. */
export type Column = NdArray | NumberArray | readonly number[];

/** What `fromTensorSlices` takes. */
export type Slices = Column | LabelledImages | readonly Column[] | Readonly<Record<string, Column>>;

/** One value, several in a list, or several by name. */
export type Form<T> = T | readonly T[] | Readonly<Record<string, T>>;

/** Applies `f` to each value of a form; what comes out has the same form. */
export function mapForm<A, B>(
  form: Form<A>,
  isValue: (part: unknown) => boolean,
  f: (value: A) => B,
): Form<B> {
  if (isValue(form)) return f(form as A);
  if (Array.isArray(form)) return form.map(f);
  return Object.fromEntries(Object.entries(form as Record<string, A>).map(([key, value]) => [key, f(value)]));
}

export const isNdArray = (value: unknown): value is NdArray =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

export const isTyped = (value: unknown): value is NumberArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const isNumbers = (value: unknown): boolean => Array.isArray(value) && !(typeof value[0] === 'object');

/** Arrays with the same number of rows, in the form they were given in. */
export class Columns {
  readonly form: Form<NdArray>;
  readonly count: number;

  constructor(given: Slices) {
    const parts = isLabelledImages(given) ? separate(given) : given;
    const isColumn = (part: unknown) => isNdArray(part) || isTyped(part) || isNumbers(part);
    this.form = mapForm<Column, NdArray>(parts as Form<Column>, isColumn, toNdArray);
    const counts = new Set(this.list().map(({ shape }) => shape[0]));
    if (counts.size !== 1) {
      throw new ShapeError(
        `fromTensorSlices: ${counts.size === 0 ? 'nothing to slice' : `arrays of ${[...counts].join(' and ')} rows`}, expected as many rows in each.`,
      );
    }
    [this.count] = counts;
  }

  private list(): NdArray[] {
    const { form } = this;
    return isNdArray(form) ? [form] : Object.values(form);
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

const separate = ({ images, labels, count, height, width }: LabelledImages): NdArray[] => [
  { data: images, shape: [count, height, width] },
  { data: labels, shape: [count] },
];

function toNdArray(column: Column): NdArray {
  if (isTyped(column)) return { data: column, shape: [column.length] };
  if (!isNdArray(column)) {
    if (!Array.isArray(column) || column.some((value) => typeof value !== 'number')) {
      throw new ValueError(
        'fromTensorSlices: expected numbers, typed arrays or { data, shape }, in a list or an object if there are several.',
      );
    }
    return { data: Float32Array.from(column), shape: [column.length] };
  }
  const { data, shape } = column;
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (shape.length > 0 && data.length === size) return column;
  throw new ShapeError(`fromTensorSlices: ${data.length} numbers in shape [${shape}], expected rows.`);
}
