/**
 * NumPy's `.npy`: a magic number, a version, a header in Python's own notation, then the elements.
 *
 * Source: numpy/lib/_format_impl.py (NumPy 2); the bytes written are those that `numpy.save` writes.
 */

import { DTypeError, FormatError, ShapeError } from '../base/errors.ts';
import type { NdArray, NumberArray } from './nd-array.ts';

export interface NpyOptions {
  /** Name used in error messages. */
  readonly file?: string;
}

type Fail = (place: string, reason: string) => never;

const MAGIC = '\u0093NUMPY';
const MOST_DIMENSIONS = 64; // NumPy's own limit

/**
 * Reads an `.npy` file of numbers or truth values.
 *
 * u1 and bool give Uint8Array; i1, i2, u2, i4 and i8 Int32Array; u4 and u8 Uint32Array; f2 and f4 Float32Array;
 * f8 Float64Array. Big-endian and Fortran-ordered arrays are put in order. Throws FormatError with file, place
 * and reason for other types, Python objects among them, for 64-bit integers that do not fit 32 bits, and for
 * anything but a whole, exact file. Data that need no conversion are a view of `bytes` where they are aligned.
 *
 * ```ts
 * const { data, shape } = data.parseNpy(await readFile('x.npy'));
 * ```
 */
export function parseNpy(bytes: Uint8Array, options: NpyOptions = {}): NdArray {
  const fail: Fail = (place, reason) => {
    throw new FormatError(`parseNpy: ${options.file ?? 'file'}, ${place}: ${reason}`);
  };
  const { text, dataStart } = readHeader(bytes, fail);
  const { descr, fortran, shape } = parseHeader(text, fail);
  const [, order, kind] = /^([<>|=])(\w+)$/.exec(descr) ?? [];
  const type = Object.hasOwn(TYPES, kind ?? '') ? TYPES[kind] : undefined;
  if (!type) {
    const hint = kind?.startsWith('O') ? ' Python objects are never read: they could run anything.' : '';
    return fail(
      'the header',
      `elements of type '${descr}', expected ${Object.keys(TYPES).join(', ')}.${hint}`,
    );
  }
  const count = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - dataStart;
  if (count * type.size !== found) {
    fail(`byte ${dataStart}`, `[${shape}] takes ${count * type.size} bytes of data, ${found} are there.`);
  }
  const raw = bytes.subarray(dataStart);
  const elements = type.read(order === '>' ? swapped(raw, type.size) : raw, count, (i, value) =>
    fail(`element ${i}`, `${value} does not fit into 32 bits.`),
  );
  return { data: fortran ? rowMajor(elements, shape) : elements, shape };
}

/**
 * Writes an `.npy` file that `numpy.load` reads, in its own dtype.
 *
 * Throws ShapeError when the data do not fill the shape, DTypeError for other kinds of arrays.
 */
export function encodeNpy({ data, shape }: NdArray): Uint8Array {
  const descr = DESCRIPTIONS.find(([type]) => data instanceof type)?.[1];
  if (!descr) throw new DTypeError('encodeNpy: expected Uint8, Int32, Uint32, Float32 or Float64Array.');
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count) {
    throw new ShapeError(`encodeNpy: ${data.length} numbers do not fill the shape [${shape}].`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  // NumPy leaves room for the first size to grow to 21 digits, and begins data at multiples of 64 bytes.
  const room = shape.length > 0 ? ' '.repeat(21 - String(shape[0]).length) : '';
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }${room}`;
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  const length = start - 10;
  const lead = [1, 0, length & 0xff, length >> 8]; // version 1.0 and the header's length
  bytes.set([...codes(MAGIC), ...lead, ...codes(`${header.padEnd(length - 1)}\n`)]);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

const codes = (ascii: string): number[] => Array.from(ascii, (character) => character.charCodeAt(0));

/** Elements of one of NumPy's types, little-endian. */
interface Type {
  readonly size: number;
  read(raw: Uint8Array, count: number, misfit: (i: number, value: bigint) => never): NumberArray;
}

type Constructor<T> = new (buffer: ArrayBufferLike, offset: number, length: number) => T;

/** Elements as they stand: a view, or a copy where they do not lie at a multiple of their size. */
const plain = <T extends NumberArray>(type: Constructor<T> & { BYTES_PER_ELEMENT: number }): Type => ({
  size: type.BYTES_PER_ELEMENT,
  read: (raw, count) => view(type, raw, count),
});

function view<T>(type: Constructor<T> & { BYTES_PER_ELEMENT: number }, raw: Uint8Array, count: number): T {
  const aligned = raw.byteOffset % type.BYTES_PER_ELEMENT === 0 ? raw : raw.slice();
  return new type(aligned.buffer, aligned.byteOffset, count);
}

const TYPES: Readonly<Record<string, Type>> = {
  b1: plain(Uint8Array),
  u1: plain(Uint8Array),
  i1: { size: 1, read: (raw, count) => Int32Array.from(view(Int8Array, raw, count)) },
  i2: { size: 2, read: (raw, count) => Int32Array.from(view(Int16Array, raw, count)) },
  u2: { size: 2, read: (raw, count) => Int32Array.from(view(Uint16Array, raw, count)) },
  i4: plain(Int32Array),
  u4: plain(Uint32Array),
  i8: {
    size: 8,
    read: (raw, count, misfit) => narrowed(view(BigInt64Array, raw, count), new Int32Array(count), misfit),
  },
  u8: {
    size: 8,
    read: (raw, count, misfit) => narrowed(view(BigUint64Array, raw, count), new Uint32Array(count), misfit),
  },
  f2: { size: 2, read: (raw, count) => Float32Array.from(view(Uint16Array, raw, count), fromHalf) },
  f4: plain(Float32Array),
  f8: plain(Float64Array),
};

const DESCRIPTIONS = [
  [Uint8Array, '|u1'],
  [Int32Array, '<i4'],
  [Uint32Array, '<u4'],
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
] as const;

/** NumPy's default integer has 64 bits, ours 32; labels and counts fit. */
function narrowed<T extends Int32Array | Uint32Array>(
  from: BigInt64Array | BigUint64Array,
  to: T,
  misfit: (i: number, value: bigint) => never,
): T {
  from.forEach((value: bigint, i: number) => {
    to[i] = Number(value);
    if (BigInt(to[i]) !== value) misfit(i, value);
  });
  return to;
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function swapped(raw: Uint8Array, size: number): Uint8Array {
  const copy = raw.slice();
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}

/** First index fastest → last index fastest. */
function rowMajor(data: NumberArray, shape: readonly number[]): NumberArray {
  const ordered = data.slice();
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  for (let i = 0; i < ordered.length; i++) {
    ordered[i] = data[index.reduce((at, place, axis) => at + place * strides[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return ordered;
}

function readHeader(bytes: Uint8Array, fail: Fail): { text: string; dataStart: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) fail('byte 0', 'it does not begin with NumPy\u2019s magic number: no .npy file.');
  if (bytes.length < 12) fail('the header', `the file ends after ${bytes.length} bytes.`);
  const major = bytes[6];
  if (major < 1 || major > 3) fail('byte 6', `version ${major}, expected 1, 2 or 3.`);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const textStart = major === 1 ? 10 : 12;
  const length = major === 1 ? data.getUint16(8, true) : data.getUint32(8, true);
  const dataStart = textStart + length;
  if (dataStart > bytes.length) fail('byte 8', `a header of ${length} bytes, but the file ends before.`);
  return { text: new TextDecoder().decode(bytes.subarray(textStart, dataStart)), dataStart };
}

/** The three entries of Python's dictionary, in any order, as NumPy and other writers spell them. */
function parseHeader(text: string, fail: Fail): { descr: string; fortran: boolean; shape: number[] } {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text.trimEnd();
  const field = (name: string, value: RegExp, meaning: string): string => {
    const match = new RegExp(`['"]${name}['"]\\s*:\\s*${value.source}`).exec(text);
    return match ? match[1] : fail('the header', `no ${meaning} in ${JSON.stringify(short)}.`);
  };
  const descr = field('descr', /['"]([^'"]*)['"]/, 'simple type (descr)');
  const fortran = field('fortran_order', /(True|False)/, 'fortran_order');
  const sizes = field('shape', /\(([\d\s,]*)\)/, 'shape');
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  if (shape.length > MOST_DIMENSIONS) fail('the header', `${shape.length} dimensions, at most 64 are read.`);
  return { descr, fortran: fortran === 'True', shape };
}
