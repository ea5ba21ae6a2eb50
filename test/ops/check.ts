/** How a case of the registry becomes inputs, and how an answer is judged. */
import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { tensor } from '../../src/index.ts';
import {
  apply,
  type Case,
  type Composite,
  type ProvenOp as Op,
  type Tolerance,
} from '../../src/ops/define.ts';
import type { DType, TypedArray } from '../../src/ops/dtype.ts';
import { type NdArray, ndarray } from '../../src/ops/reference.ts';
import { type Shape, show, sizeOf } from '../../src/ops/shape.ts';
import type { Tensor } from '../../src/ops/tensor.ts';
import { generator } from '../reference/random.ts';

/** One input as both sides see it: the typed array for the GPU, its exact copy in float64. */
export interface Input {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: TypedArray;
  readonly exact: NdArray;
}

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array, u8: Uint8Array };

/** How far inputs stay from the kinks that a case names, so that differences across them are meant. */
const margin = 0.05;

/** The seeded inputs of a case; integers are rounded down. */
export function inputsOf({ shapes, dtypes, range = [-2, 2], avoid = [] }: Case, seed: number): Input[] {
  const random = generator(seed);
  return shapes.map((shape, at) => {
    const dtype = dtypes?.[at] ?? 'f32';
    const draw = (): number => {
      const x = random.between(...range);
      if (dtype !== 'f32') return dtype === 'bool' ? Number(x >= (range[0] + range[1]) / 2) : Math.floor(x);
      return avoid.some((kink) => Math.abs(x - kink) < margin) ? draw() : x;
    };
    const values = new arrays[dtype](Array.from({ length: sizeOf(shape) }, draw));
    return { shape, dtype, values, exact: ndarray(shape, values) };
  });
}

/** An op of the registry on tensors. */
export const call = (entry: Op | Composite, inputs: readonly Tensor[], { attributes = {} }: Case): Tensor =>
  'compute' in entry ? entry.compute(inputs, attributes) : apply(entry, inputs, attributes);

export const toTensors = (inputs: readonly Input[], engine?: Engine): Tensor[] =>
  inputs.map(({ values, shape, dtype }) => tensor(values, { shape, dtype, engine }));

/** `softmax of [4, 10] {"axis":-1}`: what a failing test is called. */
export function caseName({ shapes, dtypes, attributes }: Case): string {
  const operands = shapes.map(
    (shape, i) => `${dtypes && dtypes[i] !== 'f32' ? dtypes[i] : ''}${show(shape)}`,
  );
  return `${operands.join(' and ') || 'no input'}${attributes ? ` ${JSON.stringify(attributes)}` : ''}`;
}

/** Fails with the worst element unless |got - exact| ≤ absolute + relative · |exact| everywhere; NaN meets only NaN. */
export function expectClose(
  got: ArrayLike<number>,
  exact: ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance,
  what: string,
): void {
  expect(got.length, `${what}: number of elements`).toBe(exact.length);
  let worst = 0;
  let report = '';
  for (let i = 0; i < exact.length; i++) {
    if (Object.is(got[i], exact[i]) || got[i] === exact[i]) continue;
    const excess = Math.abs(got[i] - exact[i]) / (absolute + relative * Math.abs(exact[i]));
    if (!(excess <= 1) && !(excess <= worst)) {
      worst = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
      report = `${what}: element ${i} is ${got[i]}, exactly ${exact[i]}: ${worst.toPrecision(3)} times the tolerance`;
    }
  }
  if (report) expect.fail(report);
}

/** The function that an entry stands for, in float64, as one array. */
export const exactly = (entry: Op | Composite, inputs: readonly NdArray[], one: Case): NdArray =>
  entry.reference(inputs, one.attributes ?? {});

/**
 * Central differences of Σ reference(inputs) · dy with respect to elements of one input: NaN where an
 * element was not asked. At most `count` elements, evenly spread.
 */
export function differences(
  entry: Op | Composite,
  one: Case,
  inputs: readonly NdArray[],
  at: number,
  dy: ArrayLike<number>,
  count: number,
): Map<number, number> {
  const epsilon = 1e-6;
  const { data } = inputs[at];
  const loss = (): number => {
    const y = exactly(entry, inputs, one).data;
    let sum = 0;
    for (let i = 0; i < y.length; i++) sum += y[i] * dy[i];
    return sum;
  };
  const slopes = new Map<number, number>();
  const stride = Math.max(1, data.length / count);
  for (let position = 0; position < data.length; position += stride) {
    const i = Math.floor(position);
    const kept = data[i];
    data[i] = kept + epsilon;
    const above = loss();
    data[i] = kept - epsilon;
    const below = loss();
    data[i] = kept;
    slopes.set(i, (above - below) / (2 * epsilon));
  }
  return slopes;
}
