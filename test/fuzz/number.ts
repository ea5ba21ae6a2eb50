/**
 * Float64 numbers that know how they were made: the walk's own arithmetic. Each can be differentiated, as often
 * as wanted, and each can be made a little wrong, as an f32 device may be wrong. Imports nothing of Weft.
 *
 * `blurred` runs a function while every operation errs by a random share of what it is allowed. How far results
 * then move is the tolerance of a whole program: computed, not chosen (Monte Carlo arithmetic, Parker 1997).
 */
import { type Generator, generator } from '../reference/random.ts';

export class Num {
  readonly v: number;
  /** The numbers it was made of. */
  readonly from: readonly Num[];
  /** ∂this/∂from, as numbers that can be differentiated again; null is 0. */
  readonly slopes: (() => readonly (Num | null)[]) | null;
  /** Order of making, hence a topological order. */
  readonly id = ++made;

  constructor(v: number, from: readonly Num[] = [], slopes: (() => readonly (Num | null)[]) | null = null) {
    this.v = v;
    this.from = from;
    this.slopes = slopes;
  }
}

let made = 0;
let blur: { random: Generator; factor: number } | null = null;

/** Runs f while operations err at random, up to `factor` times what they may. */
export function blurred<T>(seed: number, factor: number, f: () => T): T {
  const before = blur;
  blur = { random: generator(seed), factor };
  try {
    return f();
  } finally {
    blur = before;
  }
}

/** v, off by up to `error` while the walk is blurred. */
const off = (v: number, error: number): number =>
  blur && error > 0 && Number.isFinite(error) ? v + blur.factor * error * (2 * blur.random.uniform() - 1) : v;

/** WGSL lets an operation round up or down. */
const ULP = 2 ** -23;

export const num = (v: number): Num => new Num(v);
const ONE = num(1);
const MINUS_ONE = num(-1);
export const ZERO = num(0);

/** A new number made by one operation. */
export const node = (
  v: number,
  error: number,
  from: readonly Num[],
  slopes: () => readonly (Num | null)[],
): Num => new Num(off(v, error), from, slopes);

/** What has only steps: a path for gradients, along which nothing comes. */
export const step = (v: number, ...from: Num[]): Num => new Num(v, from, () => from.map(() => null));

/** x itself, rounded or kept with an error: the gradient passes. */
export const same = (v: number, error: number, x: Num): Num => node(v, error, [x], () => [ONE]);

export const add = (a: Num, b: Num): Num => {
  const v = a.v + b.v;
  return node(v, ULP * Math.abs(v), [a, b], () => [ONE, ONE]);
};
export const sub = (a: Num, b: Num): Num => {
  const v = a.v - b.v;
  return node(v, ULP * Math.abs(v), [a, b], () => [ONE, MINUS_ONE]);
};
export const neg = (a: Num): Num => node(-a.v, 0, [a], () => [MINUS_ONE]);
export const mul = (a: Num, b: Num): Num => {
  const v = a.v * b.v;
  return node(v, ULP * Math.abs(v), [a, b], () => [b, a]);
};
export const div = (a: Num, b: Num): Num => {
  const v = a.v / b.v;
  return node(v, 1e-6 * Math.abs(v), [a, b], () => [div(ONE, b), neg(div(a, mul(b, b)))]);
};

/** Σ x. The order is the device's own, so the error goes by Σ |x|. */
export function sum(x: readonly Num[]): Num {
  if (x.length === 1) return x[0];
  let v = 0;
  let size = 0;
  for (const one of x) {
    v += one.v;
    size += Math.abs(one.v);
  }
  return node(v, ULP * Math.sqrt(x.length) * size, x, () => x.map(() => ONE));
}

/** Σ a · b */
export function dot(a: readonly Num[], b: readonly Num[]): Num {
  let v = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    v += a[i].v * b[i].v;
    size += Math.abs(a[i].v * b[i].v);
  }
  return node(v, ULP * Math.sqrt(a.length + 1) * size, [...a, ...b], () => [...b, ...a]);
}

/**
 * ∂(Σ of · seed)/∂wrt. Null for a target to which no path leads. Contributions of a slope that is 0 by definition
 * are left out, so that they bring no 0 · ∞.
 */
export function differentiate(
  of: readonly Num[],
  seed: readonly Num[],
  wrt: readonly (readonly Num[])[],
): (Num[] | null)[] {
  const depends = new Set<Num>(wrt.flat());
  const targets = new Set(depends);
  const seen = new Set<Num>();
  const stack = [...of];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (seen.has(x)) continue;
    seen.add(x);
    for (const one of x.from) stack.push(one);
  }
  const order = [...seen].sort((a, b) => a.id - b.id);
  for (const x of order) if (x.from.some((one) => depends.has(one))) depends.add(x);

  const parts = new Map<Num, Num[]>();
  const push = (x: Num, g: Num) => {
    const list = parts.get(x);
    if (list) list.push(g);
    else parts.set(x, [g]);
  };
  of.forEach((x, i) => {
    push(x, seed[i]);
  });
  const arrived = new Map<Num, Num>();
  for (let at = order.length - 1; at >= 0; at--) {
    const x = order[at];
    const list = parts.get(x);
    if (!list) continue;
    const g = sum(list);
    if (targets.has(x)) arrived.set(x, g);
    if (!x.slopes || !x.from.some((one) => depends.has(one))) continue;
    const slopes = x.slopes();
    x.from.forEach((one, i) => {
      const slope = slopes[i];
      if (!slope || !depends.has(one)) return;
      push(one, slope === ONE ? g : slope === MINUS_ONE ? neg(g) : mul(g, slope));
    });
  }
  return wrt.map((list) => {
    if (!list.some((x) => seen.has(x))) return null;
    return list.map((x) => arrived.get(x) ?? ZERO);
  });
}

interface Row {
  readonly f: (x: number) => number;
  /** dy/dx, or null for what has only steps. */
  readonly slope: ((x: Num, y: Num) => Num | null) | null;
  /** The error allowed of f(x) = y. */
  readonly error: (y: number, x: number) => number;
}

const exact = () => 0;
const within =
  (relative: number, absolute = 0) =>
  (y: number) =>
    relative * Math.abs(y) + absolute;
const root = within(1e-6);
const smooth = within(1e-5, 1e-6);
/** WGSL allows exp (3 + 2 |x|) units in the last place. */
const growing = (y: number, x: number) =>
  Math.max(1e-5, (3 + 2 * Math.abs(x)) * ULP) * Math.abs(y) + 1e-6 * Math.min(1, Math.abs(y) + 0.01);
const wave = within(0, 5e-7);

const sigmoid64 = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const softplus64 = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** "Self-Normalizing Neural Networks" (Klambauer et al. 2017). */
const ALPHA = 1.6732632423543772;
const SCALE = 1.0507009873554805;

/** erf by its series: within 1e-12 for |x| < 4, and beyond it is ±1. */
function erf64(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 4) return Math.sign(x);
  let total = x;
  let term = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 * total) / Math.sqrt(Math.PI);
}

const when = (condition: boolean, y: Num | null = ONE): Num | null => (condition ? y : null);

const table: Readonly<Record<string, Row>> = {
  neg: { f: (x) => -x, slope: () => MINUS_ONE, error: exact },
  abs: { f: Math.abs, slope: (x) => when(x.v !== 0, num(Math.sign(x.v))), error: exact },
  sign: { f: Math.sign, slope: null, error: exact },
  floor: { f: Math.floor, slope: null, error: exact },
  ceil: { f: Math.ceil, slope: null, error: exact },
  square: { f: (x) => x * x, slope: (x) => mul(x, num(2)), error: within(3e-7) },
  sqrt: { f: Math.sqrt, slope: (_x, y) => div(num(0.5), y), error: root },
  rsqrt: { f: (x) => 1 / Math.sqrt(x), slope: (x, y) => mul(div(y, x), num(-0.5)), error: root },
  reciprocal: { f: (x) => 1 / x, slope: (_x, y) => neg(mul(y, y)), error: root },
  exp: { f: Math.exp, slope: (_x, y) => y, error: growing },
  expm1: { f: Math.expm1, slope: (_x, y) => add(y, ONE), error: (y, x) => growing(y, x) + 1e-6 },
  log: { f: Math.log, slope: (x) => div(ONE, x), error: smooth },
  log1p: { f: Math.log1p, slope: (x) => div(ONE, add(x, ONE)), error: smooth },
  sin: { f: Math.sin, slope: (x) => unary('cos', x), error: wave },
  cos: { f: Math.cos, slope: (x) => neg(unary('sin', x)), error: wave },
  tanh: { f: Math.tanh, slope: (_x, y) => sub(ONE, mul(y, y)), error: within(1e-5, 2e-5) },
  sigmoid: { f: sigmoid64, slope: (_x, y) => mul(y, sub(ONE, y)), error: smooth },
  softplus: { f: softplus64, slope: (x) => unary('sigmoid', x), error: smooth },
  logSigmoid: { f: (x) => -softplus64(-x), slope: (x) => unary('sigmoid', neg(x)), error: smooth },
  softsign: {
    f: (x) => x / (1 + Math.abs(x)),
    slope: (x) => {
      const d = add(unary('abs', x), ONE);
      return div(ONE, mul(d, d));
    },
    error: root,
  },
  relu: { f: (x) => Math.max(x, 0), slope: (x) => when(x.v > 0), error: exact },
  relu6: { f: (x) => Math.min(Math.max(x, 0), 6), slope: (x) => when(x.v > 0 && x.v < 6), error: exact },
  elu: {
    f: (x) => (x < 0 ? Math.expm1(x) : x),
    slope: (x, y) => (x.v < 0 ? add(y, ONE) : ONE),
    error: (y, x) => (x < 0 ? smooth(y) : 0),
  },
  selu: {
    f: (x) => SCALE * (x < 0 ? ALPHA * Math.expm1(x) : x),
    slope: (x, y) => (x.v < 0 ? add(y, num(SCALE * ALPHA)) : num(SCALE)),
    error: smooth,
  },
  erf: {
    f: erf64,
    slope: (x) => mul(unary('exp', neg(mul(x, x))), num(2 / Math.sqrt(Math.PI))),
    error: within(1e-5, 2e-6),
  },
};

export const unaryNames = Object.keys(table);

/** A function of one number. */
export function unary(name: string, x: Num): Num {
  const { f, slope, error } = table[name];
  const v = f(x.v);
  if (!slope) return step(v, x);
  const y: Num = node(v, error(v, x.v), [x], () => [slope(x, y)]);
  return y;
}

/** aᵇ. The gradient for b at a ≤ 0 is 0, for a at b = 0 as well. */
export function pow(a: Num, b: Num): Num {
  const v = a.v ** b.v;
  const y: Num = node(v, 1e-4 * Math.abs(v) + 1e-6, [a, b], () => [
    b.v === 0 ? null : mul(b, pow(a, sub(b, ONE))),
    a.v > 0 ? mul(y, unary('log', a)) : null,
  ]);
  return y;
}
