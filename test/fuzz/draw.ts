/** Draws random programs. A seed gives the same program for ever, on every machine. */
import { type Generator, generator } from '../reference/random.ts';
import { type Choice, type Named, type OpRow, ops, Pool } from './ops.ts';
import { leavesOf, type Program, type Statement, type Step, type Tree, Walk } from './program.ts';
import { type DType, isSame, Misfit, type Shape, sizeOf, type Value } from './value.ts';

/** What programs are about; each draws more of what belongs to it. */
const THEMES = {
  /** A bit of everything. */
  plain: 3,
  /** Reshapes, slices and transposes beside what is made of them. */
  views: 2,
  /** Bytes and truth values, and what is made of them. */
  bytes: 2,
  /** Ops over rows of the same numbers in several shapes. */
  rows: 2,
  /** Ops that do nothing, beside updates. */
  identity: 2,
  /** Variables that come, are updated together in changing company, and go. */
  lives: 2,
  /** Calls that are not awaited. */
  order: 1.5,
  /** Long chains without a read. */
  deep: 0.25,
  /** NaN and infinities. */
  hostile: 1,
  /** A step of a training: products, losses, gradients, updates. */
  training: 2,
  /** Axes of size 0. */
  empty: 0.6,
} as const;
export type Theme = keyof typeof THEMES;
export const themes = Object.keys(THEMES) as Theme[];

function weighted<T>(random: Generator, entries: readonly (readonly [T, number])[]): T {
  let at = random.uniform() * entries.reduce((total, [, weight]) => total + weight, 0);
  for (const [one, weight] of entries) {
    at -= weight;
    if (at < 0) return one;
  }
  return entries[entries.length - 1][0];
}

export const themeOf = (seed: number): Theme => {
  const random = generator(seed * 2654435761);
  return weighted(random, Object.entries(THEMES) as [Theme, number][]);
};

/** Ops that carry NaN and infinities as float64 does, in gradients too. */
const CAREFUL = new Set([
  ...[
    'add',
    'sub',
    'mul',
    'neg',
    'log',
    'sqrt',
    'gather',
    'slice',
    'concat',
    'stack',
    'transpose',
    'reshape',
  ],
  ...['pad', 'sum', 'maximum', 'minimum', 'expandDims', 'squeeze', 'broadcastTo', 'timesOne', 'plusNothing'],
  ...[
    'relu',
    'abs',
    'square',
    'max',
    'min',
    'argMax',
    'argMin',
    'greater',
    'equal',
    'notEqual',
    'isNan',
    'where',
  ],
]);
/** Of these, the ones through which gradients are asked for. */
const SMOOTH = new Set([
  'add',
  'mul',
  'neg',
  'log',
  'gather',
  'slice',
  'concat',
  'transpose',
  'reshape',
  'pad',
  'sum',
]);

const MOST = 1e4;
const MOST_ELEMENTS = 800;

class Drawer {
  readonly random: Generator;
  readonly theme: Theme;
  readonly walk = new Walk();
  readonly statements: Statement[] = [];
  /** Plain tensors whose graphs were let go, because they or what is made of them was read. */
  readonly #read = new Set<string>();
  readonly #made = new Map<string, Statement>();
  #names = 0;
  #sizes: number[];

  /** How long programs are: 1 for those of every day. */
  readonly scale: number;

  constructor(seed: number, theme: Theme, scale: number) {
    this.scale = scale;
    this.random = generator(seed);
    this.theme = theme;
    const medium = this.random.uniform() < 0.3;
    const palette = medium ? [1, 3, 8, 9, 16, 20] : [1, 2, 3, 4, 5, 6, 7];
    if (theme === 'rows') palette.push(4, 8, 2);
    this.#sizes = Array.from({ length: 3 }, () => this.random.pick(palette));
    if (theme === 'empty') this.#sizes[0] = 0;
  }

  chance(p: number): boolean {
    return this.random.uniform() < p;
  }

  /** A number of statements from `least` on, as many more as the scale says. */
  some(least: number, more: number): number {
    return least + this.random.below(Math.ceil(more * this.scale) + 1);
  }

  name(kind: string): string {
    return `${kind}${++this.#names}`;
  }

  shape(): number[] {
    const [a, b, c] = this.#sizes;
    const shapes = [[a, b], [a, b], [b], [a, 1], [b, a], [], [a, b, c], [c, a, b], [1, b], [a]];
    return this.random.pick(shapes.filter((one) => sizeOf(one) <= 400));
  }

  #values(shape: Shape, dtype: DType): number[] {
    const draw = (): number => {
      const { random } = this;
      if (dtype === 'bool') return random.below(2);
      if (dtype === 'u8') return random.below(random.uniform() < 0.7 ? 10 : 256);
      if (dtype !== 'f32') return random.below(5);
      if (this.theme === 'hostile' && random.uniform() < 0.12)
        return random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0]);
      return (random.below(257) - 128) / 64;
    };
    return Array.from({ length: sizeOf(shape) }, draw);
  }

  leaf(kind: 'data' | 'variable', shape: Shape = this.shape(), dtype?: DType): string {
    const types: [DType, number][] = [
      ['f32', 8],
      ['i32', 0.8],
      ['u8', this.theme === 'bytes' ? 8 : 0.5],
      ['bool', 0.4],
    ];
    const own = dtype ?? (this.theme === 'hostile' ? 'f32' : weighted(this.random, types));
    const to = this.name(kind === 'variable' ? 'w' : 'x');
    this.emit({ do: kind, to, shape, dtype: own, values: this.#values(shape, own) });
    return to;
  }

  /** Adds a statement if it makes sense and its numbers stay in range. */
  emit(s: Statement, into: Statement[] = this.statements): boolean {
    const before = s.do === 'call' || s.do === 'replay' ? new Map(this.walk.values) : null;
    const undo = (): false => {
      // Half a call may have changed variables.
      if (before) this.walk.values.clear();
      for (const [name, value] of before ?? []) this.walk.values.set(name, value);
      return false;
    };
    try {
      this.walk.do(s);
    } catch (error) {
      if (error instanceof Misfit) return undo();
      throw error;
    }
    if (before && !this.variables.every((name) => this.#isTame(this.walk.get(name), s))) return undo();
    const made = 'to' in s && s.do !== 'step' ? [s.to].flat() : [];
    if (!made.every((name) => !this.walk.values.has(name) || this.#isTame(this.walk.get(name), s))) {
      for (const name of made) this.walk.values.delete(name);
      return undo();
    }
    for (const name of made) this.#made.set(name, s);
    into.push(s);
    return true;
  }

  #isTame(value: Value, s: Statement): boolean {
    if (value.data.length > MOST_ELEMENTS) return false;
    if (s.do === 'data' || s.do === 'variable' || this.theme === 'hostile') return true;
    return value.data.every(({ v }) => Math.abs(v) <= MOST);
  }

  #weightOf(name: string, row: OpRow): number {
    const weight = row.weight ?? 1;
    if (this.theme === 'hostile') return CAREFUL.has(name) ? weight : 0;
    const { theme } = row;
    if (theme === 'identity') return this.theme === 'identity' ? weight * 8 : weight;
    if (theme === undefined) return weight;
    const isNear = theme === 'views' && (this.theme === 'bytes' || this.theme === 'rows');
    return theme === this.theme ? weight * 6 : isNear ? weight * 3 : weight;
  }

  #table: [string, number][] | null = null;

  /** One op on what the pool has; its name, or null where nothing fitted. */
  op(names: Iterable<string>, into?: Statement[], only?: (name: string) => boolean): string | null {
    const pool = new Pool(this.random, this.walk.named(names));
    this.#table ??= Object.entries(ops).map(([name, row]) => [name, this.#weightOf(name, row)]);
    for (let attempt = 0; attempt < 12; attempt++) {
      const op = weighted(this.random, this.#table);
      if (only && !only(op)) continue;
      const choice: Choice | null = ops[op].choose(this.random, pool);
      if (!choice) continue;
      const to = this.name('t');
      const inputs = choice.inputs.map(({ name }) => name);
      if (this.emit({ do: 'op', to, op, inputs, attributes: choice.attributes ?? {} }, into)) return to;
    }
    return null;
  }

  /** Gradients of something that depends on some of `wrt`, or []. */
  gradients(of: string, wrt: readonly string[], into?: Statement[], isFirst = true): string[] {
    if (wrt.length === 0) return [];
    if (this.theme === 'hostile' && !this.#isSmooth(of)) return [];
    const squared = this.theme !== 'hostile' && this.chance(0.5);
    const asked = wrt.filter((name) => {
      const probe: Statement = { do: 'gradients', to: ['probe'], of, squared, wrt: [name] };
      try {
        this.walk.do(probe);
      } catch (error) {
        if (error instanceof Misfit) return false;
        throw error;
      }
      const g = this.walk.get('probe');
      this.walk.values.delete('probe');
      return this.theme === 'hostile' || g.data.some(({ v }) => v !== 0) || g.data.length === 0;
    });
    if (asked.length === 0) return [];
    const to = asked.map(() => this.name('g'));
    if (!this.emit({ do: 'gradients', to, of, squared, wrt: asked }, into)) return [];
    // The gradient of a gradient.
    return isFirst && this.chance(0.35)
      ? [...to, ...this.gradients(this.random.pick(to), asked, into, false)]
      : to;
  }

  /**
   * `isPartly`: some elements were left out on the way here. Their gradient is 0, and a product further back makes NaN of
   * 0 · NaN, while the walk knows nothing of elements that nobody reads.
   */
  #isSmooth(name: string, isPartly = false): boolean {
    const s = this.#made.get(name);
    if (s?.do === 'data' || s?.do === 'variable' || s === undefined) return true;
    if (s.do !== 'op' || !SMOOTH.has(s.op)) return false;
    if (isPartly && (s.op === 'log' || (s.op === 'mul' && s.inputs.length > 1))) return false;
    const leavesOut = isPartly || s.op === 'gather' || s.op === 'slice';
    return s.inputs.every((one) => this.#isSmooth(one, leavesOut));
  }

  /** May a gradient go through this tensor, or was its graph let go? */
  isWhole(name: string): boolean {
    const s = this.#made.get(name);
    if (!s || s.do === 'data' || s.do === 'variable') return true;
    if (this.#read.has(name)) return false;
    if (s.do === 'op') return s.inputs.every((one) => this.isWhole(one));
    if (s.do === 'gradients') return [s.of, ...s.wrt].every((one) => this.isWhole(one));
    return s.do === 'chain' ? this.isWhole(s.from) : false;
  }

  /** Notes that these and what they are made of were computed. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      if (this.#read.has(name)) continue;
      this.#read.add(name);
      const s = this.#made.get(name);
      if (s?.do === 'op') this.forget(s.inputs);
      if (s?.do === 'gradients') this.forget([s.of, ...s.wrt]);
      if (s?.do === 'chain') this.forget([s.from]);
    }
  }

  read(names: readonly string[]): void {
    if (names.length === 0) return;
    this.forget(names);
    this.emit({ do: 'read', of: names });
  }

  /** A value of the shape of a variable, made in a few ops of what is at hand. */
  update(variable: string, names: readonly string[], into?: Statement[]): string | null {
    const { shape, dtype } = this.walk.get(variable);
    const fits = this.walk
      .named(names)
      .filter(({ name, value }) => name !== variable && value.dtype === dtype && isSame(value.shape, shape));
    if (fits.length > 0 && this.chance(0.4)) return this.random.pick(fits).name;
    if (dtype !== 'f32') {
      if (dtype !== 'i32') return fits.length > 0 ? this.random.pick(fits).name : null;
      const to = this.name('t');
      return this.emit({ do: 'op', to, op: 'add', inputs: [variable], attributes: { number: 1 } }, into)
        ? to
        : null;
    }
    const half = this.name('t');
    if (!this.emit({ do: 'op', to: half, op: 'mul', inputs: [variable], attributes: { number: 0.5 } }, into))
      return null;
    const to = this.name('t');
    const other = fits.length > 0 ? this.random.pick(fits).name : null;
    const rest = other
      ? { inputs: [half, other], attributes: {} }
      : { inputs: [half], attributes: { number: 0.5 } };
    return this.emit({ do: 'op', to, op: 'sub', ...rest }, into) ? to : half;
  }

  assign(variable: string, value: string | null, awaited: boolean, into?: Statement[]): boolean {
    if (!value) return false;
    if (!this.#isTame(this.walk.get(value), { do: 'read', of: [] })) return false;
    return this.emit({ do: 'assign', variable, value, awaited }, into);
  }

  /** What a step returns: lists and objects of some names. */
  tree(names: readonly string[]): Tree {
    const some = names.map((name): Tree => (this.chance(0.1) ? [name] : name));
    if (some.length === 1 && this.chance(0.4)) return some[0];
    if (this.chance(0.3)) return some;
    if (some.length > 2 && this.chance(0.4))
      return { a: some[0], rest: this.chance(0.5) ? some.slice(1) : { b: some[1], more: some.slice(2) } };
    return Object.fromEntries(some.map((one, i) => [`y${i}`, one]));
  }

  /** A captured function whose body `write` draws while it is walked on the arguments; null where it does nothing. */
  stepOf(
    args: readonly string[],
    write: (params: readonly string[], body: Statement[]) => Tree,
  ): Step | null {
    const { walk } = this;
    const to = this.name('s');
    const params = args.map(() => this.name('p'));
    const body: Statement[] = [];
    const kept = new Map(walk.values);
    for (const [i, arg] of args.entries()) {
      const { shape, dtype, data } = walk.get(arg);
      walk.do({ do: 'data', to: params[i], shape, dtype, values: data.map(({ v }) => v) });
    }
    const result = write(params, body);
    walk.values.clear();
    for (const [name, value] of kept) walk.values.set(name, value);
    if (leavesOf(result).length === 0 && !body.some((s) => s.do === 'assign')) return null;
    const step: Step = { do: 'step', to, params, body, result };
    return this.emit(step) ? step : null;
  }

  /** A captured function of random statements. */
  step(
    args: readonly string[],
    variables: readonly string[],
    size: number,
    isEffectOnly = false,
  ): Step | null {
    const { walk, random } = this;
    return this.stepOf(args, (params, body) => {
      const local: string[] = [...params, ...variables];
      const made: string[] = [];
      for (let i = 0; i < size; i++) {
        const kind = random.uniform();
        let found: string[] = [];
        if (kind < 0.16 && made.length > 0) {
          const of = random.pick(made);
          const wrt = [...params, ...variables, ...made].filter(
            (name) => name !== of && walk.get(name).dtype === 'f32' && this.chance(0.5),
          );
          if (walk.get(of).dtype === 'f32') found = this.gradients(of, wrt.slice(0, 3), body);
        } else if (kind < 0.28 && variables.length > 0) {
          const variable = random.pick(variables);
          this.assign(variable, this.update(variable, local, body), false, body);
        } else found = [this.op(local, body) ?? []].flat();
        local.push(...found);
        made.push(...found);
      }
      for (const variable of variables)
        if (this.chance(isEffectOnly ? 0.8 : 0.4))
          this.assign(variable, this.update(variable, local, body), false, body);
      return isEffectOnly ? [] : this.#results(made, variables);
    });
  }

  /** Some of what was made, often beside what it was made of. */
  #results(made: readonly string[], variables: readonly string[]): Tree {
    const { random } = this;
    const names = new Set<string>();
    const count = Math.min(made.length, 1 + random.below(3));
    for (let i = 0; i < count; i++) {
      const one = made[made.length - 1 - Math.floor(made.length * random.uniform() ** 2)];
      names.add(one);
      const s = this.#made.get(one);
      if (s?.do === 'op' && this.chance(0.5))
        for (const input of s.inputs) if (made.includes(input)) names.add(input);
    }
    if (variables.length > 0 && this.chance(0.2)) names.add(random.pick(variables));
    return names.size > 0 ? this.tree([...names]) : [];
  }

  /** Another value of the kind of an argument. */
  #like(name: string, names: readonly string[]): string {
    const { shape, dtype } = this.walk.get(name);
    const fits = this.walk
      .named(names)
      .filter(({ value }) => value.dtype === dtype && isSame(value.shape, shape));
    return fits.length > 0 && this.chance(0.5)
      ? this.random.pick(fits).name
      : this.leaf('data', shape, dtype);
  }

  /** Calls a step; the names of its results, also of those that are still to come. */
  call(step: Step, args: readonly string[], awaited: boolean): string[] | null {
    const to = leavesOf(step.result).map(() => this.name('y'));
    this.forget(args);
    return this.emit({ do: 'call', step: step.to, args, to, awaited }) ? to : null;
  }

  callAgain(
    step: Step,
    args: readonly string[],
    names: readonly string[],
    awaited: boolean,
  ): string[] | null {
    if (args.length > 0 && this.chance(0.15)) {
      // Other shapes make another plan.
      const grown = args.map((arg) => {
        const { shape, dtype } = this.walk.get(arg);
        return shape.length === 0 ? arg : this.leaf('data', [shape[0] + 1, ...shape.slice(1)], dtype);
      });
      const results = this.call(step, grown, awaited);
      if (results) return results;
    }
    return this.call(
      step,
      args.map((arg) => this.#like(arg, names)),
      awaited,
    );
  }

  /** Gives a plain tensor's memory back; not of one that may be another name of its operand. */
  dispose(name: string): void {
    const s = this.#made.get(name);
    if (s?.do !== 'op' || !s.inputs.some((one) => this.walk.values.has(one) && this.isLike(one, name)))
      this.emit({ do: 'dispose', of: name });
  }

  isLike(a: string, b: string): boolean {
    const [x, y] = [this.walk.get(a), this.walk.get(b)];
    return x.dtype === y.dtype && isSame(x.shape, y.shape);
  }

  get plain(): string[] {
    return [...this.walk.values.keys()].filter((name) => !this.walk.variables.has(name));
  }
  get variables(): string[] {
    return [...this.walk.variables];
  }
  get live(): string[] {
    return [...this.walk.values.keys()];
  }

  /** Everything that is left is read, in a random order, some at once. */
  finish(): void {
    // Data come back in many tests; here now and then.
    const names = this.live
      .filter((name) => this.#made.get(name)?.do !== 'data' || this.chance(0.1))
      .map((name) => ({ name, key: this.random.uniform() }));
    names.sort((a, b) => a.key - b.key);
    for (let i = 0; i < names.length; ) {
      const count = this.chance(0.6) ? 1 : 2 + this.random.below(3);
      this.read(names.slice(i, i + count).map(({ name }) => name));
      i += count;
    }
  }
}

/** Eager statements around steps that are called again and again. */
function mixed(d: Drawer, isCaptured: boolean): void {
  const { random } = d;
  const leaves = 1 + random.below(3);
  for (let i = 0; i < leaves; i++) d.leaf('data');
  const variables = 1 + random.below(3);
  for (let i = 0; i < variables; i++) d.leaf('variable');
  const events = isCaptured ? d.some(1, 3) : d.some(4, 5);
  const steps: { step: Step; args: string[] }[] = [];
  if (isCaptured) {
    const args = d.plain.filter(() => d.chance(0.8));
    const step = d.step(args, d.variables, d.some(3, 4));
    if (step) {
      steps.push({ step, args });
      d.call(step, args, true);
    }
  }
  for (let i = 0; i < events; i++) {
    const kind = random.uniform();
    if (isCaptured && kind < 0.5 && steps.length > 0) {
      const { step, args } = random.pick(steps);
      if (args.every((arg) => d.walk.values.has(arg))) d.callAgain(step, args, d.plain, true);
    } else if (kind < 0.18) {
      const wrt = d.live.filter(
        (name) => d.walk.get(name).dtype === 'f32' && d.chance(0.4) && d.isWhole(name),
      );
      const of = d.live.filter(
        (name) => d.walk.get(name).dtype === 'f32' && d.isWhole(name) && !d.walk.variables.has(name),
      );
      if (of.length > 0)
        d.gradients(of[of.length - 1 - Math.floor(of.length * random.uniform() ** 2)], wrt.slice(0, 3));
    } else if (kind < 0.3 && d.variables.length > 0) {
      const variable = random.pick(d.variables);
      d.assign(variable, d.update(variable, d.live), d.chance(0.5));
    } else if (kind < 0.37) {
      const name = random.pick(d.live);
      d.read([name]);
    } else if (kind < 0.4 && d.plain.length > 3) {
      d.dispose(random.pick(d.plain));
    } else d.op(d.live);
  }
}

/** Variables that are updated together in changing company, expressions that wait, and memory that is used again. */
function lives(d: Drawer): void {
  const { random } = d;
  const shape = d.shape();
  const count = 3 + random.below(3);
  for (let i = 0; i < count; i++) d.leaf('variable', d.chance(0.8) ? shape : d.shape(), 'f32');
  d.leaf('data', shape, 'f32');
  const steps: Step[] = [];
  const makeStep = () => {
    const some = d.variables.filter(() => d.chance(0.7));
    const step = some.length > 0 ? d.step([], some, random.below(2), true) : null;
    if (step) {
      steps.push(step);
      d.emit({ do: 'replay', step: step.to, times: 1 });
    }
  };
  makeStep();
  const events = d.some(7, 6);
  for (let i = 0; i < events; i++) {
    const kind = random.uniform();
    if (kind < 0.15) makeStep();
    else if (kind < 0.3 && steps.length > 0) {
      const step = random.pick(steps);
      // A step over what is gone is refused, which other tests ask.
      const updates = step.body.flatMap((s) =>
        s.do === 'assign' ? [s.variable] : s.do === 'op' ? s.inputs : [],
      );
      if (updates.every((name) => !name.startsWith('w') || d.walk.variables.has(name)))
        d.emit({ do: 'replay', step: step.to, times: 1 + random.below(3) });
    } else if (kind < 0.55) d.op(d.variables);
    else if (kind < 0.65 && d.variables.length > 1) d.emit({ do: 'dispose', of: random.pick(d.variables) });
    else if (kind < 0.75) d.leaf('variable', shape, 'f32');
    else if (kind < 0.9) {
      const name = d.op(d.plain);
      if (name) d.read([name]);
    } else {
      const variable = random.pick(d.variables);
      d.assign(variable, d.update(variable, d.live), d.chance(0.5));
    }
  }
}

/** Calls and assignments that nobody awaits: the order of calls is the order of effects. */
function order(d: Drawer): void {
  const { random } = d;
  for (let i = 0; i < 2; i++) d.leaf('variable', d.shape(), 'f32');
  for (let i = 0; i < 2; i++) d.leaf('data', d.shape(), 'f32');
  const args = d.plain.slice(0, 1 + random.below(2));
  const step = d.step(args, d.variables, d.some(1, 3));
  if (!step) {
    mixed(d, true);
    return;
  }
  if (d.chance(0.5)) d.call(step, args, true);
  const data = [...d.plain];
  const events = d.some(2, 2);
  for (let i = 0; i < events; i++) {
    if (d.chance(0.65)) d.callAgain(step, args, data, false);
    else {
      const variable = random.pick(d.variables);
      const { shape, dtype } = d.walk.get(variable);
      const value = d.leaf('data', shape, dtype);
      d.assign(variable, value, false);
    }
  }
  if (d.chance(0.3)) d.read([random.pick(d.variables)]);
  d.emit({ do: 'settle' });
  for (let i = 0; i < 2; i++) d.op(d.live);
}

/** An op that does nothing, an update, and what the op gave. */
function identity(d: Drawer): void {
  const { random } = d;
  const w = d.leaf('variable', d.shape(), 'f32');
  const x = d.leaf('data', d.walk.get(w).shape, 'f32');
  const isNothing = (name: string): boolean => ops[name].theme === 'identity';
  const events = (names: () => string[], into?: Statement[]): string[] => {
    const made: string[] = [];
    const count = d.some(3, 3);
    for (let i = 0; i < count; i++) {
      const kind = random.uniform();
      const local = [...names(), ...made];
      const found =
        kind < 0.45
          ? d.op(d.chance(0.7) ? [w] : local, into, isNothing)
          : kind < 0.65
            ? d.op(local, into)
            : null;
      if (found) made.push(found);
      else if (kind < 0.85) d.assign(w, d.update(w, local, into), d.chance(0.5), into);
      else made.push(...d.gradients(random.pick(local), local.filter(() => d.chance(0.5)).slice(0, 2), into));
    }
    return made;
  };
  if (d.chance(0.5)) {
    events(() => [w, x]);
    return;
  }
  const step = d.stepOf([x], (params, body) => {
    const made = events(() => [w, ...params], body);
    return made.length > 0 ? d.tree([...new Set(made.slice(-4))]) : [];
  });
  if (!step) {
    mixed(d, true);
    return;
  }
  const calls = d.some(1, 1);
  for (let i = 0; i < calls; i++) d.callAgain(step, [x], d.plain, true);
}

/** Bytes that are moved, and given back beside what is made of them. */
function bytes(d: Drawer): void {
  const { random } = d;
  const x = d.leaf('data', d.shape(), d.chance(0.85) ? 'u8' : 'bool');
  const isMove = (name: string): boolean => ops[name].theme === 'views' || ops[name].theme === 'bytes';
  const variables = d.chance(0.3) ? [d.leaf('variable', d.shape(), 'u8')] : [];
  const body = (params: readonly string[], into?: Statement[]): string[] => {
    const made: string[] = [];
    const count = d.some(3, 3);
    for (let i = 0; i < count; i++) {
      const local = [...params, ...variables, ...made];
      const small = local.filter((name) => d.walk.get(name).dtype !== 'f32');
      const kind = random.uniform();
      const name =
        kind < 0.5
          ? d.op(small, into, isMove)
          : kind < 0.7
            ? d.op(small, into, (one) => one === 'cast')
            : d.op(local, into);
      if (name) made.push(name);
    }
    for (const w of variables) d.assign(w, d.update(w, [...params, ...made], into), false, into);
    return made;
  };
  if (d.chance(0.25)) {
    body([x]);
    return;
  }
  const step = d.stepOf([x], (params, into) => {
    const made = body(params, into).filter(() => d.chance(0.7));
    return made.length > 0 ? d.tree(made) : [];
  });
  if (!step) {
    mixed(d, true);
    return;
  }
  const calls = d.some(1, 1);
  for (let i = 0; i < calls; i++) d.callAgain(step, [x], d.plain, true);
}

/** What one kernel can make of the same rows. */
const SISTERS = new Set(['softmax', 'logSoftmax', 'softmaxCrossEntropy']);

/** Ops over rows of the same numbers, seen in several shapes. */
function rows(d: Drawer): void {
  const { random } = d;
  const [a, b, c] = Array.from({ length: 3 }, () => random.pick([1, 2, 3, 4, 8]));
  const z = d.leaf(d.chance(0.5) ? 'variable' : 'data', d.chance(0.5) ? [a, b * c] : [a, b, c], 'f32');
  const t = d.leaf('data', d.walk.get(z).shape, 'f32');
  const haveSisters = d.chance(0.5);
  const isView = (name: string): boolean => name === 'reshape' || (!haveSisters && name === 'expandDims');
  const isRows = (name: string): boolean => (haveSisters ? SISTERS.has(name) : ops[name].theme === 'rows');
  const body = (from: readonly string[], into?: Statement[]): string[] => {
    const views = [...from];
    const made: string[] = [];
    const count = d.some(3, 3);
    for (let i = 0; i < count; i++) {
      const view = d.chance(haveSisters ? 0.8 : 0.5) ? d.op([random.pick(views)], into, isView) : null;
      if (view) views.push(view);
      const name = d.op(haveSisters || d.chance(0.8) ? views : [...views, ...made], into, isRows);
      if (name) made.push(name);
    }
    for (const of of made.slice(0, 2))
      if (d.chance(0.3) && d.walk.get(of).dtype === 'f32') made.push(...d.gradients(of, from, into, false));
    return made;
  };
  if (d.chance(0.3)) {
    body([z, t]);
    return;
  }
  const args = [z, t].filter((name) => !d.walk.variables.has(name));
  const step = d.stepOf(args, (params, into) => {
    const made = body(args.length === 2 ? params : [z, ...params], into);
    return made.length > 0 ? d.tree(made) : [];
  });
  if (!step) {
    mixed(d, true);
    return;
  }
  d.call(step, args, true);
  if (d.chance(0.5)) d.callAgain(step, args, d.plain, true);
}

/** NaN and infinities among the numbers. */
function hostile(d: Drawer): void {
  if (d.chance(0.4)) {
    mixed(d, d.chance(0.7));
    return;
  }
  const x = d.leaf(d.chance(0.5) ? 'variable' : 'data', d.shape(), 'f32');
  const again = (inputs: string[]): string | null => {
    const to = d.name('t');
    return d.emit({ do: 'op', to, op: 'sub', inputs, attributes: {} }) ? to : null;
  };
  if (d.chance(0.5)) {
    // What algebra would make 0 and 1 of.
    again([x, x]);
    const more = d.op([x]);
    if (more) again([more, x]);
    return;
  }
  let y = x;
  const count = d.some(2, 3);
  for (let i = 0; i < count; i++) y = d.op([y], undefined, (name) => SMOOTH.has(name)) ?? y;
  if (y !== x) d.gradients(y, [x]);
}

/** Long chains. */
function deep(d: Drawer): void {
  const { random } = d;
  const x = d.leaf('data', [3], 'f32');
  const w = d.leaf('variable', [3], 'f32');
  const times = random.pick([300, 1200]);
  const step = { times, factor: 0.999, offset: 0.001 };
  const to = d.name('t');
  if (d.chance(0.5)) {
    d.emit({ do: 'chain', to, from: d.chance(0.5) ? x : w, ...step });
    if (d.chance(0.5)) d.gradients(to, [x, w]);
  } else d.emit({ do: 'assignChain', variable: w, ...step });
  d.op(d.live);
}

/** A step of a training, called a few times. */
function training(d: Drawer): void {
  const { random } = d;
  const [rows, inputs, units, classes] = [
    2 + random.below(7),
    1 + random.below(8),
    1 + random.below(9),
    2 + random.below(4),
  ];
  const lead = d.chance(0.3) ? [rows, 2] : [rows];
  const x = d.leaf('data', [...lead, inputs], d.chance(0.2) ? 'u8' : 'f32');
  const labels = d.leaf('data', lead, 'i32');
  const w1 = d.leaf('variable', [inputs, units], 'f32');
  const b1 = d.leaf('variable', [units], 'f32');
  const w2 = d.leaf('variable', [units, classes], 'f32');
  const step = d.stepOf([x, labels], (params, body) => {
    const local: string[] = [];
    const op = (name: string, inputs: string[], attributes: object = {}): string => {
      const t = d.name('t');
      if (d.emit({ do: 'op', to: t, op: name, inputs, attributes: attributes as never }, body)) local.push(t);
      return t;
    };
    const floats = op('cast', [params[0]], { dtype: 'f32' });
    const scaled = op('mul', [floats], { number: 0.125 });
    const activation = random.pick(['tanh', 'relu', 'sigmoid', 'elu', 'softplus']);
    const h = op(activation, [op('add', [op('matmul', [scaled, w1]), b1])]);
    const logits = op('matmul', [h, w2]);
    const hot = op('oneHot', [params[1]], { depth: classes, on: 1, off: 0 });
    const loss = d.chance(0.7)
      ? op('softmaxCrossEntropy', [logits, hot])
      : op('meanSquaredError', [hot, logits]);
    const total = d.chance(0.5) ? op('mean', [loss], { axis: null, keepDims: false }) : loss;
    if (d.chance(0.4)) op('softmax', [logits], { axis: -1 });
    if (d.chance(0.4)) op('argMax', [logits], { axis: -1 });
    const extra = d.some(0, 1);
    for (let i = 0; i < extra; i++) local.push(...[d.op(local, body) ?? []].flat());
    const weights = [w1, b1, w2].filter(() => d.chance(0.85));
    const found = d.gradients(total, weights, body, false);
    const statement = body.at(-1);
    if (found.length > 0 && statement?.do === 'gradients')
      statement.wrt.forEach((weight, i) => {
        const change = op('mul', [found[i]], { number: 0.25 });
        d.assign(weight, op('sub', [weight, change]), false, body);
      });
    local.push(...found);
    return d.tree([...new Set(Array.from({ length: 1 + random.below(4) }, () => random.pick(local)))]);
  });
  if (!step) {
    mixed(d, true);
    return;
  }
  const calls = d.some(2, 1);
  for (let i = 0; i < calls; i++) {
    if (i === 0) d.call(step, [x, labels], true);
    else d.callAgain(step, [x, labels], d.plain, true);
    if (d.chance(0.3)) d.op(d.live);
  }
}

/** The program of a seed. */
export function draw(seed: number, { scale = 1, theme = themeOf(seed) } = {}): Program {
  const d = new Drawer(seed, theme, scale);
  const special = { lives, order, deep, training, identity, bytes, rows, hostile } as Partial<
    Record<Theme, (d: Drawer) => void>
  >;
  const own = special[theme];
  if (own) own(d);
  else mixed(d, d.chance(theme === 'plain' ? 0.5 : 0.75));
  d.finish();
  return { seed, statements: d.statements };
}

export type { Named };
