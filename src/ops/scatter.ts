/** The sum of rows by their index: the gradient of gather. */
import { zeros } from './constant.ts';
import { apply, type Case, defineOp, twin } from './define.ts';
import { gather } from './movement.ts';
import { ndarray } from './reference.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

const scatterSumOp = defineOp({
  name: 'scatterSum',
  shape: ([[outer, , inner]], a) => [outer, a.length as number, inner],
  dtype: () => 'f32',
  kernel: { family: 'scatter', inputs: ['x', 'indices'], output: 'y' },
  expand: (y) => (y.inputs[0].size === 0 || y.size === 0 ? zeros(y.shape) : null),
  backward: ([, indices], _y, g) => [gather(g, indices, 1), null],
  cost: ([x], y) => ({ flops: sizeOf(x.shape), bytes: 4 * (sizeOf(x.shape) + sizeOf(y.shape)) }),
});

/**
 * y[o, r, i] = Σ x[o, j, i] over every j with indices[j] = r, and 0 where there is none.
 *
 * x: [outer, count, inner] of f32, indices: [count] of i32 → [outer, length, inner]. No row reaches another: one that is NaN
 * or infinite makes its own so. An index outside is left out.
 */
export const scatterSum = (x: Tensor, indices: Tensor, length: number): Tensor =>
  apply(scatterSumOp, [x, indices], { length });

const cases: Case[] = (
  [
    [[1, 5, 3], 4],
    [[2, 7, 1], 3],
    [[3, 40, 18], 6],
    [[1, 300, 33], 2],
    [[1, 0, 3], 4],
  ] as const
).map(([shape, length]) => ({
  shapes: [shape, [shape[1]]],
  dtypes: ['f32', 'i32'],
  range: [0, length],
  attributes: { length },
}));

const scatterSumTwin = twin(scatterSumOp, () => ({
  reference([x, indices], a) {
    const [outer, count, inner] = x.shape;
    const length = a.length as number;
    const y = ndarray([outer, length, inner]);
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < count; j++)
        for (let i = 0; i < inner; i++)
          y.data[(o * length + indices.data[j]) * inner + i] += x.data[(o * count + j) * inner + i];
    return y;
  },
  tolerance: { relative: 1e-6, absolute: 2e-5 },
  terms: ([[, count]]) => count,
  cases,
}));

/** For the registry. */
export const twins = [scatterSumTwin];
