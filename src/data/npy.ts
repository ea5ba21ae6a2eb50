/**
 * NumPy's `.npy`: a magic number, a version, a header in Python's own notation, then the elements.
 *
 * Source: numpy/lib/_format_impl.py (NumPy 2); the bytes written are those that `numpy.save` writes.
 */

import { DTypeError, FormatError, ShapeError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { plainBytes } from '../base/plain-bytes.ts';
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
 * const x = data.parseNpy(await readFile('x.npy'));   // { data, shape }
 * ```
 */
export function parseNpy(bytes: Uint8Array, given?: NpyOptions): NdArray {
  const options = knownOptions<NpyOptions>('parseNpy', given, ['file']);
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
  const raw = plainBytes(bytes).subarray(dataStart);
  const elements = type.read(order === '>' ? swapped(raw, type.size) : raw, count, (i, value) =>
    fail(`element ${i}`, `${value} does not fit into 32 bits.`),
  );
  return { data: fortran ? rowMajor(elements, shape) : elements, shape };
}

/** Of an `.npy` file of Python objects: the shape, and the pickle behind the header. */
export function pickleIn(bytes: Uint8Array, file: string): { shape: number[]; pickle: Uint8Array } {
  const fail: Fail = (place, reason) => {
    throw new FormatError(`${file}, ${place}: ${reason}`);
  };
  const { text, dataStart } = readHeader(bytes, fail);
  const { descr, shape } = parseHeader(text, fail);
  if (descr !== '|O') fail('the header', `elements of type '${descr}', expected Python objects, '|O'.`);
  return { shape, pickle: bytes.subarray(dataStart) };
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
  const entries = new Literal(text, (reason, at) =>
    fail('the header', `${reason} at character ${at} of ${JSON.stringify(short)}.`),
  ).dictionary();
  const entry = <T>(
    name: string,
    is: (value: PythonValue) => value is PythonValue & T,
    meaning: string,
  ): T => {
    const value = entries.get(name);
    return value !== undefined && is(value)
      ? value
      : fail('the header', `no ${meaning} in ${JSON.stringify(short)}.`);
  };
  const descr = entry('descr', (value) => typeof value === 'string', 'simple type (descr)');
  const fortran = entry('fortran_order', (value) => typeof value === 'boolean', 'fortran_order');
  const shape = entry('shape', (value): value is number[] => Array.isArray(value), 'shape');
  // NumPy refuses a header with more or less in it.
  if (entries.size !== 3)
    fail(
      'the header',
      `${entries.size} entries, expected descr, fortran_order and shape in ${JSON.stringify(short)}.`,
    );
  if (shape.length > MOST_DIMENSIONS) fail('the header', `${shape.length} dimensions, at most 64 are read.`);
  return { descr, fortran, shape };
}

type PythonValue = string | boolean | number[] | unknown[];

/**
 * The part of Python's literals that headers are made of: one dictionary of texts, True, False, tuples of whole numbers,
 * and lists of fields, which are read over. Nothing but space may follow it.
 */
class Literal {
  private at = 0;
  private readonly text: string;
  private readonly fail: (reason: string, at: number) => never;

  constructor(text: string, fail: (reason: string, at: number) => never) {
    this.text = text;
    this.fail = fail;
  }

  dictionary(): Map<string, PythonValue> {
    const entries = new Map<string, PythonValue>();
    this.need('{');
    while (!this.take('}')) {
      const key = this.string();
      if (entries.has(key)) this.fail(`'${key}' is there twice`, this.at);
      this.need(':');
      entries.set(key, this.value());
      if (!this.take(',')) {
        this.need('}');
        break;
      }
    }
    this.space();
    if (this.at < this.text.length) this.fail('something follows the dictionary', this.at);
    return entries;
  }

  private value(depth = 0): PythonValue {
    const word = this.match(/(?:True|False)\b/y);
    if (word) return word === 'True';
    if (this.take('(')) return this.items(')', depth) as number[];
    // A list of named fields is a type that is not read: the caller says so.
    if (this.take('[')) return { fields: this.items(']', depth) } as never;
    return this.string();
  }

  /** Whole numbers, or in lists of fields anything. */
  private items(end: string, depth: number): unknown[] {
    if (depth > 8) this.fail('nested too deep', this.at);
    const items: unknown[] = [];
    while (!this.take(end)) {
      // Python 2 wrote long integers as 3L.
      const number = this.match(/\d+(?=L?\s*[,)\]])/y);
      if (number !== null) {
        this.match(/L/y);
        items.push(Number(number));
      } else items.push(this.value(depth + 1));
      if (!this.take(',')) {
        // (3) is a number in parentheses and no tuple.
        if (end === ')' && items.length === 1) this.fail('a tuple of one needs a comma', this.at);
        this.need(end);
        break;
      }
    }
    if (end === ')' && depth === 0 && items.some((item) => !Number.isSafeInteger(item)))
      this.fail('a shape holds whole numbers alone', this.at);
    return items;
  }

  private string(): string {
    const found = this.match(/'[^'\\]*'|"[^"\\]*"/y);
    return found === null ? this.fail('a text was expected', this.at) : found.slice(1, -1);
  }

  private match(pattern: RegExp): string | null {
    this.space();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    this.at += found?.length ?? 0;
    return found;
  }

  private take(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private need(character: string): void {
    if (!this.take(character)) this.fail(`${character} was expected`, this.at);
  }

  private space(): void {
    while (' \t\r\n\f'.includes(this.text[this.at] ?? '-')) this.at++;
  }
}
