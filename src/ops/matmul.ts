/** The matrix product: one op, and its gradient in the same op. Its sizes and the ways to compute it are in matmul/. */
import { ConfigError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import type { Profile } from '../engine/profile.ts';
import { type TensorLike, toTensor, zeros } from './constant.ts';
import { apply, type Case, defineOp, twin } from './define.ts';
import { promote } from './dtype.ts';
import { half } from './half.ts';
import { extentsOf, shapeOf } from './matmul/extents.ts';
import { broadcastTo, reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { broadcastPosition, build, type NdArray } from './reference.ts';
import { cast } from './select.ts';
import { type Shape, sameShape, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

export interface MatmulOptions {
  /** Use the first operand with its last two axes swapped. */
  transposeA?: boolean;
  /** Use the second operand with its last two axes swapped. */
  transposeB?: boolean;
  /**
   * How the operands are kept for the kernel; default `'f32'`. `'f16'` rounds them to 11 significant bits (see
   * `half`), for half the bytes where the adapter has shader-f16; sums stay f32.
   */
  storage?: 'f32' | 'f16';
}

/** The longest sum that one lane keeps; longer ones are made in slices, for accuracy (FAULTS F18). */
const LONGEST_SUM = 4096;

/**
 * In how many slices of k a product is made, to be added up afterwards; 1 for none.
 *
 * For accuracy, where a sum is very long. And on a GPU where few results have long sums (a batch of 32 by 784 numbers for
 * ten classes): 320 lanes that each wait for 784 loads leave it idle, and slices of 128 are worth another dispatch.
 * By reckoning: it was not timed on one. Software drivers have few lanes to fill.
 */
function slicesOf({ isSoftware }: Profile, results: number, inner: number): number {
  const idle = !isSoftware && results <= 2048 && inner >= 512;
  return Math.ceil(inner / (idle ? 128 : LONGEST_SUM));
}

/** The hard shapes: one, primes, below / at / above a tile, long sums, all flags, batches, nothing. */
const cases: Case[] = [
  ...[
    [1, 1, 1],
    [1, 7, 1],
    [5, 1, 3],
    [2, 3, 4],
    [7, 13, 5],
    [8, 4, 128],
    [9, 5, 129],
    [31, 33, 10],
    [33, 300, 35],
    [65, 17, 66],
    [36, 44, 20],
    [20, 12, 100],
    [3, 0, 2],
    [0, 3, 2],
  ].flatMap(([m, k, n]) =>
    [
      { transposeA: false, transposeB: false },
      { transposeA: true, transposeB: false },
      { transposeA: false, transposeB: true },
      { transposeA: true, transposeB: true },
    ].map((attributes) => ({
      shapes: [attributes.transposeA ? [k, m] : [m, k], attributes.transposeB ? [n, k] : [k, n]],
      attributes,
    })),
  ),
  {
    shapes: [
      [3, 5, 7],
      [3, 7, 2],
    ],
    attributes: {},
  },
  {
    shapes: [
      [2, 3, 5, 7],
      [2, 3, 2, 7],
    ],
    attributes: { transposeB: true },
  },
  {
    shapes: [
      [1, 5, 7],
      [3, 7, 9],
    ],
    attributes: {},
  },
  {
    shapes: [
      [4, 7, 5],
      [7, 9],
    ],
    attributes: { transposeA: true },
  },
  {
    shapes: [
      [2, 5000],
      [5000, 3],
    ],
    attributes: {},
    range: [-0.5, 0.5],
  },
];

const reference = (
  [a, b]: readonly NdArray[],
  attributes: Attributes,
  first = 0,
  end = Number.POSITIVE_INFINITY,
): NdArray => {
  const { transposeA = false, transposeB = false } = attributes as MatmulOptions;
  const extents = extentsOf(a.shape, b.shape, attributes as MatmulOptions);
  return build(shapeOf(extents), (index) => {
    const batch = index.slice(0, -2);
    const [m, n] = index.slice(-2);
    let total = 0;
    for (let k = first; k < Math.min(end, extents.inner); k++)
      total +=
        a.data[broadcastPosition(a, [...batch, ...(transposeA ? [k, m] : [m, k])])] *
        b.data[broadcastPosition(b, [...batch, ...(transposeB ? [n, k] : [k, n])])];
    return total;
  });
};

const matmulOp = defineOp({
  name: 'matmul',
  shape: ([a, b], attributes) => shapeOf(extentsOf(a, b, attributes as MatmulOptions)),
  dtype: ([a]) => a,
  kernel: { family: 'matmul', inputs: ['a', 'b'], output: 'y' },
  /** An empty sum is 0; a long one is made in slices that are added up as a tree. */
  expand(y, profile) {
    const [a, b] = y.inputs;
    const { inner } = extentsOf(a.shape, b.shape, y.attributes as MatmulOptions);
    if (inner === 0 || y.size === 0) return zeros(y.shape, y.dtype);
    const slices = slicesOf(profile, y.size, inner);
    if (slices === 1) return null;
    return sum(apply(matmulSlices, [a, b], { ...y.attributes, slices }), y.rank - 2);
  },
  backward([a, b], _y, g, { transposeA, transposeB }) {
    if (a.dtype !== 'f32') return [null, null];
    return [
      transposeA
        ? matmul(b, g, { transposeA: !!transposeB, transposeB: true })
        : matmul(g, b, { transposeB: !transposeB }),
      transposeB
        ? matmul(g, a, { transposeA: true, transposeB: !!transposeA })
        : matmul(a, g, { transposeA: !transposeA }),
    ];
  },
  cost([a, b], y, attributes) {
    const { inner } = extentsOf(a.shape, b.shape, attributes as MatmulOptions);
    const elements = sizeOf(a.shape) + sizeOf(b.shape) + sizeOf(y.shape);
    return { flops: 2 * inner * sizeOf(y.shape), bytes: 4 * elements };
  },
});

const matmulTwin = twin(matmulOp, () => ({
  reference: (inputs, attributes) => reference(inputs, attributes),
  // 2^-23 · K · Σ|a·b| would be the bound; with |a·b| <= 4 and K <= 300 rounding errors stay below this.
  tolerance: { relative: 1e-5, absolute: 4e-5 },
  terms: ([a, b], attributes) => extentsOf(a, b, attributes as MatmulOptions).inner,
  cases,
}));

/** The product in `slices` of k, to be summed over axis -3: y[…, slice, m, n]. */
const matmulSlices = defineOp({
  name: 'matmulSlices',
  shape([a, b], attributes) {
    const { batch, rows, columns } = extentsOf(a, b, attributes as MatmulOptions);
    return [...batch, attributes.slices as number, rows, columns];
  },
  dtype: ([a]) => a,
  kernel: { family: 'matmul', inputs: ['a', 'b'], output: 'y' },
  cost([a, b], y, attributes) {
    const { inner } = extentsOf(a.shape, b.shape, attributes as MatmulOptions);
    const elements = sizeOf(a.shape) + sizeOf(b.shape) + sizeOf(y.shape);
    return { flops: (2 * inner * sizeOf(y.shape)) / (attributes.slices as number), bytes: 4 * elements };
  },
});

const matmulSlicesTwin = twin(matmulSlices, () => ({
  reference([a, b], attributes) {
    const { batch, rows, inner, columns } = extentsOf(a.shape, b.shape, attributes as MatmulOptions);
    const slices = attributes.slices as number;
    const length = Math.ceil(inner / slices);
    const parts = Array.from({ length: slices }, (_, s) =>
      reference([a, b], attributes, s * length, (s + 1) * length),
    );
    return build([...batch, slices, rows, columns], (index) => {
      const [s, m, n] = index.slice(-3);
      return parts[s].data[broadcastPosition(parts[s], [...index.slice(0, -3), m, n])];
    });
  },
  tolerance: { relative: 1e-5, absolute: 4e-5 },
  terms: ([a, b], attributes) => extentsOf(a, b, attributes as MatmulOptions).inner,
  cases: [
    {
      shapes: [
        [3, 10],
        [10, 5],
      ],
      attributes: { slices: 3 },
      noGradient: 'made after differentiation',
    },
    {
      shapes: [
        [5, 16],
        [16, 8],
      ],
      attributes: { slices: 2 },
      noGradient: 'as above',
    },
    {
      shapes: [
        [2, 10, 3],
        [2, 10, 5],
      ],
      attributes: { slices: 4, transposeA: true },
      noGradient: 'as above',
    },
  ],
}));

/**
 * The matrix product y = a · b, with leading axes as a batch that broadcasts.
 *
 * a: [..., M, K], b: [..., K, N] → y: [..., M, N]; with `transposeA` a is [..., K, M], with `transposeB`
 * b is [..., N, K]. Integers multiply as integers, anything mixed with f32 as f32. Sums in f32 in the
 * order of k, in slices beyond 4096: |error| ≤ 2⁻²³ · K · Σ|a·b|. K = 0 gives zeros. With `storage: 'f16'` the
 * operands are rounded to f16 first (relative error 2⁻¹¹ each); gradients use the same rounded operands.
 *
 * Throws ShapeError when the inner sizes or the batches do not fit, or one side has rank below 2.
 *
 * ```ts
 * const z = matmul(x, w).add(b);
 * const dw = matmul(x, dz, { transposeA: true });
 * ```
 */
export function matmul(a: TensorLike, b: TensorLike, given?: MatmulOptions): Tensor {
  const options = knownOptions<MatmulOptions>('matmul', given, ['transposeA', 'transposeB', 'storage']);
  const { transposeA = false, transposeB = false, storage = 'f32' } = options;
  if (storage !== 'f32' && storage !== 'f16')
    throw new ConfigError(`matmul: storage is ${JSON.stringify(storage)}; expected 'f32' or 'f16'.`);
  const left = storage === 'f16' ? half(a) : toTensor(a);
  const right = storage === 'f16' ? half(b) : toTensor(b);
  const extents = extentsOf(left.shape, right.shape, options);
  const dtype = promote(left.dtype, right.dtype, true);
  const x = cast(left, dtype);
  const w = cast(right, dtype);
  const attributes = { transposeA, transposeB };
  if (x.rank > 2 && w.rank === 2 && !transposeA) {
    // One tall product instead of a batch of small ones; the gradient of w needs no sum over the batch.
    const tall = reshape(x, [sizeOf(x.shape.slice(0, -1)), extents.inner]);
    return reshape(apply(matmulOp, [tall, w], attributes), shapeOf(extents));
  }
  return apply(matmulOp, [withBatch(x, extents.batch), withBatch(w, extents.batch)], attributes);
}

/** The kernel repeats a whole operand over the batch by itself; any other broadcast is an index map. */
function withBatch(x: Tensor, batch: Shape): Tensor {
  const own = x.shape.slice(0, -2);
  return sameShape(own, batch) || sizeOf(own) === 1 ? x : broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
}

/** Follows reshapes to the tensor whose bytes they rename. */
function underlying(x: Tensor): Tensor {
  return x.op?.alias ? underlying(x.inputs[0]) : x;
}

/**
 * Is Σ over the first axes of `v`, which leaves `columns`, a by-product of `anchor`? It is when anchor = xᵀ · v, where v
 * is read anyway: the gradient of a bias beside the gradient of a weight.
 */
export function isColumnSumOf(anchor: Tensor, v: Tensor, columns: number): boolean {
  if (anchor.op !== matmulOp || !anchor.attributes.transposeA || anchor.attributes.transposeB) return false;
  const b = anchor.inputs[1];
  return b.rank === 2 && b.shape[1] === columns && b.size > 0 && underlying(b) === underlying(v);
}

/** For the registry. */
export const twins = [matmulTwin, matmulSlicesTwin];
