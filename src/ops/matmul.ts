/** The matrix product: one op, its gradient in the same op, and the kernels that compute it. */
import { ShapeError } from '../base/errors.ts';
import type { Profile } from '../engine/profile.ts';
import { kernels } from '../shaders/index.ts';
import { type TensorLike, toTensor, zeros } from './constant.ts';
import { apply, type Case, defineOp, type KernelCall, type KernelFamily, type Lowered } from './define.ts';
import { promote } from './dtype.ts';
import { grid } from './elementwise.ts';
import type { MatmulOptions } from './methods.ts';
import { broadcastTo, reshape } from './movement.ts';
import { sum } from './reduce.ts';
import { broadcastPosition, build, type NdArray } from './reference.ts';
import { cast } from './select.ts';
import { broadcastShapes, type Shape, sameShape, show, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

/** The longest sum that one lane keeps; longer ones are made in slices, for accuracy (FAULTS F18). */
const LONGEST_SUM = 4096;

/** The letters of the product: y[batch, rows, columns] = Σ a[batch, rows, inner] · b[batch, inner, columns]. */
interface Extents {
  readonly batch: Shape;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Checks that a · b exists, and names its sizes. */
function extentsOf(a: Shape, b: Shape, { transposeA = false, transposeB = false }: MatmulOptions): Extents {
  const flags = `transposeA: ${transposeA}, transposeB: ${transposeB}`;
  if (a.length < 2 || b.length < 2)
    throw new ShapeError(
      `matmul: a ${show(a)} · b ${show(b)} (${flags}): both must have rank 2 or more. ` +
        `Make a vector a matrix first: ${a.length < 2 ? 'a.reshape([1, -1])' : 'b.reshape([-1, 1])'}.`,
    );
  const [rows, innerA] = lastTwo(a, transposeA);
  const [innerB, columns] = lastTwo(b, transposeB);
  if (innerA !== innerB)
    throw new ShapeError(
      `matmul: a ${show(a)} · b ${show(b)} (${flags}): inner sizes ${innerA} and ${innerB} differ.${remedy(a, b, transposeA, transposeB)}`,
    );
  const [batchA, batchB] = [a.slice(0, -2), b.slice(0, -2)];
  return {
    batch: broadcastShapes(batchA, batchB, `matmul: a ${show(a)} · b ${show(b)}: batches`),
    rows,
    inner: innerA,
    columns,
  };
}

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const [p, q] = shape.slice(-2);
  return transposed ? [q, p] : [p, q];
}

/** The flag whose flip makes the inner sizes meet, if there is one. */
function remedy(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): string {
  const meets = (flipA: boolean, flipB: boolean) =>
    lastTwo(a, flipA)[1] === lastTwo(b, flipB)[0]
      ? ` Pass { transposeA: ${flipA}, transposeB: ${flipB} }?`
      : '';
  return (
    meets(transposeA, !transposeB) ||
    meets(!transposeA, transposeB) ||
    ' The columns of a must be as many as the rows of b.'
  );
}

const shapeOf = ({ batch, rows, columns }: Extents): Shape => [...batch, rows, columns];

/** How a and b are walked and the result is laid out; the same for every variant of the kernel. */
function layout({ inputs, attributes }: KernelCall) {
  const a = inputs.a.shape;
  const b = inputs.b.shape;
  const { transposeA, transposeB, slices = 1 } = attributes as MatmulOptions & { slices?: number };
  const { batch, rows, inner, columns } = extentsOf(a, b, attributes as MatmulOptions);
  return {
    rows,
    columns,
    inner,
    batches: sizeOf(batch),
    slices,
    slice: Math.ceil(inner / slices),
    a_batch: sizeOf(a.slice(0, -2)) === 1 ? 0 : rows * inner,
    a_row: transposeA ? 1 : inner,
    a_inner: transposeA ? rows : 1,
    b_batch: sizeOf(b.slice(0, -2)) === 1 ? 0 : inner * columns,
    b_inner: transposeB ? 1 : columns,
    b_column: transposeB ? inner : 1,
  };
}

/** One way to compute a product: the shader, and the constants that it is tuned with. */
interface Variant {
  readonly shader: 'matmul' | 'matmul_workgroup' | 'matmul_subgroup';
  /** Rows per lane, and groups of four columns per lane. */
  readonly TILE_M: number;
  readonly TILE_N: number;
  /** Lanes of a workgroup along rows and columns. */
  readonly LANES_M: number;
  readonly LANES_N: number;
  /** Lanes that load a for each other, in matmul_subgroup. */
  readonly WIDTH?: number;
}

const registers = (TILE_M: number, TILE_N: number, LANES_M: number, LANES_N: number): Variant => ({
  shader: 'matmul',
  TILE_M,
  TILE_N,
  LANES_M,
  LANES_N,
});
const workgroup = (TILE_M: number, TILE_N: number, LANES_M: number, LANES_N: number): Variant => ({
  ...registers(TILE_M, TILE_N, LANES_M, LANES_N),
  shader: 'matmul_workgroup',
});
const subgroup = (TILE_M: number, TILE_N: number, LANES_N: number, WIDTH: number): Variant => ({
  ...registers(TILE_M, TILE_N, 1, LANES_N),
  shader: 'matmul_subgroup',
  WIDTH,
});

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));

/**
 * The variant for a product of this size on this device.
 *
 * Software drivers pay for loads, not for multiply-adds, and have no memory that is nearer than another:
 * registers only, the larger the tile the fewer the loads. Measured with Dawn 0.6.2 on two cores
 * (GFLOP/s for 32·784·128, and the time to compile):
 * llvmpipe 25.0.7: 8x4 tile 13, 0.4 s · 8x8 tile 20, 0.85 s · 8x4 tile with rows shuffled by two 24, 0.5 s;
 * SwiftShader: 8x4 tile 2.6, 0.06 s · 8x8 tile 3.2, 0.1 s · 16x8 tile 3.7, 0.15 s.
 *
 * A GPU copies slabs to workgroup memory, as long as the product fills a block.
 */
function pick(
  { isSoftware, subgroups, limits }: Profile,
  rows: number,
  columns: number,
  inner: number,
): Variant {
  const flops = 2 * rows * columns * inner;
  const tall = Math.min(8, powerOfTwo(rows));
  if (isSoftware) {
    if (columns >= 32 && rows >= 8 && flops > 1e6) {
      if (subgroups && subgroups.min >= 8) return subgroup(8, 1, 8, 2);
      return registers(16, 2, 1, 4);
    }
    // Few lanes per workgroup, so that both cores have some. A tiny product is cheaper to run than its
    // kernel is to compile, and half the tile compiles in half the time.
    const across = Math.min(8, powerOfTwo(columns / 4));
    return registers(flops > 2e5 ? tall : Math.min(4, tall), 1, 8 / across, across);
  }
  if (rows >= 16 && columns >= 16) {
    const large = rows * columns >= 256 * 256 && limits.maxComputeInvocationsPerWorkgroup >= 256;
    return large ? workgroup(4, 1, 16, 16) : workgroup(2, 1, 16, 8);
  }
  const across = Math.min(32, powerOfTwo(columns / 4));
  return registers(Math.min(4, tall), 1, 64 / across, across);
}

/** Bytes of workgroup memory that a variant takes. */
const slabBytes = ({ shader, TILE_M, TILE_N, LANES_M, LANES_N }: Variant): number =>
  shader === 'matmul_workgroup' ? 4 * 16 * (TILE_M * LANES_M + 4 * TILE_N * LANES_N) : 0;

/** Why this device cannot run the variant, or null. */
function refusal({ limits, subgroups }: Profile, variant: Variant): string | null {
  const { LANES_M, LANES_N, WIDTH = 0 } = variant;
  const lanes = LANES_M * LANES_N;
  if (lanes > limits.maxComputeInvocationsPerWorkgroup)
    return `${lanes} lanes per workgroup, the device has ${limits.maxComputeInvocationsPerWorkgroup}`;
  const bytes = slabBytes(variant);
  if (bytes > limits.maxComputeWorkgroupStorageSize)
    return `${bytes} bytes of workgroup memory, the device has ${limits.maxComputeWorkgroupStorageSize}`;
  if (WIDTH > 0 && !subgroups) return 'the device has no subgroups';
  if (WIDTH > (subgroups?.min ?? 0))
    return `${WIDTH} lanes that share loads, subgroups here may have ${subgroups!.min}`;
  return null;
}

/** Every variant worth having, smallest first: what tests run and tuning chooses from. */
const catalogue: Variant[] = [
  registers(2, 1, 16, 8),
  registers(8, 1, 2, 4),
  registers(8, 2, 1, 32),
  registers(16, 2, 1, 4),
  workgroup(2, 1, 16, 8),
  workgroup(4, 1, 16, 16),
  workgroup(4, 2, 32, 16),
  workgroup(2, 1, 32, 32),
  subgroup(8, 1, 8, 2),
  subgroup(4, 1, 128, 4),
];

/** y = a · b and col_sum[n] = Σₖ b[k, n], the bias gradient that rides on dW = xᵀ · dz. */
export const matmulFamily: KernelFamily = {
  name: 'matmul',
  lower(call: KernelCall): Lowered {
    const params = layout(call);
    const variant = {
      ...pick(call.profile, params.rows, params.columns, params.inner),
      ...call.tuning,
    } as Variant;
    const { shader, TILE_M, TILE_N, LANES_M, LANES_N, WIDTH = 2 } = variant;
    const blocks =
      Math.ceil(params.rows / (TILE_M * LANES_M)) * Math.ceil(params.columns / (4 * TILE_N * LANES_N));
    const lanes: Record<string, number> =
      shader === 'matmul_subgroup' ? { LANES_N, WIDTH } : { LANES_M, LANES_N };
    return {
      text: kernels[shader],
      tuning: { ...variant },
      tune: { TILE_M, TILE_N, ...lanes, Scalar: call.inputs.a.dtype },
      params,
      workgroups: grid(
        blocks * params.slices * params.batches,
        call.profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
  candidates: (profile, call) =>
    catalogue
      // No software driver has memory that is nearer than another: slabs only cost time to compile there.
      .filter(({ shader }) => !call || !profile.isSoftware || shader !== 'matmul_workgroup')
      .map((one) => ({ tuning: { ...one }, refused: refusal(profile, one) })),
};

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
  kernel: { family: matmulFamily, inputs: ['a', 'b'], output: 'y' },
  /** An empty sum is 0; a long one is made in slices that are added up as a tree. */
  expand(y) {
    const [a, b] = y.inputs;
    const { inner } = extentsOf(a.shape, b.shape, y.attributes as MatmulOptions);
    if (inner === 0) return zeros(y.shape, y.dtype);
    if (inner <= LONGEST_SUM) return null;
    const slices = Math.ceil(inner / LONGEST_SUM);
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
  reference: (inputs, attributes) => reference(inputs, attributes),
  // 2^-23 · K · Σ|a·b| would be the bound; with |a·b| <= 4 and K <= 300 rounding errors stay below this.
  tolerance: { relative: 1e-5, absolute: 4e-5 },
  terms: ([a, b], attributes) => extentsOf(a, b, attributes as MatmulOptions).inner,
  cost([a, b], y, attributes) {
    const { inner } = extentsOf(a.shape, b.shape, attributes as MatmulOptions);
    const elements = sizeOf(a.shape) + sizeOf(b.shape) + sizeOf(y.shape);
    return { flops: 2 * inner * sizeOf(y.shape), bytes: 4 * elements };
  },
  cases,
});

/** The product in `slices` of k, to be summed over axis -3: y[…, slice, m, n]. */
const matmulSlices = defineOp({
  name: 'matmulSlices',
  shape([a, b], attributes) {
    const { batch, rows, columns } = extentsOf(a, b, attributes as MatmulOptions);
    return [...batch, attributes.slices as number, rows, columns];
  },
  dtype: ([a]) => a,
  kernel: { family: matmulFamily, inputs: ['a', 'b'], output: 'y' },
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
        [2, 10, 3],
        [2, 10, 5],
      ],
      attributes: { slices: 4, transposeA: true },
      noGradient: 'as above',
    },
  ],
});

/**
 * The matrix product y = a · b, with leading axes as a batch that broadcasts.
 *
 * a: [..., M, K], b: [..., K, N] → y: [..., M, N]; with `transposeA` a is [..., K, M], with `transposeB`
 * b is [..., N, K]. Integers multiply as integers, anything mixed with f32 as f32. Sums in f32 in the
 * order of k, in slices beyond 4096: |error| ≤ 2⁻²³ · K · Σ|a·b|. K = 0 gives zeros.
 *
 * Throws ShapeError when the inner sizes or the batches do not fit, or one side has rank below 2.
 *
 * ```ts
 * const z = matmul(x, w).add(b);
 * const dw = matmul(x, dz, { transposeA: true });
 * ```
 */
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor {
  const left = toTensor(a);
  const right = toTensor(b);
  const { transposeA = false, transposeB = false } = options;
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
 * Is Σ over all axes but the last of `v` a by-product of `anchor`? It is when anchor = xᵀ · v, where v
 * is read anyway: the gradient of a bias beside the gradient of a weight.
 */
export function isColumnSumOf(anchor: Tensor, v: Tensor): boolean {
  if (anchor.op !== matmulOp || !anchor.attributes.transposeA || anchor.attributes.transposeB) return false;
  const b = anchor.inputs[1];
  return b.rank === 2 && b.shape[1] === v.shape.at(-1) && b.size > 0 && underlying(b) === underlying(v);
}
