/** Elements by their positions, and the way back: what goes to one place is summed there, in a fixed order. */
import { ShapeError, ValueError } from '../base/errors.ts';
import { add, floorDiv, minimum, mul, sub } from './binary.ts';
import { fill, iota, type TensorLike, toTensor } from './constant.ts';
import {
  apply,
  type Case,
  type Composite,
  defineOp,
  type KernelFamily,
  type Lowered,
  type Op,
  twin,
} from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { asIndices, broadcastTo, checkIndices, expandDims, gather, reshape, slice } from './movement.ts';
import { at, build, ndarray } from './reference.ts';
import { countable, greaterEqual, less, logicalAnd, where } from './select.ts';
import {
  around,
  broadcastShapes,
  checkShape,
  normalizeAxis,
  type Shape,
  sameShape,
  show,
  sizeOf,
  stridesOf,
} from './shape.ts';
import { argsort } from './sort.ts';
import type { Tensor } from './tensor.ts';

const family: KernelFamily = {
  name: 'segments',
  lower({ inputs: { targets, values }, outputs: { y }, profile }): Lowered {
    const [rows, inner] = y.shape;
    const WORKGROUP = lanesOf(profile);
    return {
      kernel: 'segments',
      tune: { Scalar: values.dtype },
      constants: { WORKGROUP },
      params: { count: targets.shape[0], rows, inner },
      workgroups: grid(
        Math.ceil((rows * inner) / WORKGROUP),
        profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
};

/** Sums of the rows [count, inner] whose sorted targets are equal: [rows, inner]. */
const segmentsOp = defineOp({
  name: 'sumSegments',
  shape: ([, , values], a) => [a.rows as number, values[1]],
  dtype: ([, , values]) => values,
  kernel: { family, inputs: ['targets', 'order', 'values'], output: 'y' },
  cost: ([, , values], y) => ({
    flops: sizeOf(values.shape),
    bytes: 4 * (sizeOf(values.shape) + sizeOf(y.shape)),
  }),
});

/** y[r, i] = Σ values[j, i] over the j with rows[j] = r; what is beyond the rows goes nowhere. */
const scatterRowsOp: Op = defineOp({
  name: 'scatterRows',
  shape: ([, values], a) => [a.rows as number, values[1]],
  dtype: ([, values]) => values,
  kernel: { family, inputs: ['targets', 'values'], output: 'y' },
  expand({ inputs: [targets, values], shape, dtype, attributes }) {
    if (values.size === 0 || sizeOf(shape) === 0) return fill(shape, 0, dtype);
    const order = argsort(targets);
    return apply(segmentsOp, [gather(targets, order), order, values], { rows: attributes.rows });
  },
  backward: ([targets, values], y, g) => [
    null,
    values.dtype === 'f32' && y.size > 0
      ? where(expandDims(less(targets, y.shape[0]), -1), takeRows(g, minimum(targets, y.shape[0] - 1)), 0)
      : null,
  ],
});

/** Rows of x: [rows, inner] at these places, and gradients by sums in place of gather's product with one-hot rows. */
const takeRowsOp: Op = defineOp({
  name: 'takeRows',
  shape: ([x, rows]) => [rows[0], x[1]],
  dtype: ([x]) => x,
  expression(e, [x, rows], index) {
    const inner = x.shape[1];
    if (inner === 1) return e.value(x, e.name(`u32(${e.value(rows, index)})`));
    const row = `u32(${e.value(rows, e.divide(index, inner))}) * ${e.uniform(inner, 'u32')}`;
    return e.value(x, e.advance(e.remainder(index, inner), row, inner));
  },
  backward: ([x, rows], _y, g) => [
    x.dtype === 'f32' ? apply(scatterRowsOp, [rows, g], { rows: x.shape[0] }) : null,
    null,
  ],
});

/** Rows of x: [rows, inner] at these places, whose gradient sorts the places: for many of both, where gather's looks through all. */
export const takeRows = (x: Tensor, rows: Tensor): Tensor => apply(takeRowsOp, [x, rows]);

/** Positions [count, depth] in `shape` as flat ones, and whether each is inside. Those known on the host are checked. */
function flattened(indices: TensorLike, shape: Shape, name: string) {
  const raw = toTensor(indices);
  const depth = raw.shape[raw.rank - 1];
  if (raw.rank === 0 || depth > shape.length)
    throw new ShapeError(
      `${name}: indices are ${show(raw.shape)}; expected [..., depth] with a depth of at most ${shape.length}, the axes of ${show(shape)}.`,
    );
  const { host } = raw;
  if (host)
    for (let i = 0; i < host.length; i++)
      if (!Number.isInteger(host[i]) || host[i] < 0 || host[i] >= shape[i % depth])
        throw new ValueError(
          `${name}: index ${host[i]} at position ${i} is outside 0 … ${shape[i % depth] - 1}, axis ${i % depth} of ${show(shape)}.`,
        );
  const strides = stridesOf(shape.slice(0, depth));
  const list = reshape(asIndices(raw, name), [
    depth === 0 ? sizeOf(raw.shape.slice(0, -1)) : raw.size / depth,
    depth,
  ]);
  let flat = fill([list.shape[0]], 0, 'i32');
  let inside = fill([list.shape[0]], 1, 'bool');
  for (const [axis, stride] of strides.entries()) {
    const one = reshape(slice(list, [0, axis], [list.shape[0], 1]), [-1]);
    flat = add(flat, mul(one, stride));
    inside = logicalAnd(inside, logicalAnd(greaterEqual(one, 0), less(one, shape[axis])));
  }
  return {
    flat,
    inside,
    outer: raw.shape.slice(0, -1),
    rest: shape.slice(depth),
    rows: sizeOf(shape.slice(0, depth)),
  };
}

/**
 * The elements, or blocks, of x at positions that are rows of `indices`.
 *
 * x: any shape, indices: [..., depth] → [..., the axes of x beyond depth]. Throws ShapeError for a depth of more than x
 * has, ValueError for a position outside, when it is known on the host.
 *
 * ```ts
 * gatherNd([[1, 2], [3, 4]], [[0, 1], [1, 0]])   // [2, 3]
 * gatherNd([[1, 2], [3, 4]], [[1]])              // [[3, 4]]
 * ```
 */
export function gatherNd(x: TensorLike, indices: TensorLike): Tensor {
  const input = toTensor(x);
  const { flat, outer, rest, rows } = flattened(indices, input.shape, 'gatherNd');
  const inner = sizeOf(rest);
  if (sizeOf(outer) * inner === 0) return fill([...outer, ...rest], 0, input.dtype);
  return reshape(takeRows(reshape(input, [rows, inner]), flat), [...outer, ...rest]);
}

/**
 * Zeros of `shape` to which `values` are added at positions that are rows of `indices`: the way back of gatherNd.
 *
 * indices: [..., depth], values: [..., the axes of shape beyond depth]. What goes to one place is summed in the order in
 * which it comes, so the bits are the same on every run. A position outside is a ValueError when it is known on the
 * host, and goes nowhere otherwise. Throws ShapeError for values of another shape.
 *
 * ```ts
 * scatter([[0], [2], [0]], [1, 2, 3], [4])   // [4, 0, 2, 0]
 * ```
 */
export function scatter(indices: TensorLike, values: TensorLike, shape: readonly number[]): Tensor {
  const to = checkShape(shape, 'scatter');
  const input = countable(values);
  const { flat, inside, outer, rest, rows } = flattened(indices, to, 'scatter');
  if (!sameShape(input.shape, [...outer, ...rest]))
    throw new ShapeError(
      `scatter: values are ${show(input.shape)}; these indices and the shape ${show(to)} want ${show([...outer, ...rest])}.`,
    );
  if (input.size === 0) return fill(to, 0, input.dtype);
  const targets = where(inside, flat, rows);
  return reshape(apply(scatterRowsOp, [targets, reshape(input, [flat.size, sizeOf(rest)])], { rows }), to);
}

/** `sorted`: the indices are an order of each line, whose gradient needs no sums. */
const takeAlongAxisOp: Op = defineOp({
  name: 'takeAlongAxis',
  shape: ([, indices]) => indices,
  dtype: ([x]) => x,
  expression(e, [x, indices], index, y) {
    const axis = y.attributes.axis as number;
    const { length, inner } = around(x.shape, axis);
    const own = y.shape[axis] * inner;
    const place = `u32(${e.value(indices, index)})`;
    const terms = [`(${index} / ${e.uniform(own, 'u32')}) * ${e.uniform(length * inner, 'u32')}`];
    terms.push(
      inner === 1 ? place : `${place} * ${e.uniform(inner, 'u32')} + ${index} % ${e.uniform(inner, 'u32')}`,
    );
    return e.value(x, e.name(terms.join(' + ')));
  },
  backward([x, indices], y, g, { axis, sorted }) {
    const along = axis as number;
    if (x.dtype !== 'f32') return [null, null];
    if (sorted) return [takeSorted(g, argsort(indices, along), along), null];
    const { length, inner } = around(x.shape, along);
    const n = iota(y.size);
    const before = mul(floorDiv(n, y.shape[along] * inner), length * inner);
    const after = sub(n, mul(floorDiv(n, inner), inner));
    const flat = add(add(before, mul(reshape(indices, [y.size]), inner)), after);
    const summed = apply(scatterRowsOp, [flat, reshape(g, [y.size, 1])], { rows: x.size });
    return [reshape(summed, x.shape), null];
  },
});

/** x along an axis in the order of its positions. */
export const takeSorted = (x: Tensor, order: Tensor, axis: number): Tensor =>
  x.size === 0 ? x : apply(takeAlongAxisOp, [x, order], { axis, sorted: true });

/**
 * Of each line of x along `axis` (default the last) the elements at that line's own `indices`; other axes broadcast.
 *
 * ```ts
 * takeAlongAxis([[1, 2], [3, 4]], [[1], [0]], 1)   // [[2], [3]]
 * takeAlongAxis(x, argsort(x), -1)                 // x in order
 * ```
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis = -1): Tensor {
  const [input, raw] = [toTensor(x), toTensor(indices)];
  const along = normalizeAxis(axis, input.rank, 'takeAlongAxis');
  if (raw.rank !== input.rank)
    throw new ShapeError(
      `takeAlongAxis: ${show(input.shape)} and indices ${show(raw.shape)} differ in rank; expected as many axes.`,
    );
  checkIndices(raw, input.shape[along], 'takeAlongAxis');
  const without = (shape: Shape) => shape.map((size, i) => (i === along ? 1 : size));
  const shape = broadcastShapes(without(input.shape), without(raw.shape), 'takeAlongAxis');
  const withAxis = (size: number) => shape.map((own, i) => (i === along ? size : own));
  const places = broadcastTo(asIndices(raw, 'takeAlongAxis'), withAxis(raw.shape[along]));
  if (places.size === 0) return fill(places.shape, 0, input.dtype);
  return apply(takeAlongAxisOp, [broadcastTo(input, withAxis(input.shape[along])), places], {
    axis: along,
    sorted: false,
  });
}

// ---- the twins

const indexed = (shape: Shape, range: [number, number], inputs: readonly Shape[], first: boolean): Case => ({
  shapes: first ? [shape, ...inputs] : [...inputs, shape],
  dtypes: first ? ['i32', 'f32'] : ['f32', 'i32'],
  range,
});

const tolerance = { relative: 1e-6, absolute: 1e-5 };

const scatterRowsTwin = twin(scatterRowsOp, () => ({
  reference([rows, values], a) {
    const inner = values.shape[1];
    const y = ndarray([a.rows as number, inner]);
    values.data.forEach((value, i) => {
      const row = rows.data[Math.floor(i / inner)];
      if (row < (a.rows as number)) y.data[row * inner + (i % inner)] += value;
    });
    return y;
  },
  tolerance,
  terms: ([, values]) => values[0],
  cases: [
    { ...indexed([7], [0, 5], [[7, 3]], true), attributes: { rows: 5 } },
    // Some of them go nowhere.
    { ...indexed([200], [0, 5], [[200, 1]], true), attributes: { rows: 3 } },
  ],
}));

const segmentsTwin = twin(segmentsOp, () => ({
  reference: ([, order, values], a) =>
    build([a.rows as number, values.shape[1]], ([row, i]) =>
      row === 0 ? order.data.reduce((sum, j) => sum + at(values, [j, i]), 0) : 0,
    ),
  tolerance,
  cases: [
    {
      shapes: [[3], [3], [3, 2]],
      dtypes: ['i32', 'i32', 'f32'],
      range: [0, 1],
      attributes: { rows: 2 },
      noGradient: 'made after differentiation',
    },
  ],
}));

const takeRowsTwin = twin(takeRowsOp, () => ({
  reference: ([x, rows]) => build([rows.shape[0], x.shape[1]], ([j, i]) => at(x, [rows.data[j], i])),
  cases: [indexed([7], [0, 5], [[5, 3]], false), indexed([7], [0, 5], [[5, 1]], false)],
}));

const takeAlongAxisTwin = twin(takeAlongAxisOp, () => ({
  reference: ([x, indices], { axis }) =>
    build(indices.shape, (index) =>
      at(
        x,
        index.map((i, one) => (one === axis ? at(indices, index) : i)),
      ),
    ),
  cases: [
    { ...indexed([9], [0, 5], [[5]], false), attributes: { axis: 0, sorted: false } },
    { ...indexed([2, 4, 3], [0, 5], [[2, 5, 3]], false), attributes: { axis: 1, sorted: false } },
  ],
}));

/** For the registry. */
export const twins = [
  scatterRowsTwin,
  segmentsTwin,
  takeRowsTwin,
  takeAlongAxisTwin,
  (): Composite => ({
    name: 'gatherNd',
    compute: ([x, indices]) => gatherNd(x, indices),
    reference: ([x, indices]) =>
      build([indices.shape[0], x.shape[2]], ([j, i]) => at(x, [at(indices, [j, 0]), at(indices, [j, 1]), i])),
    cases: [indexed([6, 2], [0, 3], [[3, 4, 2]], false)],
  }),
  (): Composite => ({
    name: 'scatter',
    compute: ([indices, values]) => scatter(indices, values, [3, 4, 2]),
    reference([indices, values]) {
      const y = ndarray([3, 4, 2]);
      values.data.forEach((value, flat) => {
        const j = Math.floor(flat / 2);
        y.data[(at(indices, [j, 0]) * 4 + at(indices, [j, 1])) * 2 + (flat % 2)] += value;
      });
      return y;
    },
    tolerance,
    cases: [indexed([9, 2], [0, 3], [[9, 2]], true)],
  }),
];
