/** Sorting: positions in order, the elements themselves, and the largest of them. */
import { ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { fill, iota, type TensorLike } from './constant.ts';
import {
  apply,
  type Case,
  type Composite,
  defineOp,
  type KernelFamily,
  type Lowered,
  noGradient,
  type Op,
  twin,
} from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { broadcastTo, reshape, slice, transpose } from './movement.ts';
import { pointwise } from './pointwise.ts';
import { build, elementwise, type NdArray, ndarray } from './reference.ts';
import { takeSorted } from './scatter-nd.ts';
import { countable } from './select.ts';
import { around, checkCount, normalizeAxis, show, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Elements that the first pass sorts among themselves; as in sort.wgsl. */
const BLOCK = 32;

/** WGSL of a whole number that is in the order of x. NaN is the largest, and -0 equals 0. */
const KEYS = {
  f32:
    'select(select(bitcast<u32>(x) ^ 0x80000000u, ~bitcast<u32>(x), (bitcast<u32>(x) >> 31u) == 1u), ' +
    'select(0x80000000u, 0xffffffffu, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u), ' +
    '((bitcast<u32>(x) & 0x7fffffffu) == 0u) | ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u))',
  i32: 'bitcast<u32>(x) ^ 0x80000000u',
  u32: 'x',
} as const;

const keyOp = pointwise({
  name: 'sortKey',
  dtype: () => 'u32',
  f([x], y) {
    const key = KEYS[x.dtype as keyof typeof KEYS];
    return y.attributes.descending ? `~(${key})` : key;
  },
  backward: noGradient,
});

const family: KernelFamily = {
  name: 'sort',
  lower({ inputs: { key }, attributes, profile }): Lowered {
    const [rows, length] = key.shape;
    const run = attributes.run as number;
    const WORKGROUP = lanesOf(profile);
    return {
      kernel: 'sort',
      constants: { MERGE: run > 0, WORKGROUP },
      params: { rows, length, run },
      workgroups: grid(
        Math.ceil((rows * length) / WORKGROUP),
        profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
};

/** One pass over [rows, length]: blocks of 32 where `run` is 0, else runs of this length merged two by two. */
const passOp = (name: string, output: string): Op =>
  defineOp({
    name,
    shape: ([key]) => key,
    dtype: (inputs) => inputs[output === 'sorted_key' ? 0 : 1],
    kernel: { family, inputs: ['key', 'order'], output },
    backward: noGradient,
    cost: ([key]) => ({ flops: 8 * sizeOf(key.shape), bytes: 16 * sizeOf(key.shape) }),
  });

const sortedKey = passOp('sortedKey', 'sorted_key');
const sortedOrder = passOp('sortedOrder', 'sorted_order');

export interface SortOptions {
  /** The largest first; default false. */
  descending?: boolean;
}

/**
 * The positions that put x in order along `axis` (default the last), as i32: x at the first of them is the smallest.
 *
 * Equals keep their order. NaN counts as the largest, as in argMax. Sorted in passes over all elements, one for each
 * doubling beyond 32.
 *
 * ```ts
 * argsort([3, 1, 2])                         // [1, 2, 0]
 * argsort([3, 1, 2], 0, { descending: true }) // [0, 2, 1]
 * ```
 */
export function argsort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const { descending = false } = knownOptions('argsort', options, ['descending']);
  const input = countable(x);
  const along = normalizeAxis(axis, input.rank, 'argsort');
  const length = input.shape[along];
  if (length < 2 || input.size === 0) return fill(input.shape, 0, 'i32');
  const last = input.rank - 1;
  const turn = input.shape.map((_, i) => (i === along ? last : i === last ? along : i));
  const lines = transpose(input, turn);
  const shape = [input.size / length, length];
  let key = reshape(apply(keyOp, [lines], { descending }), shape);
  let order = broadcastTo(iota(length), shape);
  for (let run = 0; run < length; run = run === 0 ? BLOCK : 2 * run)
    [key, order] = [sortedKey, sortedOrder].map((op) => apply(op, [key, order], { run }));
  return transpose(reshape(order, lines.shape), turn);
}

/** The elements of x in order along `axis` (default the last): see {@link argsort}. Gradients go back where they came from. */
export function sort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const input = countable(x);
  return takeSorted(input, argsort(input, axis, options), normalizeAxis(axis, input.rank, 'sort'));
}

/**
 * The k largest elements of the last axis, the largest first, and where they were (i32).
 *
 * x: [..., n] → values, indices: [..., k]. Of equals the first come first. Throws ValueError when k exceeds n.
 *
 * ```ts
 * const { values, indices } = topK([3, 1, 4, 1, 5], 2);   // [5, 4], [4, 2]
 * ```
 */
export function topK(x: TensorLike, k = 1): { values: Tensor; indices: Tensor } {
  const input = countable(x);
  normalizeAxis(-1, input.rank, 'topK');
  const n = input.shape[input.rank - 1];
  if (checkCount(k, 'topK: k', 0) > n)
    throw new ValueError(`topK: k is ${k}, but the last axis of ${show(input.shape)} has ${n} elements.`);
  const order = argsort(input, -1, { descending: true });
  const first = [...input.shape.slice(0, -1), k];
  return {
    values: slice(takeSorted(input, order, input.rank - 1), [], first),
    indices: slice(order, [], first),
  };
}

// ---- the twins

/** Positions of a line in order. */
function order64(line: readonly number[], descending: boolean): number[] {
  const rank = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);
  const sign = descending ? -1 : 1;
  return line
    .map((_, i) => i)
    .sort((a, b) => {
      const [p, q] = [line[a], line[b]];
      if (Number.isNaN(p) !== Number.isNaN(q)) return sign * (Number.isNaN(p) ? 1 : -1);
      return rank(p) === rank(q) ? a - b : sign * (rank(p) < rank(q) ? -1 : 1);
    });
}

/** f of every line along an axis, whose order it is given. */
function byLine(
  x: NdArray,
  axis: number,
  descending: boolean,
  f: (line: number[], order: number[]) => number[],
): NdArray {
  const { outer, length, inner } = around(x.shape, axis);
  const y = ndarray(x.shape);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const places = Array.from({ length }, (_, l) => (o * length + l) * inner + i);
      const line = places.map((at) => x.data[at]);
      for (const [l, one] of f(line, order64(line, descending)).entries()) y.data[places[l]] = one;
    }
  return y;
}

const cases: Case[] = [
  { shapes: [[7]], attributes: { axis: 0, descending: false } },
  { shapes: [[3, 33]], attributes: { axis: -1, descending: true } },
  { shapes: [[2, 70, 3]], attributes: { axis: 1, descending: false } },
  { shapes: [[0, 3]], attributes: { axis: 1, descending: false } },
];
const integers: Case[] = [
  { shapes: [[2, 130]], dtypes: ['i32'], range: [-9, 9], attributes: { axis: 1, descending: true } },
];

const keyTwin = twin(keyOp, () => ({
  reference: ([x]) => elementwise((one) => one, x),
  cases: [
    {
      shapes: [[9]],
      dtypes: ['u32'],
      range: [0, 99],
      attributes: { descending: false },
      noGradient: 'order',
    },
  ],
}));

/** Blocks of 32, or runs, of rows in order: the twin sorts what the pass may mix. */
const passTwin = (op: Op, wanted: 0 | 1) =>
  twin(op, () => ({
    reference([key, order], { run }) {
      const [, length] = key.shape;
      const span = run === 0 ? BLOCK : 2 * (run as number);
      return build(key.shape, ([row, at]) => {
        const begin = Math.floor(at / span) * span;
        const places = Array.from(
          { length: Math.min(span, length - begin) },
          (_, i) => row * length + begin + i,
        );
        const sorted = order64(
          places.map((one) => key.data[one]),
          false,
        );
        return [key, order][wanted].data[places[sorted[at - begin]]];
      });
    },
    cases: [
      {
        shapes: [
          [2, 40],
          [2, 40],
        ],
        dtypes: ['u32', 'i32'],
        range: [0, 20],
        attributes: { run: 0 },
        noGradient: 'order',
      },
      // One element is a sorted run.
      {
        shapes: [
          [2, 7],
          [2, 7],
        ],
        dtypes: ['u32', 'i32'],
        range: [0, 5],
        attributes: { run: 1 },
        noGradient: 'order',
      },
    ] as Case[],
  }));

/** For the registry. */
export const twins = [
  keyTwin,
  passTwin(sortedKey, 0),
  passTwin(sortedOrder, 1),
  (): Composite => ({
    name: 'argsort',
    compute: ([x], { axis, descending }) => argsort(x, axis as number, { descending: descending as boolean }),
    reference: ([x], { axis, descending }) =>
      byLine(
        x,
        normalizeAxis(axis as number, x.shape.length, 'argsort'),
        descending as boolean,
        (_, order) => order,
      ),
    cases: [...cases, ...integers].map((one) => ({ ...one, noGradient: 'positions' })),
  }),
  (): Composite => ({
    name: 'sort',
    compute: ([x], { axis, descending }) => sort(x, axis as number, { descending: descending as boolean }),
    reference: ([x], { axis, descending }) =>
      byLine(x, normalizeAxis(axis as number, x.shape.length, 'sort'), descending as boolean, (line, order) =>
        order.map((i) => line[i]),
      ),
    cases: [...cases, ...integers],
  }),
  (): Composite => ({
    name: 'topK',
    compute: ([x], { k }) => topK(x, k as number).values,
    reference([x], { k }) {
      const sorted = byLine(x, x.shape.length - 1, true, (line, order) => order.map((i) => line[i]));
      const length = x.shape.at(-1)!;
      return build([...x.shape.slice(0, -1), k as number], (_, flat) => {
        const row = Math.floor(flat / (k as number));
        return sorted.data[row * length + (flat % (k as number))];
      });
    },
    cases: [{ shapes: [[3, 40]], attributes: { k: 5 } }],
  }),
];
