/**
 * A random program as data, and the walk that says what it must print: in float64, statement by statement, in the
 * order in which it is written. The walk knows nothing of graphs, plans, fusion or memory.
 */
import { blurred, differentiate, num, same } from './number.ts';
import { type Attributes, type Named, ops } from './ops.ts';
import { type DType, Misfit, must, type Shape, type Value } from './value.ts';

/** What a captured function gives back: names, in lists and objects. */
export type Tree = string | readonly Tree[] | { readonly [key: string]: Tree };

export type Statement =
  | { do: 'data'; to: string; shape: Shape; dtype: DType; values: readonly number[] }
  | { do: 'variable'; to: string; shape: Shape; dtype: DType; values: readonly number[] }
  | { do: 'op'; to: string; op: string; inputs: readonly string[]; attributes: Attributes }
  /** ∂(Σ of²)/∂wrt, or ∂(Σ of)/∂wrt. */
  | { do: 'gradients'; to: readonly string[]; of: string; squared: boolean; wrt: readonly string[] }
  | { do: 'assign'; variable: string; value: string; awaited: boolean }
  /** Times over, without a read: x ← x · factor + offset. */
  | { do: 'chain'; to: string; from: string; times: number; factor: number; offset: number }
  | { do: 'assignChain'; variable: string; times: number; factor: number; offset: number }
  | { do: 'step'; to: string; params: readonly string[]; body: readonly Statement[]; result: Tree }
  /** `to` are the leaves of the result, in order. Not awaited, they are there after `settle`. */
  | { do: 'call'; step: string; args: readonly string[]; to: readonly string[]; awaited: boolean }
  | { do: 'replay'; step: string; times: number }
  | { do: 'settle' }
  /** Several are read at once. */
  | { do: 'read'; of: readonly string[] }
  | { do: 'dispose'; of: string };

export interface Program {
  readonly seed: number;
  readonly statements: readonly Statement[];
}

export type Step = Extract<Statement, { do: 'step' }>;

/** The names of a result, in order. */
export const leavesOf = (tree: Tree): string[] =>
  typeof tree === 'string' ? [tree] : Object.values(tree).flatMap(leavesOf);

/** What one read must give. */
export interface Reading {
  readonly name: string;
  readonly value: Value;
  /** A tensor that it was made of was disposed of: a DisposedError is an answer too. */
  readonly mayRefuse: boolean;
}

/** The same numbers without a past. */
const bare = (x: Value): Value => ({ ...x, data: x.data.map(({ v }) => num(v)) });

export class Walk {
  readonly values = new Map<string, Value>();
  readonly variables = new Set<string>();
  readonly steps = new Map<string, Step>();
  readonly readings: Reading[] = [];
  /** Results of calls that were not awaited. */
  #pending: [string, Value][] = [];
  /** What each name was made of and still waits for. */
  readonly #sources = new Map<string, Set<string>>();
  readonly #gone = new Set<string>();

  get(name: string): Value {
    const value = this.values.get(name);
    must(value !== undefined, `${name} is not there`);
    return value;
  }

  /** Everything that can be an operand now. */
  named(names: Iterable<string> = this.values.keys()): Named[] {
    return [...names].flatMap((name) => {
      const value = this.values.get(name);
      return value ? [{ name, value }] : [];
    });
  }

  mayRefuse(name: string): boolean {
    return [...(this.#sources.get(name) ?? [])].some((one) => this.#gone.has(one));
  }

  #set(name: string, value: Value, ...from: string[]): void {
    this.values.set(name, value);
    const sources = new Set([name]);
    for (const one of from) for (const deep of this.#sources.get(one) ?? []) sources.add(deep);
    this.#sources.set(name, sources);
  }

  run(statements: readonly Statement[]): this {
    for (const one of statements) this.do(one);
    return this;
  }

  do(s: Statement): void {
    switch (s.do) {
      case 'data':
      case 'variable': {
        this.#set(s.to, { shape: s.shape, dtype: s.dtype, data: s.values.map(num) });
        if (s.do === 'variable') this.variables.add(s.to);
        return;
      }
      case 'op': {
        const inputs = s.inputs.map((name) => this.get(name));
        this.#set(s.to, ops[s.op].walk(inputs, s.attributes), ...s.inputs);
        return;
      }
      case 'gradients': {
        const of = this.get(s.of);
        must(of.dtype === 'f32', 'a gradient of whole numbers');
        const wrt = s.wrt.map((name) => this.get(name));
        const seed = of.data.map((one) => (s.squared ? num(2 * one.v) : num(1)));
        // d(Σ y²) = 2 y dy, and y is not a constant of it.
        const root = s.squared ? ops.mul.walk([of, of], {}) : of;
        const g = differentiate(
          root.data,
          s.squared ? root.data.map(() => num(1)) : seed,
          wrt.map(({ data }) => data),
        );
        s.to.forEach((name, i) => {
          const one = g[i];
          must(one !== null, `${s.wrt[i]} has no path`);
          // Of two elements with one gradient each has its own.
          const data = one.map((x) => same(x.v, 0, x));
          this.#set(name, { shape: wrt[i].shape, dtype: 'f32', data }, s.of, ...s.wrt);
        });
        return;
      }
      case 'assign': {
        const value = this.get(s.value);
        const before = this.get(s.variable);
        must(
          this.variables.has(s.variable) &&
            value.dtype === before.dtype &&
            String(value.shape) === String(before.shape),
          'assign of another kind',
        );
        // What was assigned is a value: no gradient flows through it.
        this.#set(s.variable, bare(value), ...(s.value === s.variable ? [] : [s.value]));
        return;
      }
      case 'chain': {
        let x = this.get(s.from);
        for (let i = 0; i < s.times; i++)
          x = ops.add.walk([ops.mul.walk([x], { number: s.factor })], { number: s.offset });
        this.#set(s.to, x, s.from);
        return;
      }
      case 'assignChain': {
        let x = bare(this.get(s.variable));
        for (let i = 0; i < s.times; i++)
          x = bare(ops.add.walk([ops.mul.walk([x], { number: s.factor })], { number: s.offset }));
        this.#set(s.variable, x);
        return;
      }
      case 'step':
        this.steps.set(s.to, s);
        return;
      case 'call': {
        const results = this.#call(s.step, s.args);
        must(results.length === s.to.length, 'as many results as names');
        s.to.forEach((name, i) => {
          if (s.awaited) this.#set(name, results[i]);
          else this.#pending.push([name, results[i]]);
        });
        return;
      }
      case 'replay':
        for (let i = 0; i < s.times; i++) this.#call(s.step, []);
        return;
      case 'settle':
        for (const [name, value] of this.#pending) this.#set(name, value);
        this.#pending = [];
        return;
      case 'read':
        for (const name of s.of)
          this.readings.push({ name, value: this.get(name), mayRefuse: this.mayRefuse(name) });
        return;
      case 'dispose':
        this.get(s.of);
        this.#gone.add(s.of);
        this.values.delete(s.of);
        this.variables.delete(s.of);
        return;
    }
  }

  #call(name: string, args: readonly string[]): Value[] {
    const step = this.steps.get(name);
    must(step !== undefined && step.params.length === args.length, 'a step with these arguments');
    const given = args.map((arg) => bare(this.get(arg)));
    const before = new Set(this.values.keys());
    step.params.forEach((param, i) => {
      this.#set(param, given[i]);
    });
    this.run(step.body);
    const results = leavesOf(step.result).map((leaf) => bare(this.get(leaf)));
    for (const one of [...this.values.keys()]) if (!before.has(one)) this.values.delete(one);
    return results;
  }
}

/** What every read must give and how far it may be off: the walk once exactly, and blurred. */
export interface Expected extends Reading {
  readonly tolerance: Float64Array;
}

/** Blurred walks, how strongly they are blurred, and by what their spread is multiplied. */
export interface Blur {
  readonly walks: number;
  readonly factor: number;
  readonly slack: number;
}

export const first: Blur = { walks: 3, factor: 1, slack: 8 };
/** For what is off by the first: more walks, which cross more kinks. */
export const second: Blur = { walks: 24, factor: 3, slack: 8 };

/** Throws Misfit where the program makes no sense. */
export function expected(program: Program, { walks, factor, slack }: Blur = first): Expected[] {
  const exact = new Walk().run(program.statements).readings;
  const tolerances = exact.map(({ value }) => Float64Array.from(value.data, ({ v }) => 1e-6 * Math.abs(v)));
  for (let k = 1; k <= walks; k++) {
    let noisy: Reading[];
    try {
      noisy = blurred(program.seed + 7919 * k, factor, () => new Walk().run(program.statements).readings);
    } catch (error) {
      if (error instanceof Misfit) continue;
      throw error;
    }
    exact.forEach(({ value }, r) => {
      for (const [i, { v }] of value.data.entries()) {
        const off = slack * Math.abs(noisy[r].value.data[i].v - v);
        // A number that is NaN in one walk and not in another is not decided by f32.
        const own =
          value.dtype === 'f32' && Number.isNaN(off) && Number.isFinite(v) ? Number.POSITIVE_INFINITY : off;
        tolerances[r][i] = Math.max(
          tolerances[r][i],
          Number.isNaN(own) ? 0 : own + (value.dtype === 'f32' && own > 0 ? 1e-7 : 0),
        );
      }
    });
  }
  return exact.map((reading, r) => ({ ...reading, tolerance: tolerances[r] }));
}
