/** Functions of two elements with full broadcasting, a row each. */
import { cancels, opaque } from './cancel.ts';
import { broadcastCases } from './cases.ts';
import { fill, isFill, type TensorLike, toTensor } from './constant.ts';
import { apply, type Case, opsOf, type Tolerance, twin } from './define.ts';
import { type DType, promote } from './dtype.ts';
import { libraryOf, pointwise } from './pointwise.ts';
import { elementwise } from './reference.ts';
import { cast, equal, greater, greaterEqual, less, lessEqual, where } from './select.ts';
import { sameShape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { log, neg, square } from './unary.ts';

interface Row {
  /** WGSL of f(x, y) for f32. */
  readonly f: string;
  /** WGSL for integers where it differs. */
  readonly integers?: string;
  /** Gradients for x and y, given z = f(x, y) and its gradient g; broadcasting is undone by the driver. */
  readonly df: (x: Tensor, y: Tensor, z: Tensor, g: Tensor) => [Tensor | null, Tensor | null];
  /** A simpler tensor with the same bits, or null. */
  readonly simplify?: (x: Tensor, y: Tensor, z: Tensor) => Tensor | null;
  /** The dtype of operands that it wants in place of another: true division gives f32, ⌊x / y⌋ takes signs. */
  readonly instead?: Partial<Record<DType, DType>>;
}

/** Is the product z of x and y just x? */
const unchanged = (x: Tensor, y: Tensor, z: Tensor): boolean => isFill(y, 1) && sameShape(x.shape, z.shape);

const table = {
  add: { f: 'x + y', df: (_x, _y, _z, g) => [g, g] },
  sub: { f: 'x - y', df: (_x, _y, _z, g) => [g, neg(g)] },
  mul: {
    f: 'x * y',
    df: (x, y, _z, g) => [mul(g, y), mul(g, x)],
    // Gradients start from a 1. x · 1 has the bits of x, whatever x is.
    simplify: (x, y, z) => (unchanged(x, y, z) ? x : unchanged(y, x, z) ? y : null),
  },
  div: {
    f: 'x / y',
    integers: 'floor_div_i32(x, y)',
    df: (x, y, _z, g) => [div(g, y), neg(div(mul(g, x), square(y)))],
    instead: { u32: 'i32' },
  },
  floorDiv: {
    f: 'floor(x / y)',
    integers: 'floor_div_i32(x, y)',
    df: (x, y) => [fill(x.shape, 0), fill(y.shape, 0)],
    instead: { u32: 'i32' },
  },
  maximum: {
    f: 'max_nan(x, y)',
    integers: 'max(x, y)',
    df: (x, y, _z, g) => [where(greaterEqual(x, y), g, 0), where(less(x, y), g, 0)],
  },
  minimum: {
    f: 'min_nan(x, y)',
    integers: 'min(x, y)',
    df: (x, y, _z, g) => [where(lessEqual(x, y), g, 0), where(greater(x, y), g, 0)],
  },
  pow: {
    f: 'power(x, y)',
    // Chosen last, as a g that comes in may be infinite: 0 · ∞ is NaN.
    df: (x, y, z, g) => [
      where(equal(y, 0), 0, mul(g, mul(y, pow(x, sub(y, 1))))),
      where(greater(x, 0), mul(g, mul(z, log(x))), 0),
    ],
    instead: { i32: 'f32', u32: 'f32' },
  },
  squaredDifference: {
    f: '(x - y) * (x - y)',
    df(x, y, _z, g) {
      const slope = mul(g, mul(sub(x, y), 2));
      return [slope, neg(slope)];
    },
  },
} satisfies Record<string, Row>;

const ops = opsOf<keyof typeof table, Row>(table, ({ f, integers = f, df, simplify }, name) =>
  pointwise({
    name,
    library: libraryOf(f),
    ...(simplify && { simplify: (z) => simplify(z.inputs[0], z.inputs[1], z) }),
    f([x, y], _z, e) {
      if (x.dtype !== 'f32') return integers;
      return cancels(name, x, y) ? f.replaceAll('y', opaque('y', e)) : f;
    },
    backward: ([x, y], z, g) => df(x, y, z, g),
    cost: (_inputs, z) => ({ flops: sizeOf(z.shape), bytes: 12 * sizeOf(z.shape) }),
  }),
);

/** Both operands as tensors of their common dtype. */
export function operands(a: TensorLike, b: TensorLike, arithmetic: boolean): [Tensor, Tensor] {
  const x = toTensor(a, typeof b === 'object' && 'dtype' in b ? (b.dtype as DType) : undefined);
  const y = toTensor(b, x.dtype);
  const dtype = promote(x.dtype, y.dtype, arithmetic);
  return [cast(x, dtype), cast(y, dtype)];
}

/** Named where it is used: rows call each other, which leaves nothing to infer a type from. */
export type Binary = (a: TensorLike, b: TensorLike) => Tensor;

const call =
  (name: keyof typeof table): Binary =>
  (a, b) => {
    const [x, y] = operands(a, b, true);
    const { instead = {} }: Row = table[name];
    const dtype = instead[x.dtype] ?? x.dtype;
    return apply(ops[name], [cast(x, dtype), cast(y, dtype)]);
  };

/** a + b with broadcasting. */
export const add: Binary = call('add');
/** a - b with broadcasting. */
export const sub: Binary = call('sub');
/** a · b, element by element, with broadcasting. */
export const mul: Binary = call('mul');
/**
 * a / b with broadcasting. In f32 a division by zero gives ±Infinity or NaN; two integers give ⌊a / b⌋
 * (as in TensorFlow.js), and 0 where b is 0.
 */
export const div: Binary = call('div');
/** ⌊a / b⌋; for integers x / 0 is 0. The gradient is 0. */
export const floorDiv: Binary = call('floorDiv');
/** The larger of each pair; NaN wins. A tie sends its gradient to a. */
export const maximum: Binary = call('maximum');
/** The smaller of each pair; NaN wins. A tie sends its gradient to a. */
export const minimum: Binary = call('minimum');
/** aᵇ as IEEE has it: negative bases with whole exponents are fine. */
export const pow: Binary = call('pow');
/** (a - b)² */
export const squaredDifference: Binary = call('squaredDifference');

// ---- the twins

const exact: Tolerance = {};
const rounded: Tolerance = { relative: 3e-7, absolute: 1e-7 };

/** f in float64, how near to it the op must come, and on which numbers. */
interface Proof extends Pick<Case, 'range' | 'noGradient'> {
  readonly js: (x: number, y: number) => number;
  readonly tolerance: Tolerance;
}

const proofs: Record<keyof typeof table, Proof> = {
  add: { js: (x, y) => x + y, tolerance: rounded },
  sub: { js: (x, y) => x - y, tolerance: rounded },
  mul: { js: (x, y) => x * y, tolerance: rounded },
  div: { js: (x, y) => x / y, tolerance: { relative: 1e-6 }, range: [0.5, 3] },
  floorDiv: {
    js: (x, y) => Math.floor(x / y),
    tolerance: exact,
    range: [0.5, 3],
    noGradient: 'a step function',
  },
  maximum: { js: Math.max, tolerance: exact },
  minimum: { js: Math.min, tolerance: exact },
  pow: { js: (x, y) => x ** y, tolerance: { relative: 1e-4, absolute: 1e-6 }, range: [0.2, 3] },
  squaredDifference: { js: (x, y) => (x - y) ** 2, tolerance: { relative: 1e-6, absolute: 1e-6 } },
};

export const twins = Object.entries(proofs).map(([name, { js, tolerance, ...numbers }]) =>
  twin(ops[name as keyof typeof table], () => ({
    reference: ([x, y]) => elementwise(js, x, y),
    tolerance,
    cases: broadcastCases.map((one) => ({ ...one, ...numbers })),
  })),
);
