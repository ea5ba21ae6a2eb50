/** Comparison, logic, choice and conversion. */

import { ValueError } from '../base/errors.ts';
import { operands } from './binary.ts';
import { broadcastCases } from './cases.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { apply, defineOp, type Op, twin } from './define.ts';
import { type DType, parseDType, wgslType } from './dtype.ts';
import { broadcastIndex, type Expressions, literal } from './expression.ts';
import { build, elementwise } from './reference.ts';
import { broadcastShapes, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

const comparisons = {
  equal: { f: '==', js: (x: number, y: number) => x === y },
  notEqual: { f: '!=', js: (x: number, y: number) => x !== y },
  greater: { f: '>', js: (x: number, y: number) => x > y },
  greaterEqual: { f: '>=', js: (x: number, y: number) => x >= y },
  less: { f: '<', js: (x: number, y: number) => x < y },
  lessEqual: { f: '<=', js: (x: number, y: number) => x <= y },
};

type Comparison = keyof typeof comparisons;

function comparisonOp(name: Comparison): Op {
  const { f } = comparisons[name];
  return defineOp({
    name,
    shape: ([x, y]) => broadcastShapes(x, y, name),
    dtype: () => 'bool',
    expression(e, [x, y], index, z) {
      const a = e.value(x, broadcastIndex(e, index, z.shape, x.shape));
      const b = e.value(y, broadcastIndex(e, index, z.shape, y.shape));
      if (x.dtype !== 'f32') return e.name(`${a} ${f} ${b}`);
      // NaN is unequal to everything and in no order; compilers that assume it away say otherwise.
      e.use('math');
      const ordered = `!(is_nan(${a}) || is_nan(${b}))`;
      return e.name(
        name === 'notEqual'
          ? `${a} != ${b} || !${ordered.slice(1)}`.replace('|| !(', '|| (')
          : `${a} ${f} ${b} && ${ordered}`,
      );
    },
    backward: () => [null, null],
  });
}

const comparisonOps = Object.fromEntries(
  (Object.keys(comparisons) as Comparison[]).map((name) => [name, comparisonOp(name)]),
) as Record<Comparison, Op>;

const comparisonTwins = Object.entries(comparisons).map(([name, { js }]) =>
  twin(comparisonOps[name as Comparison], () => ({
    reference: ([x, y]) => elementwise((a, b) => Number(js(a, b)), x, y),
    cases: broadcastCases.map((one) => ({ ...one, noGradient: 'a step function' })),
  })),
);

const comparison =
  (name: Comparison) =>
  (a: TensorLike, b: TensorLike): Tensor => {
    const [x, y, dtype] = operands(a, b, false);
    const numbers: DType = dtype === 'bool' || dtype === 'u8' ? 'u32' : dtype;
    return apply(comparisonOps[name], [cast(x, numbers), cast(y, numbers)]);
  };

/** a = b; NaN equals nothing. */
export const equal = comparison('equal');
/** a ≠ b; NaN differs from everything. */
export const notEqual = comparison('notEqual');
/** a > b */
export const greater = comparison('greater');
/** a ≥ b */
export const greaterEqual = comparison('greaterEqual');
/** a < b */
export const less = comparison('less');
/** a ≤ b */
export const lessEqual = comparison('lessEqual');

const connectives = {
  logicalAnd: { f: '&&', js: (x: boolean, y: boolean) => x && y },
  logicalOr: { f: '||', js: (x: boolean, y: boolean) => x || y },
  logicalXor: { f: '!=', js: (x: boolean, y: boolean) => x !== y },
};

type Connective = keyof typeof connectives;

function connectiveOp(name: Connective): Op {
  const { f } = connectives[name];
  return defineOp({
    name,
    shape: ([x, y]) => broadcastShapes(x, y, name),
    dtype: () => 'bool',
    expression: (e, [x, y], index, z) =>
      e.name(
        `${e.value(x, broadcastIndex(e, index, z.shape, x.shape))} ${f} ${e.value(y, broadcastIndex(e, index, z.shape, y.shape))}`,
      ),
    backward: () => [null, null],
  });
}

const connectiveOps = Object.fromEntries(
  (Object.keys(connectives) as Connective[]).map((name) => [name, connectiveOp(name)]),
) as Record<Connective, Op>;

const connectiveTwins = Object.entries(connectives).map(([name, { js }]) =>
  twin(connectiveOps[name as Connective], () => ({
    reference: ([x, y]) => elementwise((a, b) => Number(js(a !== 0, b !== 0)), x, y),
    cases: broadcastCases.map(({ shapes }) => ({
      shapes,
      dtypes: ['bool', 'bool'],
      range: [0, 2],
      noGradient: 'logic',
    })),
  })),
);

const connective =
  (name: Connective) =>
  (a: TensorLike, b: TensorLike): Tensor =>
    apply(connectiveOps[name], [cast(toTensor(a), 'bool'), cast(toTensor(b), 'bool')]);

/** a and b, of truth values (non-zero is true). */
export const logicalAnd = connective('logicalAnd');
/** a or b */
export const logicalOr = connective('logicalOr');
/** One of a and b, not both. */
export const logicalXor = connective('logicalXor');

const notOp = defineOp({
  name: 'logicalNot',
  shape: ([x]) => x,
  dtype: () => 'bool',
  expression: (e, [x], index) => e.name(`!${e.value(x, index)}`),
  backward: () => [null],
});

const notTwin = twin(notOp, () => ({
  reference: ([x]) => elementwise((a) => Number(a === 0), x),
  cases: [{ shapes: [[7]], dtypes: ['bool'], range: [0, 2], noGradient: 'logic' }],
}));

/** not a */
export const logicalNot = (a: TensorLike): Tensor => apply(notOp, [cast(toTensor(a), 'bool')]);

const whereOp = defineOp({
  name: 'where',
  shape: ([c, x, y]) => broadcastShapes(c, broadcastShapes(x, y, 'where'), 'where'),
  dtype: ([_c, x]) => x,
  expression(e, [c, x, y], index, z) {
    const [chosen, a, b] = [c, x, y].map((from) =>
      e.value(from, broadcastIndex(e, index, z.shape, from.shape)),
    );
    return e.name(`select(${b}, ${a}, ${chosen})`);
  },
  backward: ([c], _z, g) => [null, where(c, g, 0), where(c, 0, g)],
  cost: (_inputs, z) => ({ flops: sizeOf(z.shape), bytes: 16 * sizeOf(z.shape) }),
});

const whereTwin = twin(whereOp, () => ({
  reference: ([c, x, y]) => elementwise((chosen, a, b) => (chosen !== 0 ? a : b), c, x, y),
  cases: [
    { shapes: [[5], [5], [5]], dtypes: ['bool', 'f32', 'f32'] },
    { shapes: [[4, 1], [4, 3], [3]], dtypes: ['bool', 'f32', 'f32'] },
    { shapes: [[2, 3], [], [3]], dtypes: ['bool', 'f32', 'f32'] },
  ],
}));

/** a where the condition holds, else b; all three broadcast. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = operands(a, b, false);
  return apply(whereOp, [cast(toTensor(condition), 'bool'), x, y]);
}

/** WGSL that converts an expression from one dtype to another. */
function conversion(e: Expressions, value: string, from: DType, to: DType): string {
  if (wgslType(from) === wgslType(to)) return value;
  if (to === 'bool') {
    if (from !== 'f32') return `${value} != ${literal(0, from)}`;
    e.use('math');
    return `(${value} != 0.0 || is_nan(${value}))`;
  }
  if (from !== 'f32') return `${wgslType(to)}(${value})`;
  // Drivers differ in what a NaN becomes.
  e.use('math');
  return `select(${wgslType(to)}(${value}), ${literal(0, to)}, is_nan(${value}))`;
}

/**
 * Float to integer drops the fraction and saturates at the last f32 inside the range, as WGSL does;
 * NaN becomes 0.
 */
const toDType: Record<DType, (x: number) => number> = {
  f32: (x) => x,
  i32: (x) => Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 128),
  u32: (x) => Math.min(Math.max(Math.trunc(x), 0), 2 ** 32 - 256),
  u8: (x) => Math.min(Math.max(Math.trunc(x), 0), 255),
  bool: (x) => Number(x !== 0),
};

const castOp: Op = defineOp({
  name: 'cast',
  shape: ([x]) => x,
  dtype: (_inputs, a) => a.dtype as DType,
  expression: (e, [x], index, y) => e.name(conversion(e, e.value(x, index), x.dtype, y.dtype)),
  backward: ([x], _y, g) => [x.dtype === 'f32' ? g : null],
});

const castTwin = twin(castOp, () => ({
  reference: ([x], a) => elementwise(toDType[a.dtype as DType], x),
  cases: (['f32', 'i32', 'u32', 'bool'] as const).flatMap((to) =>
    (['f32', 'i32', 'u32', 'bool', 'u8'] as const)
      .filter((from) => from !== to)
      .map((from) => ({
        shapes: [[7]],
        dtypes: [from],
        attributes: { dtype: to },
        range:
          from === 'f32' && to === 'u32'
            ? [0, 9]
            : from === 'f32' || from === 'i32'
              ? [to === 'u32' ? 0 : -9, 9]
              : [0, 9],
        noGradient: 'integers',
      })),
  ),
}));

/**
 * x in another dtype: `f32, i32, u32, bool` or Keras's names. Float to integer drops the fraction and
 * saturates (at 2147483520 for i32, 4294967040 for u32); anything to bool asks whether it is not 0. Bytes (u8) are not scaled.
 */
export function cast(x: TensorLike, dtype: string): Tensor {
  const input = toTensor(x);
  const to = parseDType(dtype, 'cast');
  return input.dtype === to ? input : apply(castOp, [input], { dtype: to });
}

const clipOp = defineOp({
  name: 'clip',
  shape: ([x]) => x,
  dtype: ([x]) => x,
  expression(e, [x], index, y) {
    const { low, high } = y.attributes as { low: number; high: number };
    const type = x.dtype as 'f32' | 'i32' | 'u32';
    const value = e.value(x, index);
    const [lo, hi] = [e.uniform(low, type), e.uniform(high, type)];
    return e.name(`select(select(${value}, ${hi}, ${value} > ${hi}), ${lo}, ${value} < ${lo})`);
  },
  backward([x], _y, g, a) {
    const { low, high } = a as { low: number; high: number };
    return [where(greaterEqual(x, low), where(lessEqual(x, high), g, 0), 0)];
  },
});

const clipTwin = twin(clipOp, () => ({
  reference: ([x], a) => {
    const { low, high } = a as { low: number; high: number };
    return build(x.shape, (_, i) => (x.data[i] < low ? low : Math.min(x.data[i], high)));
  },
  cases: [{ shapes: [[17]], attributes: { low: -0.75, high: 1.25 }, avoid: [-0.75, 1.25] }],
}));

/** x kept between `low` and `high`; NaN stays NaN. ValueError when low > high or either is NaN. */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  const input = toTensor(x);
  if (typeof low !== 'number' || typeof high !== 'number' || !(low <= high))
    throw new ValueError(
      `clip: low is ${String(low)} and high is ${String(high)}; expected numbers with low ≤ high.`,
    );
  const whole = input.dtype === 'i32' && Number.isInteger(low) && Number.isInteger(high);
  return apply(clipOp, [whole ? input : cast(input, 'f32')], { low, high });
}

/** For the registry. */
export const twins = [...comparisonTwins, ...connectiveTwins, notTwin, whereTwin, castTwin, clipTwin];
