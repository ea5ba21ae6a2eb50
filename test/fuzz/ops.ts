/**
 * Every op that a random program may use, a row each: how to choose operands, what it means in the walk's numbers,
 * and how it is written. `covers` are the names in the registry that a row reaches.
 */
import type { Generator } from '../reference/random.ts';
import { rowsFor } from './auto.ts';
import {
  add,
  div,
  dot,
  mul,
  type Num,
  neg,
  node,
  num,
  pow,
  same,
  step,
  sub,
  sum,
  unary,
  unaryNames,
  ZERO,
} from './number.ts';
import {
  broadcast,
  converted,
  type DType,
  each,
  isSame,
  lines,
  must,
  pick,
  promote,
  type Shape,
  sizeOf,
  stridesOf,
  type Value,
  whole,
} from './value.ts';

export interface Named {
  readonly name: string;
  readonly value: Value;
}

/** Numbers, lists and words: what an op is told beside its operands. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Choice {
  readonly inputs: readonly Named[];
  readonly attributes?: Attributes;
}

export interface OpRow {
  readonly covers: readonly string[];
  /** How often it is drawn, against 1. */
  readonly weight?: number;
  /** What a program about bytes, about views, or about rows draws more of. */
  readonly theme?: 'bytes' | 'views' | 'rows' | 'identity';
  choose(random: Generator, pool: Pool): Choice | null;
  walk(inputs: readonly Value[], a: Attributes): Value;
  code(x: readonly string[], a: Attributes): string;
}

/** What a statement can take as an operand. */
export class Pool {
  readonly #random: Generator;
  readonly all: readonly Named[];

  constructor(random: Generator, all: readonly Named[]) {
    this.#random = random;
    this.all = all;
  }

  /** One that fits, the youngest more often; null when none does. */
  pick(fits: (value: Value) => boolean): Named | null {
    const some = this.all.filter(({ value }) => fits(value));
    if (some.length === 0) return null;
    const at = Math.floor(some.length * Math.sqrt(this.#random.uniform()));
    return some[Math.min(at, some.length - 1)];
  }
}

const isFloat = (x: Value) => x.dtype === 'f32';
const isNumber = (x: Value) => x.dtype !== 'bool';
const between = (low: number, high: number) => (x: Value) =>
  isFloat(x) && x.data.every(({ v }) => v >= low && v <= high);

/** A shape in code. */
const list = (x: unknown): string => JSON.stringify(x);

const float = (shape: Shape, data: readonly Num[]): Value => ({ shape, dtype: 'f32', data });
/** A new name for numbers of any dtype. */
const moved = (shape: Shape, x: Value, data: readonly Num[]): Value => ({
  shape,
  dtype: x.dtype,
  data: x.dtype === 'f32' ? data.map((one) => same(one.v, 0, one)) : data,
});

// ---- one operand

const domains: Partial<Record<string, (x: Value) => boolean>> = {
  sqrt: between(0.05, 1e4),
  rsqrt: between(0.05, 1e4),
  // 0, NaN and ∞ are for hostile programs: elsewhere what they give is thrown away.
  log: (x) => isFloat(x) && x.data.every(({ v }) => !(v < 0.05 && v !== 0)),
  log1p: between(-0.5, 1e4),
  exp: between(-20, 6),
  expm1: between(-20, 6),
  sin: between(-7, 7),
  cos: between(-7, 7),
  reciprocal: (x) => isFloat(x) && x.data.every(({ v }) => Math.abs(v) >= 0.05),
};

/** These keep whole numbers whole. */
const ofIntegers: Partial<Record<string, (x: number) => number>> = {
  neg: (x) => -x + 0,
  abs: Math.abs,
  square: (x) => x * x,
  relu: (x) => Math.max(x, 0),
};

const unaryRow = (name: string): OpRow => ({
  covers: [name],
  weight: 0.5,
  choose(_random, pool) {
    const x = pool.pick(
      domains[name] ?? ((one) => isFloat(one) || (name in ofIntegers && one.dtype === 'i32')),
    );
    return x && { inputs: [x] };
  },
  walk([x]) {
    const integer = ofIntegers[name];
    if (x.dtype !== 'f32' && integer)
      return whole(
        x.shape,
        'i32',
        x.data.map(({ v }) => integer(v)),
      );
    const data = converted(x, 'f32').data.map((one) => unary(name, one));
    return float(x.shape, data);
  },
  code: ([x]) => `${x}.${name}()`,
});

// ---- two operands

const NUMBERS = [1, 0, 2, -1, 0.5, -0.25, 3] as const;

/** A partner that broadcasts with x, or a plain number. */
function partner(random: Generator, pool: Pool, x: Named, fits: (y: Value) => boolean): Choice | null {
  if (random.uniform() < 0.3) {
    const number = random.pick(x.value.dtype === 'f32' ? NUMBERS : [1, 2, 3]);
    return x.value.dtype === 'bool' ? null : { inputs: [x], attributes: { number } };
  }
  const y = pool.pick((one) => {
    if (!fits(one)) return false;
    try {
      return sizeOf(broadcast(one.shape, x.value.shape)) <= 600;
    } catch {
      return false;
    }
  });
  return y && { inputs: random.uniform() < 0.5 ? [x, y] : [y, x] };
}

/** Both operands, of their common dtype; a plain number takes the dtype of the tensor. */
function operands([x, y]: readonly Value[], a: Attributes, arithmetic: boolean): [Value, Value] {
  const other: Value = y ?? { shape: [], dtype: x.dtype, data: [num(a.number as number)] };
  const dtype = promote(x.dtype, other.dtype, arithmetic);
  return [converted(x, dtype), converted(other, dtype)];
}

const zip = (x: Value, y: Value, f: (a: Num, b: Num) => Num): Value => {
  const shape = broadcast(x.shape, y.shape);
  return float(
    shape,
    each(shape, (index) => f(pick(x, index), pick(y, index))),
  );
};

const zipWhole = (x: Value, y: Value, dtype: DType, f: (a: number, b: number) => number): Value => {
  const shape = broadcast(x.shape, y.shape);
  return whole(
    shape,
    dtype,
    each(shape, (index) => f(pick(x, index).v, pick(y, index).v) + 0),
  );
};

interface BinaryRow {
  readonly f: (x: Num, y: Num) => Num;
  /** For whole numbers; without it they become f32. */
  readonly integers?: (x: number, y: number) => number;
  readonly fits?: (x: Value) => boolean;
  /** What the second operand must be like. */
  readonly second?: (y: Value) => boolean;
  /** No method of tensors. */
  readonly isFunction?: boolean;
}

const chosen = (x: Num): Num => same(x.v, 0, x);
const larger = (x: Num, y: Num, sign: number): Num =>
  Number.isNaN(x.v) || sign * (x.v - y.v) >= 0 || x.v === y.v ? chosen(x) : chosen(y);

const binaryTable: Record<string, BinaryRow> = {
  add: { f: add, integers: (x, y) => x + y },
  sub: { f: sub, integers: (x, y) => x - y },
  mul: { f: mul, integers: (x, y) => x * y },
  div: {
    f: div,
    integers: (x, y) => (y === 0 ? 0 : Math.floor(x / y)),
    second: (y) => (isFloat(y) ? y.data.every(({ v }) => Math.abs(v) >= 0.05) : y.dtype !== 'u32'),
  },
  floorDiv: {
    f: (x, y) => num(Math.floor(x.v / y.v)),
    integers: (x, y) => (y === 0 ? 0 : Math.floor(x / y)),
    second: (y) => (isFloat(y) ? y.data.every(({ v }) => Math.abs(v) >= 0.05) : y.dtype !== 'u32'),
  },
  maximum: { f: (x, y) => larger(x, y, 1), integers: Math.max },
  minimum: { f: (x, y) => larger(x, y, -1), integers: Math.min },
  squaredDifference: {
    f: (x, y) => {
      const d = sub(x, y);
      return mul(d, d);
    },
    integers: (x, y) => (x - y) ** 2,
  },
  pow: { f: pow, fits: between(0.1, 4), second: between(-2, 3) },
  mod: {
    f: (x, y) => {
      const whole = Math.floor(x.v / y.v);
      const z = x.v - y.v * whole;
      return node(z, 1e-6 * Math.abs(y.v), [x, y], () => [num(1), num(-whole)]);
    },
    integers: (x, y) => (y === 0 ? 0 : x - y * Math.floor(x / y)),
    second: (y) => (isFloat(y) ? y.data.every(({ v }) => Math.abs(v) >= 0.05) : y.dtype !== 'u32'),
    isFunction: true,
  },
  atan2: {
    f: (y, x) => {
      const v = Math.atan2(y.v, x.v);
      return node(v, 1e-6 * Math.abs(v) + 1e-7, [y, x], () => {
        const slope = div(num(1), add(mul(x, x), mul(y, y)));
        return [mul(slope, x), neg(mul(slope, y))];
      });
    },
    fits: isFloat,
    // Left of 0 the sign of a zero decides.
    second: between(0.05, 1e4),
    isFunction: true,
  },
};

const binaryRow = (name: string, { f, integers, fits, second, isFunction }: BinaryRow): OpRow => ({
  covers: [name],
  weight: name === 'add' || name === 'mul' || name === 'sub' ? 2 : 0.6,
  choose(random, pool) {
    const x = pool.pick(fits ?? isNumber);
    const choice = x && partner(random, pool, x, (y) => isNumber(y));
    if (!choice) return null;
    const [left, right] = choice.inputs;
    if (fits && !fits(left.value)) return null;
    const number = choice.attributes?.number as number | undefined;
    if (second && (number === undefined ? !second(right.value) : number === 0)) return null;
    return choice;
  },
  walk(inputs, a) {
    const [x, y] = operands(inputs, a, true);
    if (x.dtype === 'f32') return zip(x, y, f);
    if (!integers) return zip(converted(x, 'f32'), converted(y, 'f32'), f);
    const signed = x.dtype === 'u32' && /div|mod/i.test(name) ? 'i32' : x.dtype;
    return zipWhole(x, y, signed, integers);
  },
  code: ([x, y], a) => (isFunction ? `W.${name}(${x}, ${y ?? a.number})` : `${x}.${name}(${y ?? a.number})`),
});

const comparisons: Record<string, (x: number, y: number) => boolean> = {
  equal: (x, y) => x === y,
  notEqual: (x, y) => x !== y,
  greater: (x, y) => x > y,
  greaterEqual: (x, y) => x >= y,
  less: (x, y) => x < y,
  lessEqual: (x, y) => x <= y,
};

const comparisonRow = (name: string): OpRow => ({
  covers: [name],
  weight: 0.15,
  choose(random, pool) {
    const x = pool.pick(isNumber);
    return x && partner(random, pool, x, isNumber);
  },
  walk(inputs, a) {
    const [x, y] = operands(inputs, a, false);
    return zipWhole(x, y, 'bool', (p, q) => Number(comparisons[name](p, q)));
  },
  code: ([x, y], a) => `${x}.${name}(${y ?? a.number})`,
});

const connectives: Record<string, (x: number, y: number) => number> = {
  logicalAnd: (x, y) => x & y,
  logicalOr: (x, y) => x | y,
  logicalXor: (x, y) => x ^ y,
};

const connectiveRow = (name: string): OpRow => ({
  covers: [name],
  weight: 0.15,
  choose(random, pool) {
    const x = pool.pick(() => true);
    const choice = x && partner(random, pool, x, () => true);
    return choice?.inputs.length === 2 ? choice : null;
  },
  walk: ([x, y]) => zipWhole(converted(x, 'bool'), converted(y, 'bool'), 'bool', connectives[name]),
  code: ([x, y]) => `${x}.${name}(${y})`,
});

// ---- over axes

type Axis = number | readonly number[] | null;

function normal(axis: Axis, rank: number): number[] {
  const axes =
    axis === null
      ? Array.from({ length: rank }, (_, i) => i)
      : [axis].flat().map((one) => (one < 0 ? one + rank : one));
  must(
    axes.every((one) => Number.isInteger(one) && one >= 0 && one < rank),
    `axis ${axis} of rank ${rank}`,
  );
  must(new Set(axes).size === axes.length, `axis ${axis} twice`);
  return axes.sort((a, b) => a - b);
}

const reduced = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((n, axis) => (!axes.includes(axis) ? [n] : keepDims ? [1] : []));

function drawAxis(random: Generator, rank: number): Axis {
  if (rank === 0 || random.uniform() < 0.25) return random.uniform() < 0.3 ? [] : null;
  if (rank > 1 && random.uniform() < 0.2) {
    const first = random.below(rank);
    return [first, (first + 1 + random.below(rank - 1)) % rank];
  }
  return random.uniform() < 0.4 ? -1 : random.below(rank);
}

const countable = (x: Value): Value => (x.dtype === 'bool' || x.dtype === 'u8' ? converted(x, 'i32') : x);

interface ReductionRow {
  readonly f: (line: readonly Num[]) => Num;
  readonly integers: (line: readonly number[]) => number;
  readonly fits?: (x: Value) => boolean;
  readonly emptyIsFine?: boolean;
}

function extreme(line: readonly Num[], sign: number): Num {
  let best = line[0].v;
  for (const { v } of line) if (Number.isNaN(v) || sign * v > sign * best) best = v;
  if (line.some(({ v }) => Number.isNaN(v))) best = Number.NaN;
  // Equals share the gradient.
  const tied = line.filter(({ v }) => v === best).length;
  return node(best, 0, line, () => line.map(({ v }) => (v === best ? num(1 / tied) : null)));
}

const reductions: Record<string, ReductionRow> = {
  sum: {
    f: (line) => (line.length === 0 ? ZERO : line.length === 1 ? chosen(line[0]) : sum(line)),
    integers: (line) => line.reduce((a, b) => a + b, 0),
    emptyIsFine: true,
  },
  prod: {
    f: (line) => {
      const y = line.reduce(mul, num(1));
      return same(y.v, 2e-5 * Math.abs(y.v), y);
    },
    integers: (line) => line.reduce((a, b) => a * b, 1),
    fits: (x) => x.data.every(({ v }) => Math.abs(v) <= 3),
    emptyIsFine: true,
  },
  max: { f: (line) => extreme(line, 1), integers: (line) => Math.max(...line) },
  min: { f: (line) => extreme(line, -1), integers: (line) => Math.min(...line) },
  mean: {
    f: (line) => mul(sum(line), num(1 / line.length)),
    integers: () => 0,
  },
};

const reductionRow = (name: string, { f, integers, fits, emptyIsFine }: ReductionRow): OpRow => ({
  covers: name === 'sum' ? ['sum', 'reduceParts'] : [name],
  weight: name === 'sum' ? 2 : 0.7,
  theme: 'rows',
  choose(random, pool) {
    const x = pool.pick(fits ?? (() => true));
    return (
      x && {
        inputs: [x],
        attributes: { axis: drawAxis(random, x.value.shape.length), keepDims: random.uniform() < 0.4 },
      }
    );
  },
  walk([given], a) {
    const x = name === 'mean' ? converted(given, 'f32') : countable(given);
    const axes = normal(a.axis as Axis, x.shape.length);
    const shape = reduced(x.shape, axes, a.keepDims as boolean);
    must(emptyIsFine === true || x.data.length > 0, `${name} of nothing`);
    const all = x.data.length === 0 ? Array.from({ length: sizeOf(shape) }, () => []) : lines(x, axes);
    if (x.dtype === 'f32') return float(shape, all.map(f));
    return whole(
      shape,
      x.dtype,
      all.map((line: readonly Num[]) => integers(line.map(({ v }) => v)) + 0),
    );
  },
  code: ([x], a) => `${x}.${name}(${list(a.axis)}${a.keepDims ? ', { keepDims: true }' : ''})`,
});

const meanOf = (line: readonly Num[]): Num => mul(sum(line), num(1 / line.length));

const varianceOf = (line: readonly Num[]): Num => {
  const middle = meanOf(line);
  const d = line.map((x) => sub(x, middle));
  return mul(dot(d, d), num(1 / line.length));
};

/** √x whose gradient at 0 is 0. */
const rootOf = (x: Num): Num => (x.v === 0 ? step(0, x) : unary('sqrt', x));

/** Statistics of f32 over axes: functions, not methods. */
const statistics: Record<string, (line: readonly Num[]) => Num> = {
  variance: varianceOf,
  std: (line) => rootOf(varianceOf(line)),
  norm: (line) => rootOf(dot(line, line)),
  logSumExp: (line) => {
    const most = num(Math.max(...line.map(({ v }) => v)));
    const total = sum(line.map((x) => unary('exp', sub(x, most))));
    return add(unary('log', total), most);
  },
};

const statisticRow = (name: string, f: (line: readonly Num[]) => Num): OpRow => ({
  covers: [name],
  weight: 0.3,
  theme: 'rows',
  choose(random, pool) {
    const x = pool.pick(aRow);
    const axis = random.uniform() < 0.3 ? null : random.below(x?.value.shape.length ?? 1);
    return x && { inputs: [x], attributes: { axis, keepDims: random.uniform() < 0.4 } };
  },
  walk([x], a) {
    must(aRow(x), `${name} of nothing`);
    const axes = normal(a.axis as Axis, x.shape.length);
    return float(reduced(x.shape, axes, a.keepDims as boolean), lines(x, axes).map(f));
  },
  code: ([x], a) =>
    `W.${name}(${x}, ${name === 'norm' ? `'euclidean', ` : ''}${list(a.axis)}${a.keepDims ? ', true' : ''})`,
});

const positionRow = (name: string, sign: number): OpRow => ({
  covers: [name],
  weight: 0.4,
  theme: 'rows',
  choose(random, pool) {
    const x = pool.pick((one) => one.shape.length > 0 && one.data.length > 0);
    return (
      x && {
        inputs: [x],
        attributes: { axis: random.uniform() < 0.6 ? -1 : random.below(x.value.shape.length) },
      }
    );
  },
  walk([x], a) {
    must(x.shape.length > 0 && x.data.length > 0, `${name} of nothing`);
    const axes = normal(a.axis as Axis, x.shape.length);
    const best = lines(countable(x), axes).map((line) => {
      let at = 0;
      line.forEach(({ v }, i) => {
        if (!Number.isNaN(line[at].v) && (Number.isNaN(v) || sign * v > sign * line[at].v)) at = i;
      });
      return at;
    });
    return whole(reduced(x.shape, axes, false), 'i32', best);
  },
  code: ([x], a) => `${x}.${name}(${a.axis})`,
});

/** f of every line along one axis, put back in its place. */
function byLine(x: Value, axis: number, f: (line: readonly Num[]) => readonly Num[]): Value {
  const [along] = normal(axis, x.shape.length);
  const strides = stridesOf(x.shape);
  const data = new Array<Num>(x.data.length);
  each(
    x.shape.map((n, i) => (i === along ? 1 : n)),
    (index) => {
      const start = index.reduce((at, i, k) => at + i * strides[k], 0);
      const places = Array.from({ length: x.shape[along] }, (_, l) => start + l * strides[along]);
      f(places.map((at) => x.data[at])).forEach((one, l) => {
        data[places[l]] = one;
      });
    },
  );
  return float(x.shape, data);
}

const logSoftmaxLine = (line: readonly Num[]): Num[] => {
  const most = num(Math.max(...line.map(({ v }) => v)));
  const shifted = line.map((x) => sub(x, most));
  const lse = unary('log', sum(shifted.map((x) => unary('exp', x))));
  return shifted.map((x) => sub(x, lse));
};

const softmaxLine = (line: readonly Num[]): Num[] => {
  const most = num(Math.max(...line.map(({ v }) => v)));
  const e = line.map((x) => unary('exp', sub(x, most)));
  const total = sum(e);
  return e.map((one) => {
    const y = div(one, total);
    return same(y.v, 1e-5 * y.v + 1e-6, y);
  });
};

const rowsRow = (name: string, f: (line: readonly Num[]) => Num[]): OpRow => ({
  covers: [name],
  weight: 1,
  theme: 'rows',
  choose(random, pool) {
    const x = pool.pick((one) => isFloat(one) && one.shape.length > 0 && one.data.length > 0);
    return (
      x && {
        inputs: [x],
        attributes: { axis: random.uniform() < 0.75 ? -1 : random.below(x.value.shape.length) },
      }
    );
  },
  walk: ([x], a) => {
    must(x.shape.length > 0 && x.data.length > 0, `${name} of nothing`);
    return byLine(converted(x, 'f32'), a.axis as number, f);
  },
  code: ([x], a) => `${x}.${name}(${a.axis === -1 ? '' : a.axis})`,
});

/** Losses of rows: logits or probabilities, and targets. */
const crossEntropyLine = (logits: readonly Num[], t: readonly Num[]): Num => {
  const y = neg(dot(t, logSoftmaxLine(logits)));
  return same(y.v, 2e-5 * Math.abs(y.v) + 2e-5, y);
};

const rowPairs = (x: Value, t: Value, f: (x: readonly Num[], t: readonly Num[]) => Num): Value => {
  must(isSame(x.shape, t.shape) && x.shape.length > 0 && x.data.length > 0, 'rows of unlike shapes');
  const axis = [x.shape.length - 1];
  const targets = lines(t, axis);
  return float(
    x.shape.slice(0, -1),
    lines(x, axis).map((row, r) => f(row, targets[r])),
  );
};

const twinsOf = (pool: Pool, x: Named | null): Choice | null => {
  const t = x && pool.pick((one) => isFloat(one) && isSame(one.shape, x.value.shape));
  return t && { inputs: [x, t] };
};
const aRow = (one: Value): boolean => isFloat(one) && one.shape.length > 0 && one.data.length > 0;

const composite = (name: string, a: object, x: readonly string[]): string =>
  `W.registry.get('${name}').compute([${x.join(', ')}], ${JSON.stringify(a)})`;

const clipped = (p: Num): Num => {
  const v = Math.min(Math.max(p.v, 1e-7), 1 - 1e-7);
  return node(v, 0, [p], () => [v === p.v ? num(1) : null]);
};

const losses: Record<string, OpRow> = {
  softmaxCrossEntropy: {
    covers: ['softmaxCrossEntropy', 'softmaxCrossEntropyGradient'],
    weight: 1,
    theme: 'rows',
    choose: (_random, pool) => twinsOf(pool, pool.pick(aRow)),
    walk: ([x, t]) => rowPairs(converted(x, 'f32'), converted(t, 'f32'), crossEntropyLine),
    code: ([x, t]) => `W.softmaxCrossEntropy(${x}, ${t})`,
  },
  categoricalCrossentropy: {
    covers: ['categoricalCrossentropy'],
    weight: 0.3,
    theme: 'rows',
    choose: (_random, pool) =>
      twinsOf(
        pool,
        pool.pick((one) => aRow(one) && between(0.02, 2)(one)),
      ),
    walk: ([t, p]) => {
      must(between(0.01, 1e3)(p), 'no probabilities');
      return rowPairs(t, p, (truth, row) => {
        const total = sum(row);
        const logs = row.map((one) => unary('log', clipped(div(one, total))));
        return neg(dot(truth, logs));
      });
    },
    code: (x) => composite('categoricalCrossentropy', {}, [x[0], x[1]]),
  },
  sparseCategoricalCrossentropy: {
    covers: ['sparseCategoricalCrossentropy'],
    weight: 0.4,
    theme: 'rows',
    choose(_random, pool) {
      const p = pool.pick(aRow);
      const labels =
        p && pool.pick((one) => one.dtype === 'i32' && isSame(one.shape, p.value.shape.slice(0, -1)));
      return labels && { inputs: [labels, p] };
    },
    walk([labels, p]) {
      must(aRow(p) && isSame(labels.shape, p.shape.slice(0, -1)) && labels.dtype === 'i32', 'labels');
      const rows = lines(p, [p.shape.length - 1]);
      // A label outside is a row of zeros.
      const hot = labels.data.map(({ v }) =>
        Array.from({ length: p.shape.at(-1)! }, (_, c) => num(Number(c === v))),
      );
      return float(
        labels.shape,
        rows.map((row, r) => crossEntropyLine(row, hot[r])),
      );
    },
    code: (x) => composite('sparseCategoricalCrossentropy', { fromLogits: true }, x),
  },
  binaryCrossentropy: {
    covers: ['binaryCrossentropy'],
    weight: 0.3,
    choose: (_random, pool) => twinsOf(pool, pool.pick(aRow)),
    walk: ([t, x]) =>
      rowPairs(x, t, (row, truth) =>
        mul(sum(row.map((one, i) => sub(unary('softplus', one), mul(one, truth[i])))), num(1 / row.length)),
      ),
    code: (x) => composite('binaryCrossentropy', { fromLogits: true }, x),
  },
  meanSquaredError: {
    covers: ['meanSquaredError'],
    weight: 0.3,
    choose: (_random, pool) => twinsOf(pool, pool.pick(aRow)),
    walk: ([t, p]) =>
      rowPairs(t, p, (a, b) => {
        const d = a.map((one, i) => sub(one, b[i]));
        return mul(dot(d, d), num(1 / a.length));
      }),
    code: (x) => composite('meanSquaredError', {}, x),
  },
};

// ---- products

/** [batch…, M, K] · [batch…, K, N] after the transposes. */
function product(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  must(a.shape.length >= 2 && b.shape.length >= 2, 'matmul of a vector');
  const [rows, inner] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : a.shape.slice(-2);
  const [innerB, columns] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : b.shape.slice(-2);
  must(inner === innerB, 'inner sizes differ');
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  must(sizeOf(shape) <= 600 && sizeOf(shape) * inner <= 20_000, 'too much work');
  const dtype = promote(a.dtype, b.dtype, true);
  const [x, w] = [converted(a, dtype), converted(b, dtype)];
  const terms = each(shape, (index) => {
    const lead = index.slice(0, -2);
    const [m, n] = index.slice(-2);
    const at = (k: number): [Num, Num] => [
      pick(x, [...lead, ...(transposeA ? [k, m] : [m, k])]),
      pick(w, [...lead, ...(transposeB ? [n, k] : [k, n])]),
    ];
    const pairs = Array.from({ length: inner }, (_, k) => at(k));
    return [pairs.map(([p]) => p), pairs.map(([, q]) => q)] as const;
  });
  if (dtype === 'f32')
    return float(
      shape,
      terms.map(([p, q]) => (inner === 0 ? ZERO : dot(p, q))),
    );
  return whole(
    shape,
    dtype,
    terms.map(([p, q]) => p.reduce((total, one, k) => total + one.v * q[k].v, 0) + 0),
  );
}

const matmulRow: OpRow = {
  covers: ['matmul', 'matmulSlices'],
  weight: 4,
  choose(random, pool) {
    const x = pool.pick((one) => isNumber(one) && one.shape.length >= 2);
    if (!x) return null;
    const fits = pool.all.flatMap((y) =>
      [0, 1, 2, 3].flatMap((bits) => {
        const attributes = { transposeA: (bits & 1) > 0, transposeB: (bits & 2) > 0 };
        if (!isNumber(y.value) || y.value.shape.length < 2) return [];
        const inner = x.value.shape.at(attributes.transposeA ? -2 : -1);
        return inner === y.value.shape.at(attributes.transposeB ? -1 : -2)
          ? [{ inputs: [x, y], attributes }]
          : [];
      }),
    );
    return fits.length > 0 ? random.pick(fits) : null;
  },
  walk: ([x, y], a) => product(x, y, a.transposeA === true, a.transposeB === true),
  code: ([x, y], { transposeA, transposeB }) => {
    const options = [transposeA && 'transposeA: true', transposeB && 'transposeB: true'].filter(Boolean);
    return `${x}.matmul(${y}${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`;
  },
};

// ---- movement

/** Other shapes of the same size. */
function otherShape(random: Generator, shape: Shape): number[] {
  const size = sizeOf(shape);
  if (size === 0) return [...shape].reverse();
  const divisors = Array.from({ length: Math.min(size, 40) }, (_, i) => i + 1).filter((n) => size % n === 0);
  const first = random.pick(divisors);
  if (random.uniform() < 0.3) return [first, size / first];
  if (random.uniform() < 0.2) return [size];
  const rest = size / first;
  const second = random.pick(divisors.filter((n) => rest % n === 0));
  return random.uniform() < 0.5 ? [first, second, rest / second] : [first * second, rest / second];
}

const viewsTable: Record<string, OpRow> = {
  reshape: {
    covers: ['reshape'],
    weight: 1.5,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(() => true);
      return x && { inputs: [x], attributes: { shape: otherShape(random, x.value.shape) } };
    },
    walk([x], a) {
      must(sizeOf(a.shape as Shape) === x.data.length, 'reshape to another size');
      return moved(a.shape as Shape, x, x.data);
    },
    code: ([x], a) => `${x}.reshape(${list(a.shape)})`,
  },
  flatten: {
    covers: [],
    weight: 0.3,
    theme: 'views',
    choose: (_random, pool) => {
      const x = pool.pick(({ data }) => data.length > 0);
      return x && { inputs: [x] };
    },
    walk([x]) {
      must(x.data.length > 0, 'flatten of nothing');
      return moved([x.data.length], x, x.data);
    },
    code: ([x]) => `${x}.flatten()`,
  },
  expandDims: {
    covers: [],
    weight: 0.4,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(({ shape }) => shape.length < 4);
      return x && { inputs: [x], attributes: { axis: random.below(x.value.shape.length + 1) } };
    },
    walk([x], a) {
      const axis = a.axis as number;
      must(axis <= x.shape.length, 'axis');
      return moved([...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)], x, x.data);
    },
    code: ([x], a) => `${x}.expandDims(${a.axis})`,
  },
  squeeze: {
    covers: [],
    weight: 0.4,
    theme: 'views',
    choose: (_random, pool) => {
      const x = pool.pick(({ shape }) => shape.includes(1));
      return x && { inputs: [x] };
    },
    walk: ([x]) =>
      moved(
        x.shape.filter((n) => n !== 1),
        x,
        x.data,
      ),
    code: ([x]) => `${x}.squeeze()`,
  },
  transpose: {
    covers: ['transpose'],
    weight: 1.2,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(({ shape }) => shape.length >= 2);
      if (!x) return null;
      const permutation = x.value.shape.map((_, i) => i);
      for (let i = permutation.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [permutation[i], permutation[j]] = [permutation[j], permutation[i]];
      }
      return { inputs: [x], attributes: { permutation } };
    },
    walk([x], a) {
      const order = a.permutation as number[];
      must(order.length === x.shape.length, 'permutation');
      const strides = stridesOf(x.shape);
      const shape = order.map((axis) => x.shape[axis]);
      return moved(
        shape,
        x,
        each(shape, (index) => x.data[index.reduce((at, i, k) => at + i * strides[order[k]], 0)]),
      );
    },
    code: ([x], a) => `${x}.transpose(${list(a.permutation)})`,
  },
  slice: {
    covers: ['slice'],
    weight: 1.2,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(({ shape }) => shape.length > 0 && sizeOf(shape) > 1);
      if (!x) return null;
      const begin = x.value.shape.map((n) => (random.uniform() < 0.5 ? 0 : random.below(n)));
      const size = x.value.shape.map((n, i) =>
        random.uniform() < 0.5 ? n - begin[i] : 1 + random.below(n - begin[i]),
      );
      return { inputs: [x], attributes: { begin, size } };
    },
    walk([x], a) {
      const [begin, size] = [a.begin as number[], a.size as number[]];
      must(
        begin.length === x.shape.length && begin.every((b, i) => b + size[i] <= x.shape[i]),
        'slice outside',
      );
      const strides = stridesOf(x.shape);
      return moved(
        size,
        x,
        each(size, (index) => x.data[index.reduce((at, i, k) => at + (i + begin[k]) * strides[k], 0)]),
      );
    },
    code: ([x], a) => `${x}.slice(${list(a.begin)}, ${list(a.size)})`,
  },
  broadcastTo: {
    covers: ['broadcastTo'],
    weight: 0.5,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(({ shape }) => shape.length < 3 && sizeOf(shape) <= 60);
      if (!x) return null;
      const shape = x.value.shape.map((n) => (n === 1 ? 1 + random.below(4) : n));
      return { inputs: [x], attributes: { shape: random.uniform() < 0.5 ? [2, ...shape] : shape } };
    },
    walk([x], a) {
      const shape = a.shape as number[];
      must(isSame(broadcast(x.shape, shape), shape), 'broadcastTo');
      return moved(
        shape,
        x,
        each(shape, (index) => pick(x, index)),
      );
    },
    code: ([x], a) => `${x}.broadcastTo(${list(a.shape)})`,
  },
  pad: {
    covers: ['pad'],
    weight: 0.5,
    choose(random, pool) {
      const x = pool.pick(({ shape, data }) => shape.length > 0 && data.length > 0 && data.length <= 200);
      return (
        x && {
          inputs: [x],
          attributes: { paddings: x.value.shape.map(() => [random.below(3), random.below(2)]) },
        }
      );
    },
    walk([x], a) {
      const paddings = a.paddings as [number, number][];
      must(paddings.length === x.shape.length, 'paddings');
      const shape = x.shape.map((n, i) => n + paddings[i][0] + paddings[i][1]);
      must(sizeOf(shape) <= 800, 'too large');
      const strides = stridesOf(x.shape);
      return moved(
        shape,
        x,
        each(shape, (index) => {
          const from = index.map((i, k) => i - paddings[k][0]);
          const inside = from.every((i, k) => i >= 0 && i < x.shape[k]);
          return inside ? x.data[from.reduce((at, i, k) => at + i * strides[k], 0)] : ZERO;
        }),
      );
    },
    code: ([x], a) => `${x}.pad(${list(a.paddings)})`,
  },
  concat: {
    covers: ['concat'],
    weight: 1,
    theme: 'views',
    choose(random, pool) {
      const x = pool.pick(({ shape }) => shape.length > 0);
      if (!x) return null;
      const axis = random.below(x.value.shape.length);
      const inputs = [x];
      const count = random.uniform() < 0.8 ? 1 + random.below(3) : 3 + random.below(6);
      for (let i = 0; i < count; i++) {
        const y = pool.pick(
          ({ shape }) =>
            shape.length === x.value.shape.length &&
            shape.every((n, k) => k === axis || n === x.value.shape[k]),
        );
        if (y) inputs.push(y);
      }
      return { inputs, attributes: { axis } };
    },
    walk(inputs, a) {
      const axis = a.axis as number;
      const [first] = inputs;
      must(axis < first.shape.length, 'axis');
      for (const { shape } of inputs)
        must(
          shape.length === first.shape.length && shape.every((n, k) => k === axis || n === first.shape[k]),
          'concat of unlike shapes',
        );
      const dtype = inputs.reduce<DType>((so, x) => promote(so, x.dtype, false), first.dtype);
      const all = inputs.map((x) => converted(x, dtype));
      const shape = first.shape.map((n, k) =>
        k === axis ? all.reduce((so, x) => so + x.shape[axis], 0) : n,
      );
      must(sizeOf(shape) <= 800, 'too large');
      return moved(
        shape,
        all[0],
        each(shape, (index) => {
          let i = index[axis];
          for (const x of all) {
            if (i < x.shape[axis]) {
              const strides = stridesOf(x.shape);
              return x.data[index.reduce((at, own, k) => at + (k === axis ? i : own) * strides[k], 0)];
            }
            i -= x.shape[axis];
          }
          throw new Error('beyond the last');
        }),
      );
    },
    code: (x, a) => `W.concat([${x.join(', ')}], ${a.axis})`,
  },
  stack: {
    covers: [],
    weight: 0.4,
    choose(random, pool) {
      const x = pool.pick(({ shape, data }) => shape.length < 4 && data.length <= 100);
      if (!x) return null;
      const inputs = [x];
      const count = 1 + random.below(5);
      for (let i = 0; i < count; i++) {
        const y = pool.pick((one) => one.dtype === x.value.dtype && isSame(one.shape, x.value.shape));
        if (y) inputs.push(y);
      }
      return { inputs, attributes: { axis: random.below(x.value.shape.length + 1) } };
    },
    walk(inputs, a) {
      const axis = a.axis as number;
      must(axis <= inputs[0].shape.length, 'axis');
      const rows = inputs.map((x) => ({
        ...x,
        shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)],
      }));
      return viewsTable.concat.walk(rows, { axis });
    },
    code: (x, a) => `W.stack([${x.join(', ')}], ${a.axis})`,
  },
  gather: {
    covers: ['gather', 'scatterSum'],
    weight: 1,
    theme: 'bytes',
    choose(random, pool) {
      const x = pool.pick(({ shape, data }) => shape.length > 0 && data.length > 0);
      if (!x) return null;
      const axis = random.uniform() < 0.7 ? 0 : random.below(x.value.shape.length);
      const extent = x.value.shape[axis];
      const known = pool.pick(
        (one) =>
          one.dtype === 'i32' &&
          one.shape.length <= 1 &&
          one.data.length > 0 &&
          one.data.every(({ v }) => v >= 0 && v < extent),
      );
      if (known && random.uniform() < 0.4) return { inputs: [x, known], attributes: { axis } };
      const count = 1 + random.below(Math.min(extent + 2, 8));
      return {
        inputs: [x],
        attributes: { axis, rows: Array.from({ length: count }, () => random.below(extent)) },
      };
    },
    walk([x, given], a) {
      const axis = a.axis as number;
      must(axis < x.shape.length, 'axis');
      const indices: Value = given ?? whole([(a.rows as number[]).length], 'i32', a.rows as number[]);
      must(
        indices.dtype === 'i32' && indices.data.every(({ v }) => v >= 0 && v < x.shape[axis]),
        'index outside',
      );
      const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
      must(sizeOf(shape) <= 800, 'too large');
      const strides = stridesOf(x.shape);
      const rank = indices.shape.length;
      return moved(
        shape,
        x,
        each(shape, (index) => {
          const row = pick(indices, index.slice(axis, axis + rank)).v;
          const from = [...index.slice(0, axis), row, ...index.slice(axis + rank)];
          return x.data[from.reduce((at, i, k) => at + i * strides[k], 0)];
        }),
      );
    },
    code: ([x, indices], a) => `${x}.gather(${indices ?? list(a.rows)}${a.axis === 0 ? '' : `, ${a.axis}`})`,
  },
};

const others: Record<string, OpRow> = {
  where: {
    covers: ['where'],
    weight: 0.8,
    choose(random, pool) {
      const c = pool.pick(({ dtype }) => dtype === 'bool');
      const choice = c && partner(random, pool, c, isFloat);
      const x = choice?.inputs.find((one) => one !== c);
      const second = x && partner(random, pool, x, isFloat);
      const y = second?.inputs.find((one) => one !== x);
      return c && x && y ? { inputs: [c, x, y] } : null;
    },
    walk([c, a, b]) {
      const dtype = promote(a.dtype, b.dtype, false);
      const [x, y] = [converted(a, dtype), converted(b, dtype)];
      const shape = broadcast(c.shape, x.shape, y.shape);
      must(sizeOf(shape) <= 800, 'too large');
      return moved(
        shape,
        x,
        each(shape, (index) => (pick(c, index).v !== 0 ? pick(x, index) : pick(y, index))),
      );
    },
    code: ([c, x, y]) => `W.where(${c}, ${x}, ${y})`,
  },
  logicalNot: {
    covers: ['logicalNot'],
    weight: 0.15,
    choose: (_random, pool) => {
      const x = pool.pick(() => true);
      return x && { inputs: [x] };
    },
    walk: ([x]) =>
      whole(
        x.shape,
        'bool',
        converted(x, 'bool').data.map(({ v }) => 1 - v),
      ),
    code: ([x]) => `${x}.logicalNot()`,
  },
  cast: {
    covers: ['cast'],
    weight: 1,
    theme: 'bytes',
    choose(random, pool) {
      const x = pool.pick(({ dtype }) => dtype !== 'f32') ?? pool.pick(() => true);
      return (
        x && {
          inputs: [x],
          attributes: { dtype: random.uniform() < 0.6 ? 'f32' : random.pick(['i32', 'bool', 'u8', 'u32']) },
        }
      );
    },
    walk([x], a) {
      const y = converted(x, a.dtype as DType);
      return y === x ? moved(x.shape, x, x.data) : y;
    },
    code: ([x], a) => `${x}.cast('${a.dtype}')`,
  },
  clip: {
    covers: ['clip'],
    weight: 0.6,
    choose(random, pool) {
      const x = pool.pick(isFloat);
      return (
        x && { inputs: [x], attributes: { low: random.pick([-1, -0.5, 0]), high: random.pick([0.75, 1, 2]) } }
      );
    },
    walk([x], a) {
      const [low, high] = [a.low as number, a.high as number];
      must(x.dtype === 'f32', 'clip of whole numbers');
      return float(
        x.shape,
        x.data.map((one) => {
          const inside = one.v >= low && one.v <= high;
          const v = Math.min(Math.max(one.v, low), high);
          return node(v, 0, [one], () => [inside ? num(1) : null]);
        }),
      );
    },
    code: ([x], a) => `${x}.clip(${a.low}, ${a.high})`,
  },
  half: {
    covers: ['half', 'storedHalf'],
    weight: 0.3,
    choose: (_random, pool) => {
      const x = pool.pick(isFloat);
      return x && { inputs: [x] };
    },
    walk: ([x]) =>
      float(
        x.shape,
        // Either neighbour is a right rounding; the blur covers both.
        converted(x, 'f32').data.map((one) => same(one.v, 2 ** -10 * Math.abs(one.v) + 2 ** -14, one)),
      ),
    code: ([x]) => `W.half(${x})`,
  },
  oneHot: {
    covers: ['oneHot'],
    weight: 0.4,
    choose(random, pool) {
      const x = pool.pick(({ dtype, data }) => dtype === 'i32' && data.length <= 60);
      return (
        x && {
          inputs: [x],
          attributes: {
            depth: 2 + random.below(5),
            on: random.pick([1, 1, 2]),
            off: random.pick([0, 0, -1]),
          },
        }
      );
    },
    walk([x], a) {
      const depth = a.depth as number;
      must(x.dtype === 'i32', 'indices');
      const shape = [...x.shape, depth];
      return float(
        shape,
        each(shape, (index) =>
          num((pick(x, index.slice(0, -1)).v === index.at(-1) ? a.on : a.off) as number),
        ),
      );
    },
    code: ([x], a) => `${x}.oneHot(${a.depth}, ${a.on}, ${a.off})`,
  },
  fill: {
    covers: ['fill'],
    weight: 0.3,
    choose: (random, pool) => {
      const x = pool.pick(() => true);
      return x && { inputs: [], attributes: { shape: x.value.shape, value: random.pick([0, 1, 1.5, -2]) } };
    },
    walk: (_inputs, a) =>
      float(
        a.shape as Shape,
        each(a.shape as Shape, () => num(a.value as number)),
      ),
    code: (_x, a) => `W.fill(${list(a.shape)}, ${a.value})`,
  },
  iota: {
    covers: ['iota'],
    weight: 0.2,
    choose: (random, pool) => {
      const x = pool.pick(({ shape }) => shape.length === 1 && shape[0] > 0);
      return { inputs: [], attributes: { size: x?.value.shape[0] ?? 1 + random.below(6) } };
    },
    walk: (_inputs, a) =>
      whole(
        [a.size as number],
        'i32',
        Array.from({ length: a.size as number }, (_, i) => i),
      ),
    code: (_x, a) => `W.iota(${a.size})`,
  },
  stopGradient: {
    covers: ['stopGradient'],
    weight: 0.4,
    theme: 'identity',
    choose: (_random, pool) => {
      const x = pool.pick(isFloat);
      return x && { inputs: [x] };
    },
    walk: ([x]) => {
      must(isFloat(x), 'whole numbers');
      return float(
        x.shape,
        x.data.map(({ v }) => num(v)),
      );
    },
    code: ([x]) => `W.stopGradient(${x})`,
  },
  positive: {
    covers: [],
    weight: 0.8,
    choose: (_random, pool) => {
      const x = pool.pick(isFloat);
      return x && { inputs: [x] };
    },
    walk: ([x]) =>
      float(
        x.shape,
        x.data.map((one) => add(unary('abs', one), num(0.5))),
      ),
    code: ([x]) => `${x}.abs().add(0.5)`,
  },
};

/** Ways to do nothing: their results are values, not other names of a variable. */
const nothings: Record<string, (x: string, shape: Shape) => string> = {
  reshapeSame: (x, shape) => `${x}.reshape(${list(shape)})`,
  sliceAll: (x, shape) => `${x}.slice(${list(shape.map(() => 0))})`,
  transposeNone: (x, shape) => `${x}.transpose(${list(shape.map((_, i) => i))})`,
  broadcastSame: (x, shape) => `${x}.broadcastTo(${list(shape)})`,
  castSame: (x) => `${x}.cast('f32')`,
  padNothing: (x, shape) => `${x}.pad(${list(shape.map(() => [0, 0]))})`,
  concatOne: (x, shape) => (shape.length > 0 ? `W.concat([${x}], 0)` : `${x}.mul(1)`),
  timesOne: (x) => `${x}.mul(1)`,
  plusNothing: (x) => `${x}.add(0)`,
  sumOverNothing: (x) => `${x}.sum([])`,
};

const nothingRow = (name: string): OpRow => ({
  covers: ['value'],
  weight: 0.12,
  theme: 'identity',
  choose(_random, pool) {
    const x = pool.pick(isFloat);
    return x && { inputs: [x], attributes: { shape: x.value.shape } };
  },
  walk([x], a) {
    must(x.dtype === 'f32' && isSame(a.shape as Shape, x.shape), 'not the same');
    return moved(x.shape, x, x.data);
  },
  code: ([x], a) => nothings[name](x, a.shape as Shape),
});

const rowsOf = <T>(table: Record<string, T>, make: (name: string, row: T) => OpRow): Record<string, OpRow> =>
  Object.fromEntries(Object.entries(table).map(([name, row]) => [name, make(name, row)]));

const table: Readonly<Record<string, OpRow>> = {
  ...Object.fromEntries(unaryNames.map((name) => [name, unaryRow(name)])),
  ...rowsOf(binaryTable, binaryRow),
  ...rowsOf(comparisons, comparisonRow),
  ...rowsOf(connectives, connectiveRow),
  ...rowsOf(reductions, reductionRow),
  ...rowsOf(statistics, statisticRow),
  argMax: positionRow('argMax', 1),
  argMin: positionRow('argMin', -1),
  softmax: rowsRow('softmax', softmaxLine),
  logSoftmax: rowsRow('logSoftmax', logSoftmaxLine),
  ...losses,
  matmul: matmulRow,
  ...viewsTable,
  ...others,
  ...rowsOf(nothings, nothingRow),
};

/** Entries of the registry that no program calls, with the reason. */
export const uncalled: Readonly<Record<string, string>> = {
  identity: 'plans make it',
  randomUniform: 'its numbers have tests of their own; a walk cannot foresee them',
  randomNormal: 'as above',
  sgdLinear: 'a walk of thousands of steps, with tests of its own',
};

/** Those that are written here, not made of twins. */
export const written = Object.keys(table);

const known = new Set([...Object.values(table).flatMap(({ covers }) => covers), ...Object.keys(uncalled)]);

export const ops: Readonly<Record<string, OpRow>> = { ...table, ...rowsFor(known) };
