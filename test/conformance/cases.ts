/** The cases of `../shared/conformance/tfjs.json`: what they hold, how numbers are read and compared. */
import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '../../src/index.ts';

/** An array of the file; non-finite numbers are the strings "NaN", "Infinity", "-Infinity". */
export interface Values {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
  readonly dtype?: 'float32' | 'int32' | 'bool';
}

// biome-ignore lint/suspicious/noExplicitAny: what a case holds depends on its kind; the runner of a kind knows.
type Field = any;

export interface ConformanceCase {
  readonly id: string;
  readonly kind: string;
  readonly op: string;
  readonly priority: 'core' | 'extended' | 'convention';
  readonly source: { readonly file: string; readonly test: string };
  readonly inputs: Record<string, Values>;
  readonly attrs: Record<string, Field>;
  readonly expect: Field;
  readonly float64: Field;
  readonly note?: string;
  readonly why?: string;
  readonly [field: string]: Field;
}

const place = new URL('../../../shared/conformance/tfjs.json', import.meta.url);

/** Every case, or why there are none. */
export function loadCases(): ConformanceCase[] | string {
  try {
    return JSON.parse(readFileSync(place, 'utf8')).cases;
  } catch (error) {
    return `../shared/conformance/tfjs.json: ${(error as Error).message}`;
  }
}

/** The numbers of an array, or of a lone number. */
export const numbersOf = (values: Values | number): number[] =>
  typeof values === 'number' ? [values] : values.data.map(Number);

export const toTensor = (values: Values, dtype: string = values.dtype ?? 'float32'): Tensor =>
  tensor(numbersOf(values), { shape: [...values.shape], dtype });

const dtypes = { float32: 'f32', int32: 'i32', bool: 'bool' } as const;

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

export const exactly: Tolerance = { relative: 0, absolute: 0 };
/** Trained numbers: many f32 steps on values that may grow. */
export const trained: Tolerance = { relative: 2e-5, absolute: 2e-5 };

/** Fair tolerances against exact values, by class of op: what WGSL promises of its functions. */
const tolerances: Record<string, Tolerance> = {
  relu: exactly,
  max: exactly,
  argMax: exactly,
  add: { relative: 3e-7, absolute: 0 },
  sub: { relative: 3e-7, absolute: 0 },
  mul: { relative: 3e-7, absolute: 0 },
  div: { relative: 1e-6, absolute: 0 },
  sigmoid: { relative: 1e-5, absolute: 1e-6 },
  softmax: { relative: 1e-5, absolute: 1e-6 },
  logSoftmax: { relative: 1e-5, absolute: 1e-6 },
  tanh: { relative: 1e-5, absolute: 2e-5 },
};
const sums: Tolerance = { relative: 1e-5, absolute: 1e-5 };

/** A gradient is made of several ops, so it gets the tolerance of sums where its op's own is tighter. */
export function toleranceOf({ op, kind }: ConformanceCase): Tolerance {
  const name = op.replace(/^activation\./, '');
  const own = Object.hasOwn(tolerances, name) ? tolerances[name] : sums;
  return kind === 'grad' && own.relative < sums.relative ? sums : own;
}

/** Throws unless shape, dtype (where the case names one) and every number agree. */
export async function expectValues(
  got: Tensor,
  wanted: Values,
  { relative, absolute }: Tolerance,
  dtype = wanted.dtype,
): Promise<void> {
  if (got.shape.join() !== wanted.shape.join())
    throw new Error(`shape is [${got.shape}], expected [${wanted.shape}]`);
  if (dtype && got.dtype !== dtypes[dtype])
    throw new Error(`dtype is ${got.dtype}, expected ${dtypes[dtype]}`);
  expectNumbers(await got.data(), wanted, { relative, absolute });
}

/** Throws unless the numbers agree; NaN meets only NaN. */
export function expectNumbers(
  got: ArrayLike<number>,
  wanted: Values | number | readonly number[],
  { relative, absolute }: Tolerance,
): void {
  const exactly = Array.isArray(wanted) ? wanted : numbersOf(wanted as Values | number);
  if (got.length !== exactly.length)
    throw new Error(`${got.length} numbers came, expected ${exactly.length}`);
  for (let i = 0; i < exactly.length; i++) {
    if (Object.is(got[i], exactly[i]) || got[i] === exactly[i]) continue;
    if (!(Math.abs(got[i] - exactly[i]) <= absolute + relative * Math.abs(exactly[i])))
      throw new Error(`element ${i} is ${got[i]}, expected ${exactly[i]}`);
  }
}
