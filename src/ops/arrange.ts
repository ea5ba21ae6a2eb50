/** Ops that cut, repeat, turn and shift axes. All are index maps, so inside a fused kernel they are free. */
import { AxisError, ShapeError, ValueError } from '../base/errors.ts';
import { type TensorLike, toTensor, unchanged } from './constant.ts';
import { apply, type Case, type Composite, defineOp, twin } from './define.ts';
import { stridedIndex } from './expression.ts';
import { broadcastTo, concat, gather, reshape, slice } from './movement.ts';
import { at, build } from './reference.ts';
import { checkCount, normalizeAxes, normalizeAxis, type Shape, show, stridesOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * x in pieces along `axis` (default 0): so many of one size, or of these sizes, one of which may be -1 and is
 * worked out. Throws ShapeError when they do not add up to the axis.
 *
 * ```ts
 * const [query, key, value] = split(x, 3, -1);
 * const [train, rest] = split(x, [800, -1]);
 * ```
 */
export function split(x: TensorLike, pieces: number | readonly number[], axis = 0): Tensor[] {
  const input = toTensor(x);
  const along = normalizeAxis(axis, input.rank, 'split');
  const extent = input.shape[along];
  const refuse = (why: string): never => {
    throw new ShapeError(`split: axis ${along} of ${show(input.shape)} has ${extent} elements; ${why}.`);
  };
  let sizes: number[];
  if (typeof pieces === 'number') {
    checkCount(pieces, 'split: the number of pieces');
    if (extent % pieces !== 0) refuse(`${pieces} pieces of one size do not fit`);
    sizes = new Array<number>(pieces).fill(extent / pieces);
  } else {
    sizes = pieces.map((size, i) => (size === -1 ? size : checkCount(size, `split: size ${i}`, 0)));
    const known = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
    const open = sizes.indexOf(-1);
    if (open >= 0) sizes[open] = extent - known;
    if (sizes.includes(-1) || (open >= 0 ? sizes[open] < 0 : known !== extent))
      refuse(`the sizes ${show(pieces)} do not add up to it`);
  }
  let start = 0;
  return sizes.map((size) => {
    const begin = input.shape.map((_, i) => (i === along ? start : 0));
    start += size;
    return slice(
      input,
      begin,
      input.shape.map((own, i) => (i === along ? size : own)),
    );
  });
}

/** The slices of x along `axis` (default 0), without that axis: the reverse of `stack`. */
export function unstack(x: TensorLike, axis = 0): Tensor[] {
  const input = toTensor(x);
  const along = normalizeAxis(axis, input.rank, 'unstack');
  const extent = input.shape[along];
  if (extent === 0) return [];
  const rest = input.shape.filter((_, i) => i !== along);
  return split(input, extent, along).map((one) => reshape(one, rest));
}

/**
 * x laid side by side, `reps[axis]` times along each axis. Of fewer axes and repetitions the missing ones come first,
 * as in NumPy.
 *
 * ```ts
 * tile([[1, 2]], [2, 2])   // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export function tile(x: TensorLike, reps: number | readonly number[]): Tensor {
  const input = toTensor(x);
  const times = [reps].flat() as number[];
  for (const [i, count] of times.entries()) checkCount(count, `tile: reps[${i}]`, 0);
  const rank = Math.max(input.rank, times.length);
  const sizes = [...new Array<number>(rank - input.rank).fill(1), ...input.shape];
  const counts = [...new Array<number>(rank - times.length).fill(1), ...times];
  const pairs = (second: (axis: number) => readonly number[]) => sizes.flatMap((_, axis) => second(axis));
  const spread = broadcastTo(
    reshape(
      input,
      pairs((axis) => [1, sizes[axis]]),
    ),
    pairs((axis) => [counts[axis], sizes[axis]]),
  );
  return reshape(
    spread,
    sizes.map((size, axis) => size * counts[axis]),
  );
}

/**
 * Each element along `axis` so many times in a row: as many for all, or one number for each. Without an axis, of all
 * elements in one.
 *
 * ```ts
 * repeat([1, 2], 2)                    // [1, 1, 2, 2]
 * repeat([[1, 2], [3, 4]], [1, 2], 0)  // [[1, 2], [3, 4], [3, 4]]
 * ```
 */
export function repeat(x: TensorLike, repeats: number | readonly number[], axis?: number): Tensor {
  const given = toTensor(x);
  const input = axis === undefined ? reshape(given, [-1]) : given;
  const along = normalizeAxis(axis ?? 0, input.rank, 'repeat');
  const extent = input.shape[along];
  if (typeof repeats !== 'number') {
    if (repeats.length !== extent)
      throw new ShapeError(
        `repeat: ${repeats.length} repetitions for the ${extent} elements of axis ${along} of ${show(input.shape)}; expected one for each.`,
      );
    const places = repeats.flatMap((count, i) =>
      new Array<number>(checkCount(count, `repeat: repeats[${i}]`, 0)).fill(i),
    );
    return gather(input, Int32Array.from(places), along);
  }
  checkCount(repeats, 'repeat: repeats', 0);
  const [before, after] = [input.shape.slice(0, along), input.shape.slice(along + 1)];
  const spread = broadcastTo(reshape(input, [...before, extent, 1, ...after]), [
    ...before,
    extent,
    repeats,
    ...after,
  ]);
  return reshape(spread, [...before, extent * repeats, ...after]);
}

const flipOp = defineOp({
  name: 'flip',
  shape: ([x]) => x,
  dtype: ([x]) => x,
  expression(e, [x], index, y) {
    const axes = y.attributes.axes as readonly number[];
    const strides = stridesOf(x.shape);
    const last = axes.reduce((sum, axis) => sum + (x.shape[axis] - 1) * strides[axis], 0);
    const turned = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return e.value(x, stridedIndex(e, index, x.shape, turned, last));
  },
  backward: (_inputs, _y, g, a) => [flip(g, a.axes as readonly number[])],
});

/** x backwards along these axes (default all). */
export function flip(x: TensorLike, axis?: number | readonly number[] | null): Tensor {
  const input = toTensor(x);
  const axes = normalizeAxes(axis, input.rank, 'flip').filter((one) => input.shape[one] > 1);
  return axes.length === 0 || input.size === 0 ? unchanged(input) : apply(flipOp, [input], { axes });
}

/**
 * x moved on by `shift` along `axis`; what leaves at the end comes in at the beginning. Lists name several axes;
 * without an axis all elements move in one.
 *
 * ```ts
 * roll([1, 2, 3, 4], 1)   // [4, 1, 2, 3]
 * ```
 */
export function roll(
  x: TensorLike,
  shift: number | readonly number[],
  axis?: number | readonly number[],
): Tensor {
  const input = toTensor(x);
  const shifts = [shift].flat() as number[];
  for (const one of shifts)
    if (!Number.isInteger(one)) throw new ValueError(`roll: shift is ${one}; expected whole numbers.`);
  if (axis === undefined) {
    if (shifts.length !== 1)
      throw new AxisError(`roll: ${shifts.length} shifts need as many axes; got none.`);
    return reshape(roll(reshape(input, [-1]), shifts, 0), input.shape);
  }
  const axes = [axis].flat() as number[];
  if (axes.length !== shifts.length)
    throw new AxisError(`roll: ${shifts.length} shifts for ${axes.length} axes; expected one for each.`);
  return axes.reduce((rolled, one, i) => {
    const along = normalizeAxis(one, input.rank, 'roll');
    const extent = input.shape[along];
    const by = extent === 0 ? 0 : ((shifts[i] % extent) + extent) % extent;
    if (by === 0) return rolled;
    const [first, last] = split(rolled, [extent - by, by], along);
    return concat([last, first], along);
  }, unchanged(input));
}

// ---- the twins

const flipTwin = twin(flipOp, () => ({
  reference: ([x], { axes }) =>
    build(x.shape, (index) =>
      at(
        x,
        index.map((i, axis) => ((axes as number[]).includes(axis) ? x.shape[axis] - 1 - i : i)),
      ),
    ),
  cases: [
    { shapes: [[7]], attributes: { axes: [0] } },
    { shapes: [[3, 4, 5]], attributes: { axes: [1] } },
    { shapes: [[3, 4, 5]], attributes: { axes: [0, 1, 2] } },
    { shapes: [[2, 3, 2, 1, 2, 3]], attributes: { axes: [1, 4, 5] } },
  ],
}));

/** A composite whose result takes each element from one place of x. */
const movedTwin = (
  name: string,
  compute: (x: Tensor, a: Readonly<Record<string, unknown>>) => Tensor,
  shape: (x: Shape, a: Readonly<Record<string, unknown>>) => Shape,
  from: (index: readonly number[], x: Shape, a: Readonly<Record<string, unknown>>) => readonly number[],
  cases: readonly Case[],
): (() => Composite) => {
  return () => ({
    name,
    compute: ([x], a) => compute(x, a),
    reference: ([x], a) => build(shape(x.shape, a), (index) => at(x, from(index, x.shape, a))),
    cases,
  });
};

/** For the registry. */
export const twins = [
  flipTwin,
  movedTwin(
    'split',
    (x, { sizes, axis }) => split(x, sizes as number[], axis as number)[1],
    (x, { sizes, axis }) => x.map((size, i) => (i === axis ? (sizes as number[])[1] : size)),
    (index, _x, { sizes, axis }) => index.map((i, one) => (one === axis ? i + (sizes as number[])[0] : i)),
    [
      { shapes: [[7]], attributes: { sizes: [2, 3, 2], axis: 0 } },
      { shapes: [[2, 5, 3]], attributes: { sizes: [1, 4], axis: 1 } },
    ],
  ),
  movedTwin(
    'unstack',
    (x, { axis }) => unstack(x, axis as number)[1],
    (x, { axis }) => x.filter((_, i) => i !== axis),
    (index, _x, { axis }) => [...index.slice(0, axis as number), 1, ...index.slice(axis as number)],
    [
      { shapes: [[3]], attributes: { axis: 0 } },
      { shapes: [[2, 3, 4]], attributes: { axis: 2 } },
    ],
  ),
  movedTwin(
    'tile',
    (x, { reps }) => tile(x, reps as number[]),
    (x, { reps }) => x.map((size, i) => size * (reps as number[])[i]),
    (index, x) => index.map((i, axis) => i % x[axis]),
    [
      { shapes: [[3]], attributes: { reps: [4] } },
      { shapes: [[2, 3]], attributes: { reps: [3, 2] } },
      { shapes: [[2, 1, 3]], attributes: { reps: [1, 5, 2] } },
    ],
  ),
  movedTwin(
    'repeat',
    (x, { repeats, axis }) => repeat(x, repeats as number, axis as number),
    (x, { repeats, axis }) => x.map((size, i) => (i === axis ? size * (repeats as number) : size)),
    (index, _x, { repeats, axis }) =>
      index.map((i, one) => (one === axis ? Math.floor(i / (repeats as number)) : i)),
    [
      { shapes: [[3]], attributes: { repeats: 4, axis: 0 } },
      { shapes: [[2, 3, 2]], attributes: { repeats: 3, axis: 1 } },
    ],
  ),
  movedTwin(
    'roll',
    (x, { shift, axis }) => roll(x, shift as number, axis as number),
    (x) => x,
    (index, x, { shift, axis }) =>
      index.map((i, one) => (one === axis ? (i - (shift as number) + 10 * x[one]) % x[one] : i)),
    [
      { shapes: [[7]], attributes: { shift: 2, axis: 0 } },
      { shapes: [[2, 5, 3]], attributes: { shift: -6, axis: 1 } },
    ],
  ),
];
