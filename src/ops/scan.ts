/**
 * Running sums and products. One lane walks one block of an axis; of a longer axis the sums of the blocks are summed in
 * turn and added to what is in each block, so that an axis of a million is three short walks.
 */
import { knownOptions } from '../base/options.ts';
import { add, div, floorDiv, minimum, mul, sub } from './binary.ts';
import { iota, type TensorLike } from './constant.ts';
import { apply, type Case, defineOp, type KernelFamily, type Lowered, type Op, twin } from './define.ts';
import { grid, lanesOf } from './elementwise.ts';
import { gather } from './movement.ts';
import { ndarray } from './reference.ts';
import { cast, countable, equal, greater, logicalAnd, where } from './select.ts';
import { around, normalizeAxis, type Shape, sizeOf } from './shape.ts';
import type { Attributes, Tensor } from './tensor.ts';

/** Steps of one lane, where an axis is longer than LONGEST. */
const BLOCK = 256;
const LONGEST = 1024;

export interface ScanOptions {
  /** Without the element itself: begins with 0 (cumsum) or 1 (cumprod). Default false. */
  exclusive?: boolean;
  /** From the end of the axis. Default false. */
  reverse?: boolean;
}

interface ScanAttributes extends Attributes, Required<ScanOptions> {
  readonly axis: number;
  readonly product: boolean;
  /** Steps after which it begins anew; 0 where it does not. */
  readonly block: number;
}

const family: KernelFamily = {
  name: 'scan',
  lower({ inputs: { x }, attributes, profile }): Lowered {
    const { axis, block, exclusive, reverse, product } = attributes as ScanAttributes;
    const params = around(x.shape, axis);
    const steps = block || Math.max(1, params.length);
    const blocks = Math.ceil(params.length / steps);
    const WORKGROUP = lanesOf(profile);
    return {
      kernel: 'scan',
      tune: { Scalar: x.dtype },
      constants: { PRODUCT: product, EXCLUSIVE: exclusive, REVERSE: reverse, WORKGROUP },
      params: { ...params, block: steps, blocks },
      workgroups: grid(
        Math.ceil((params.outer * blocks * params.inner) / WORKGROUP),
        profile.limits.maxComputeWorkgroupsPerDimension,
      ),
    };
  },
};

function scanOp(name: string, backward: NonNullable<Op['backward']>, more: Partial<Op> = {}): Op {
  return defineOp({
    name,
    shape: ([x]) => x,
    dtype: ([x]) => x,
    kernel: { family, inputs: ['x'], output: 'y' },
    backward: (inputs, y, g, a) => (y.dtype === 'f32' ? backward(inputs, y, g, a) : [null]),
    cost: ([x]) => ({ flops: sizeOf(x.shape), bytes: 8 * sizeOf(x.shape) }),
    ...more,
  });
}

/** Sums in blocks, each with the sum of all blocks before it. */
function inBlocks(node: Tensor): Tensor | null {
  const [x] = node.inputs;
  const attributes = node.attributes as ScanAttributes;
  const { axis, block, reverse, exclusive } = attributes;
  const length = x.shape[axis];
  if (block > 0 || length <= LONGEST) return null;
  const within = apply(node.op!, [x], { ...attributes, block: BLOCK });
  /** From steps to places on the axis, and back. */
  const turned = (steps: Tensor): Tensor => (reverse ? sub(length - 1, steps) : steps);
  const last = turned(sub(minimum(mul(add(iota(Math.ceil(length / BLOCK)), 1), BLOCK), length), 1));
  const ends = gather(within, last, axis);
  const sums = exclusive ? add(ends, gather(x, last, axis)) : ends;
  const before = apply(node.op!, [sums], { ...attributes, exclusive: true, reverse: false });
  return add(within, gather(before, floorDiv(turned(iota(length)), BLOCK), axis));
}

const cumsumOp: Op = scanOp(
  'cumsum',
  // What an element was added to lies on its other side.
  (_inputs, _y, g, a) => [apply(cumsumOp, [g], { ...a, reverse: !a.reverse })],
  { expand: inBlocks },
);

/**
 * dxᵢ = Σⱼ gⱼ yⱼ / xᵢ over the products that xᵢ is in. Up to the first zero that is right as it stands; at this zero it
 * is the same of the products without it, and beyond it every product is 0.
 */
const cumprodOp: Op = scanOp('cumprod', ([x], y, g, a) => {
  const back = (z: Tensor): Tensor => apply(cumsumOp, [z], { ...a, product: false, reverse: !a.reverse });
  const zero = equal(x, 0);
  const zeros = apply(cumsumOp, [cast(zero, 'i32')], { ...a, product: false, exclusive: false });
  const first = logicalAnd(zero, equal(zeros, 1));
  const without = apply(cumprodOp, [where(first, 1, x)], a);
  const past = greater(zeros, 0);
  const ordinary = div(back(mul(g, y)), where(past, 1, x));
  return [where(first, back(mul(g, without)), where(past, 0, ordinary))];
});

const call =
  (op: Op, product: boolean) =>
  (x: TensorLike, axis = 0, options: ScanOptions = {}): Tensor => {
    const input = countable(x);
    const { exclusive = false, reverse = false } = knownOptions(op.name, options, ['exclusive', 'reverse']);
    const along = normalizeAxis(axis, input.rank, op.name);
    return apply(op, [input], { axis: along, block: 0, product, exclusive, reverse });
  };

/**
 * Running sums along `axis` (default 0): y₀ = x₀, yᵢ = yᵢ₋₁ + xᵢ. bool and u8 are summed as i32.
 *
 * Axes beyond 1024 are summed in blocks of 256, always the same ones: the same bits on every run.
 *
 * ```ts
 * cumsum([1, 2, 3])                          // [1, 3, 6]
 * cumsum([1, 2, 3], 0, { exclusive: true })  // [0, 1, 3]
 * cumsum([1, 2, 3], 0, { reverse: true })    // [6, 5, 3]
 * ```
 */
export const cumsum = call(cumsumOp, false);

/** Running products along `axis` (default 0); otherwise as {@link cumsum}. The gradient is right at zeros too. */
export const cumprod = call(cumprodOp, true);

// ---- the twins

const scanTwin = (op: Op, product: boolean, cases: readonly Case[]) =>
  twin(op, () => ({
    reference([x], attributes) {
      const { axis, exclusive, reverse, block } = attributes as ScanAttributes;
      const { outer, length, inner } = around(x.shape, axis);
      const y = ndarray(x.shape);
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < inner; i++) {
          let total = Number(product);
          for (let s = 0; s < length; s++) {
            if (block > 0 && s % block === 0) total = Number(product);
            const at = (o * length + (reverse ? length - 1 - s : s)) * inner + i;
            const after = product ? total * x.data[at] : total + x.data[at];
            y.data[at] = exclusive ? total : after;
            total = after;
          }
        }
      return y;
    },
    tolerance: product ? { relative: 1e-4, absolute: 1e-6 } : { relative: 1e-5, absolute: 5e-4 },
    terms: ([x], { axis }) => x[axis as number],
    cases: cases.map((one) => ({ ...one, attributes: { block: 0, product, ...one.attributes } })),
  }));

const plain = { exclusive: false, reverse: false };
const cases: Case[] = (
  [
    [[1], { axis: 0, ...plain }],
    [[5, 3], { axis: 0, exclusive: true, reverse: false }],
    [[3, 7], { axis: 1, exclusive: false, reverse: true }],
    [[2, 65, 2], { axis: 1, exclusive: true, reverse: true }],
    [[0, 3], { axis: 1, ...plain }],
  ] as [Shape, Attributes][]
).map(([shape, attributes]) => ({ shapes: [shape], attributes }));

/** For the registry. */
export const twins = [
  scanTwin(cumsumOp, false, [
    ...cases,
    { shapes: [[1030]], attributes: { axis: 0, exclusive: true, reverse: true } },
    { shapes: [[2, 1300, 2]], attributes: { axis: 1, ...plain } },
    {
      shapes: [[2, 7]],
      attributes: { axis: 1, block: 3, ...plain },
      noGradient: 'made after differentiation',
    },
  ]),
  scanTwin(
    cumprodOp,
    true,
    cases.map((one) => ({ ...one, range: [0.7, 1.4] })),
  ),
];
