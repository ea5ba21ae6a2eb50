/** Ops that move elements and change none: each is an index map, so inside a fused kernel they are free. */
import { AxisError, ShapeError, ValueError } from '../base/errors.ts';
import { fill, isFill, type TensorLike, tensor, toTensor, unchanged } from './constant.ts';
import { apply, defineOp, noGradient, type Op, twin } from './define.ts';
import { type DType, promote } from './dtype.ts';
import { broadcastIndex, type Expressions, literal, stridedIndex } from './expression.ts';
import { at, broadcastPosition, build, ndarray } from './reference.ts';
import { scatterSum } from './scatter.ts';
import { cast } from './select.ts';
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
import type { Tensor } from './tensor.ts';

/** One number moved about is that number repeated. */
const ofFill: Op['simplify'] = ({ inputs: [x], shape, dtype }) =>
  isFill(x) ? fill(shape, x.attributes.value as number, dtype) : null;

const reshapeOp = defineOp({
  name: 'reshape',
  shape: (_inputs, a) => a.shape as Shape,
  dtype: ([x]) => x,
  alias: true,
  simplify: ofFill,
  expression: (e, [x], index) => e.value(x, index),
  backward: ([x], _y, g) => [reshape(g, x.shape)],
});

const reshapeTwin = twin(reshapeOp, () => ({
  reference: ([x], a) => ndarray(a.shape as Shape, x.data),
  cases: [
    { shapes: [[2, 6]], attributes: { shape: [3, 4] } },
    { shapes: [[1]], attributes: { shape: [] } },
  ],
}));

/**
 * The same elements in another shape; one size may be -1 and is worked out. Throws ShapeError when the
 * numbers of elements differ.
 */
export function reshape(x: TensorLike, shape: readonly number[]): Tensor {
  const input = toTensor(x);
  const unknown = shape.flatMap((size, i) => (size === -1 ? [i] : []));
  if (unknown.length > 1)
    throw new ShapeError(`reshape: shape ${show(shape)} has two unknown sizes; at most one may be -1.`);
  const known = checkShape(
    shape.map((size) => (size === -1 ? 1 : size)),
    'reshape',
  );
  if (unknown.length === 1) {
    const rest = sizeOf(known);
    if (rest === 0 || input.size % rest !== 0)
      throw new ShapeError(
        `reshape: ${input.size} elements of ${show(input.shape)} cannot be divided into ${show(shape)}.`,
      );
    known[unknown[0]] = input.size / rest;
  }
  if (sizeOf(known) !== input.size)
    throw new ShapeError(
      `reshape: ${show(input.shape)} has ${input.size} elements but ${show(shape)} asks for ${sizeOf(known)}.`,
    );
  return sameShape(known, input.shape) ? unchanged(input) : apply(reshapeOp, [input], { shape: known });
}

/** All elements in one axis, or all but the first axis with `keepBatch`. */
export const flatten = (x: TensorLike): Tensor => reshape(x, [-1]);

/** Drops axes of size 1: all of them, or those named. */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const input = toTensor(x);
  const axes =
    axis === undefined
      ? input.shape.flatMap((size, i) => (size === 1 ? [i] : []))
      : [axis].flat().map((one) => normalizeAxis(one as number, input.rank, 'squeeze'));
  for (const one of axes)
    if (input.shape[one] !== 1)
      throw new ShapeError(
        `squeeze: axis ${one} of ${show(input.shape)} has size ${input.shape[one]}; only 1 can go.`,
      );
  return reshape(
    input,
    input.shape.filter((_, i) => !axes.includes(i)),
  );
}

/** Inserts an axis of size 1 before `axis` (-1: at the end). */
export function expandDims(x: TensorLike, axis = 0): Tensor {
  const input = toTensor(x);
  const position = normalizeAxis(axis, input.rank + 1, 'expandDims');
  return reshape(input, [...input.shape.slice(0, position), 1, ...input.shape.slice(position)]);
}

const transposeOp = defineOp({
  name: 'transpose',
  simplify: ofFill,
  shape: ([x], a) => (a.permutation as number[]).map((axis) => x[axis]),
  dtype: ([x]) => x,
  expression(e, [x], index, y) {
    const strides = stridesOf(x.shape);
    return e.value(
      x,
      stridedIndex(
        e,
        index,
        y.shape,
        (y.attributes.permutation as number[]).map((axis) => strides[axis]),
      ),
    );
  },
  backward(_inputs, _y, g, a) {
    const permutation = a.permutation as number[];
    return [
      transpose(
        g,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ];
  },
});

const transposeTwin = twin(transposeOp, () => ({
  reference([x], a) {
    const permutation = a.permutation as number[];
    return build(
      permutation.map((axis) => x.shape[axis]),
      (index) => {
        const from: number[] = [];
        permutation.forEach((axis, i) => {
          from[axis] = index[i];
        });
        return at(x, from);
      },
    );
  },
  cases: [
    { shapes: [[3, 5]], attributes: { permutation: [1, 0] } },
    { shapes: [[2, 3, 4]], attributes: { permutation: [2, 0, 1] } },
    { shapes: [[2, 3, 4, 5]], attributes: { permutation: [0, 2, 1, 3] } },
  ],
}));

/** Axes in another order; default reverses them. */
export function transpose(x: TensorLike, permutation?: readonly number[]): Tensor {
  const input = toTensor(x);
  const order = (permutation ?? input.shape.map((_, i) => input.rank - 1 - i)).map((axis) =>
    normalizeAxis(axis, input.rank, 'transpose'),
  );
  if (order.length !== input.rank || new Set(order).size !== order.length)
    throw new AxisError(
      `transpose: permutation ${show(permutation ?? [])} must name each of the ${input.rank} axes of ${show(input.shape)} once.`,
    );
  return order.every((axis, i) => axis === i)
    ? unchanged(input)
    : apply(transposeOp, [input], { permutation: order });
}

const broadcastToOp = defineOp({
  name: 'broadcastTo',
  simplify: ofFill,
  shape: (_inputs, a) => a.shape as Shape,
  dtype: ([x]) => x,
  expression: (e, [x], index, y) => e.value(x, broadcastIndex(e, index, y.shape, x.shape)),
  // The gradient driver sums over the repeated axes.
  backward: (_inputs, _y, g) => [g],
});

const broadcastToTwin = twin(broadcastToOp, () => ({
  reference: ([x], a) => build(a.shape as Shape, (index) => x.data[broadcastPosition(x, index)]),
  cases: [
    { shapes: [[1, 3]], attributes: { shape: [4, 3] } },
    { shapes: [[]], attributes: { shape: [2, 2] } },
  ],
}));

/** x repeated along axes of size 1 (or missing ones) up to `shape`. */
export function broadcastTo(x: TensorLike, shape: readonly number[]): Tensor {
  const input = toTensor(x);
  const to = checkShape(shape, 'broadcastTo');
  if (!sameShape(broadcastShapes(input.shape, to, 'broadcastTo'), to))
    throw new ShapeError(`broadcastTo: ${show(input.shape)} does not fit into ${show(to)}.`);
  return sameShape(to, input.shape) ? unchanged(input) : apply(broadcastToOp, [input], { shape: to });
}

const sliceOp = defineOp({
  name: 'slice',
  simplify: ofFill,
  shape: (_inputs, a) => a.size as Shape,
  dtype: ([x]) => x,
  expression(e, [x], index, y) {
    const strides = stridesOf(x.shape);
    const begin = y.attributes.begin as number[];
    const offset = begin.reduce((sum, start, axis) => sum + start * strides[axis], 0);
    return e.value(x, stridedIndex(e, index, y.shape, strides, offset));
  },
  backward([x], _y, g, a) {
    const begin = a.begin as number[];
    const size = a.size as number[];
    return [
      pad(
        g,
        begin.map((before, axis) => [before, x.shape[axis] - before - size[axis]] as const),
      ),
    ];
  },
});

const sliceTwin = twin(sliceOp, () => ({
  reference: ([x], a) =>
    build(a.size as Shape, (index) =>
      at(
        x,
        index.map((i, axis) => i + (a.begin as number[])[axis]),
      ),
    ),
  cases: [
    { shapes: [[7]], attributes: { begin: [2], size: [3] } },
    { shapes: [[4, 5]], attributes: { begin: [1, 2], size: [3, 2] } },
    { shapes: [[3, 4, 5]], attributes: { begin: [0, 1, 0], size: [3, 2, 5] } },
  ],
}));

/** The block of `size` that starts at `begin`; a size of -1 runs to the end of its axis. */
export function slice(x: TensorLike, begin: readonly number[], size?: readonly number[]): Tensor {
  const input = toTensor(x);
  if (begin.length > input.rank)
    throw new ShapeError(`slice: begin ${show(begin)} has more axes than ${show(input.shape)}.`);
  const from = input.shape.map((_, axis) => begin[axis] ?? 0);
  const block = input.shape.map((extent, axis) => {
    const asked = size?.[axis] ?? -1;
    return asked === -1 ? extent - from[axis] : asked;
  });
  input.shape.forEach((extent, axis) => {
    const [start, length] = [from[axis], block[axis]];
    if (
      !Number.isInteger(start) ||
      !Number.isInteger(length) ||
      start < 0 ||
      length < 0 ||
      start + length > extent
    )
      throw new ShapeError(
        `slice: axis ${axis} of ${show(input.shape)} has ${extent} elements; begin ${start} and size ${length} reach outside.`,
      );
  });
  return sameShape(block, input.shape)
    ? unchanged(input)
    : apply(sliceOp, [input], { begin: from, size: block });
}

const padOp = defineOp({
  name: 'pad',
  shape: ([x], a) => x.map((size, axis) => size + sum((a.paddings as [number, number][])[axis])),
  dtype: ([x]) => x,
  expression(e, [x], index, y) {
    const paddings = y.attributes.paddings as [number, number][];
    const strides = stridesOf(y.shape);
    const from = stridesOf(x.shape);
    const inside: string[] = [];
    const terms: string[] = [];
    x.shape.forEach((size, axis) => {
      const extent = e.uniform(y.shape[axis], 'u32');
      // Unsigned arithmetic: a coordinate before the block wraps around and is outside as well.
      const coordinate = e.name(
        `(${index} / ${e.uniform(strides[axis], 'u32')}) % ${extent} - ${e.uniform(paddings[axis][0], 'u32')}`,
      );
      inside.push(`(${coordinate} < ${e.uniform(size, 'u32')})`);
      terms.push(`${coordinate} * ${e.uniform(from[axis], 'u32')}`);
    });
    if (terms.length === 0) return e.value(x, index);
    const within = e.name(inside.join(' & '));
    const value = e.value(x, e.name(`select(0u, ${terms.join(' + ')}, ${within})`));
    return e.name(`select(${literal(0, x.dtype)}, ${value}, ${within})`);
  },
  backward: ([x], _y, g, a) => [
    slice(
      g,
      (a.paddings as [number, number][]).map(([before]) => before),
      x.shape,
    ),
  ],
});

const padTwin = twin(padOp, () => ({
  reference: ([x], a) =>
    build(
      x.shape.map((size, axis) => size + sum((a.paddings as [number, number][])[axis])),
      (index) => {
        const from = index.map((i, axis) => i - (a.paddings as [number, number][])[axis][0]);
        return from.every((i, axis) => i >= 0 && i < x.shape[axis]) ? at(x, from) : 0;
      },
    ),
  cases: [
    { shapes: [[3]], attributes: { paddings: [[1, 2]] } },
    {
      shapes: [[2, 3]],
      attributes: {
        paddings: [
          [1, 0],
          [0, 2],
        ],
      },
    },
  ],
}));

const sum = ([before, after]: readonly [number, number]): number => before + after;

/** x with zeros around it: `paddings[axis] = [before, after]`. */
export function pad(x: TensorLike, paddings: readonly (readonly [number, number])[]): Tensor {
  const input = toTensor(x);
  if (paddings.length !== input.rank || paddings.flat().some((n) => !Number.isInteger(n) || n < 0))
    throw new ShapeError(
      `pad: paddings ${JSON.stringify(paddings)} must give [before, after] ≥ 0 for each of the ${input.rank} axes.`,
    );
  if (input.size === 0) return fill(padOp.shape([input.shape], { paddings }), 0, input.dtype);
  return paddings.every((one) => sum(one) === 0) ? unchanged(input) : apply(padOp, [input], { paddings });
}

const concatOp = defineOp({
  name: 'concat',
  shape: (shapes, a) =>
    shapes[0].map((size, axis) => (axis === a.axis ? shapes.reduce((n, s) => n + s[axis], 0) : size)),
  dtype: ([x]) => x,
  expression(e, inputs, index, y) {
    const axis = y.attributes.axis as number;
    const { outer: blocks, length: all, inner } = around(y.shape, axis);
    const extent = e.uniform(all * inner, 'u32');
    const [outer, position] =
      blocks === 1 ? ['0u', index] : [e.name(`${index} / ${extent}`), e.name(`${index} % ${extent}`)];
    let start = 0;
    let value = '';
    for (const x of inputs) {
      const length = x.shape[axis] * inner;
      const from = e.uniform(start, 'u32');
      const own = e.uniform(length, 'u32');
      const here = e.name(`(${position} >= ${from}) & (${position} < ${from} + ${own})`);
      const element = e.value(x, e.name(`select(0u, ${outer} * ${own} + ${position} - ${from}, ${here})`));
      value = value === '' ? element : e.name(`select(${value}, ${element}, ${here})`);
      start += length;
    }
    return value;
  },
  backward(inputs, _y, g, a) {
    const axis = a.axis as number;
    let start = 0;
    return inputs.map((x) => {
      const begin = x.shape.map((_, i) => (i === axis ? start : 0));
      start += x.shape[axis];
      return slice(g, begin, x.shape);
    });
  },
});

const concatTwin = twin(concatOp, () => ({
  reference(inputs, a) {
    const axis = a.axis as number;
    const shape = inputs[0].shape.map((size, i) =>
      i === axis ? inputs.reduce((n, x) => n + x.shape[axis], 0) : size,
    );
    return build(shape, (index) => {
      let i = index[axis];
      for (const x of inputs) {
        if (i < x.shape[axis])
          return at(
            x,
            index.map((own, dim) => (dim === axis ? i : own)),
          );
        i -= x.shape[axis];
      }
      return Number.NaN;
    });
  },
  cases: [
    { shapes: [[3], [2]], attributes: { axis: 0 } },
    {
      shapes: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      attributes: { axis: 1 },
    },
    {
      shapes: [
        [2, 1, 3],
        [2, 4, 3],
      ],
      attributes: { axis: 1 },
    },
  ],
}));

/** More operands than this are joined in groups, so that one kernel's storage buffers suffice. */
const CONCAT_OPERANDS = 4;

/** Tensors joined along an axis; all other sizes must agree. Throws ShapeError. */
export function concat(tensors: readonly TensorLike[], axis = 0): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ValueError('concat: expected one tensor or more, got none.');
  const all = tensors.map((x) => toTensor(x));
  const [first] = all;
  const along = normalizeAxis(axis, first.rank, 'concat');
  for (const [i, x] of all.entries())
    if (x.rank !== first.rank || x.shape.some((size, d) => d !== along && size !== first.shape[d]))
      throw new ShapeError(
        `concat: tensor ${i} has shape ${show(x.shape)}, the first ${show(first.shape)}; all sizes but axis ${along} must agree.`,
      );
  const dtype = all.reduce<DType>((so, x) => promote(so, x.dtype), first.dtype);
  let rest = all.filter((x) => x.shape[along] > 0).map((x) => cast(x, dtype));
  if (rest.length === 0) return cast(first, dtype);
  while (rest.length > 1) {
    const groups: Tensor[] = [];
    for (let i = 0; i < rest.length; i += CONCAT_OPERANDS) {
      const group = rest.slice(i, i + CONCAT_OPERANDS);
      groups.push(group.length === 1 ? group[0] : apply(concatOp, group, { axis: along }));
    }
    rest = groups;
  }
  return rest[0];
}

/** Tensors of one shape joined along a new axis. */
export const stack = (tensors: readonly TensorLike[], axis = 0): Tensor =>
  concat(
    tensors.map((x) => expandDims(x, axis)),
    axis,
  );

function gatherShape(x: Shape, indices: Shape, axis: number): number[] {
  return [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
}

const gatherOp = defineOp({
  name: 'gather',
  shape: ([x, indices], a) => gatherShape(x, indices, a.axis as number),
  dtype: ([x]) => x,
  expression(e, [x, indices], index, y) {
    const { outer, length, inner } = around(x.shape, y.attributes.axis as number);
    const within = inner === 1 ? index : e.divide(index, inner);
    const single = outer === 1;
    const row = `u32(${e.value(indices, single ? within : e.remainder(within, indices.size))})`;
    const base = single ? row : `(${e.divide(within, indices.size)} * ${e.uniform(length, 'u32')} + ${row})`;
    if (inner === 1) return e.value(x, e.name(base));
    const start = `${base} * ${e.uniform(inner, 'u32')}`;
    return e.value(x, e.advance(e.remainder(index, inner), start, inner));
  },
  backward([x, indices], _y, g, a) {
    const { outer, length, inner } = around(x.shape, a.axis as number);
    const rows = reshape(g, [outer, indices.size, inner]);
    return [reshape(scatterSum(rows, flatten(indices), length), x.shape), null];
  },
});

const gatherTwin = twin(gatherOp, () => ({
  reference([x, indices], a) {
    const axis = a.axis as number;
    return build(gatherShape(x.shape, indices.shape, axis), (index) => {
      const at_ = index.slice(axis, axis + indices.shape.length);
      return at(x, [...index.slice(0, axis), at(indices, at_), ...index.slice(axis + indices.shape.length)]);
    });
  },
  cases: [
    { shapes: [[5, 3], [4]], dtypes: ['f32', 'i32'], range: [0, 5], attributes: { axis: 0 } },
    { shapes: [[7], [2, 3]], dtypes: ['f32', 'i32'], range: [0, 7], attributes: { axis: 0 } },
    { shapes: [[2, 6, 3], [4]], dtypes: ['f32', 'i32'], range: [0, 6], attributes: { axis: 1 } },
  ],
}));

/** Indices with their values at hand, where they are known: of a number too, which elsewhere is a filled tensor. */
const located = (indices: TensorLike): Tensor =>
  typeof indices === 'number' ? tensor(indices) : toTensor(indices);

/** Indices whose numbers are still on the host are checked now; those made on the GPU are the caller's care. */
export function checkIndices(indices: Tensor, extent: number, operation: string): void {
  const { host } = indices;
  if (!host) return;
  for (let i = 0; i < host.length; i++)
    if (host[i] < 0 || host[i] >= extent)
      throw new ValueError(`${operation}: index ${host[i]} at position ${i} is outside 0 … ${extent - 1}.`);
}

export const asIndices = (indices: TensorLike, operation: string): Tensor => {
  const input = located(indices);
  if (input.dtype !== 'f32' || !input.host) return input.dtype === 'i32' ? input : cast(input, 'i32');
  for (let i = 0; i < input.host.length; i++)
    if (!Number.isInteger(input.host[i]))
      throw new ValueError(`${operation}: index ${input.host[i]} at position ${i} is not a whole number.`);
  return cast(input, 'i32');
};

/** Rows (or slices along `axis`) of x in the order of `indices`. ValueError for an index outside, when it is known. */
export function gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const input = toTensor(x);
  const along = normalizeAxis(axis, input.rank, 'gather');
  const raw = located(indices);
  checkIndices(raw, input.shape[along], 'gather');
  return apply(gatherOp, [input, asIndices(raw, 'gather')], { axis: along });
}

const oneHotOp = defineOp({
  name: 'oneHot',
  shape: ([x], a) => [...x, a.depth as number],
  dtype: () => 'f32',
  expression(e: Expressions, [indices], index, y) {
    const depth = e.uniform(y.attributes.depth as number, 'u32');
    const hot = e.name(`${e.value(indices, e.name(`${index} / ${depth}`))} == i32(${index} % ${depth})`);
    const { on, off } = y.attributes as { on: number; off: number };
    return e.name(`select(${number(e, off)}, ${number(e, on)}, ${hot})`);
  },
  backward: noGradient,
});

const oneHotTwin = twin(oneHotOp, () => ({
  reference: ([x], a) =>
    build([...x.shape, a.depth as number], (index) =>
      at(x, index.slice(0, -1)) === index.at(-1) ? (a.on as number) : (a.off as number),
    ),
  cases: [
    { shapes: [[5]], dtypes: ['i32'], range: [0, 4], attributes: { depth: 4, on: 1, off: 0 } },
    { shapes: [[2, 3]], dtypes: ['i32'], range: [-1, 5], attributes: { depth: 4, on: 2, off: -1 } },
  ],
}));

const number = (e: Expressions, x: number): string =>
  x === 0 || x === 1 ? literal(x, 'f32') : e.uniform(x, 'f32');

/** [..., depth] with `onValue` (1) where the last position equals the index and `offValue` (0) elsewhere. */
export function oneHot(indices: TensorLike, depth: number, onValue = 1, offValue = 0): Tensor {
  if (!Number.isInteger(depth) || depth < 1)
    throw new ValueError(`oneHot: depth is ${String(depth)}; expected a whole number, 1 or more.`);
  return apply(oneHotOp, [asIndices(indices, 'oneHot')], { depth, on: onValue, off: offValue });
}

/** For the registry. */
export const twins = [
  reshapeTwin,
  transposeTwin,
  broadcastToTwin,
  sliceTwin,
  padTwin,
  concatTwin,
  gatherTwin,
  oneHotTwin,
];
