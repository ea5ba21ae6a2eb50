/**
 * Capture and replay: a function of tensors and variables is run once on placeholders, planned, and
 * then replayed without touching a single JavaScript object per op.
 */
import { StateError, ValueError } from '../base/errors.ts';
import { knownOptions } from '../base/options.ts';
import { FIRST_DRAW, nextOf } from '../base/seed.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { CompileListener, Engine } from '../engine/engine.ts';
import { add } from '../ops/binary.ts';
import { type TensorLike, toTensor, variable } from '../ops/constant.ts';
import { byteSize } from '../ops/dtype.ts';
import { Tensor, type Tracer, tracing, Variable } from '../ops/tensor.ts';
import { compute } from './compute.ts';
import { follow, inTurn, openDefault, planner, serial } from './engines.ts';
import type { PlannedKernel } from './explain.ts';
import { isLeaf, topological } from './order.ts';
import type { Plan } from './plan.ts';
import type { StepProfile } from './profile.ts';
import { allocateAll, checkHome, keepInBounds, leafRange, settle, withRoom } from './runtime.ts';
import { contentOf, isSlot } from './slots.ts';
import { bringHome, collocate, overwrite, ownValue, promise, takeBack } from './variables.ts';

/** What a captured function may return: tensors, and arrays and plain objects of them. */
export type Outputs =
  | Tensor
  | readonly Outputs[]
  | { readonly [name: string]: Outputs }
  | null
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: a step without results returns nothing.
  | void;

export interface CaptureOptions {
  /** Shown in traces and errors; default the function's name. */
  name?: string;
  /** The engine to run on; default the arguments' or the default one. */
  engine?: Engine;
  /**
   * Hears, during `prepare`, how many kernels are compiled where the driver compiles slowly, and before that how
   * many are measured when `init({ tuning: 'full' })` asks for it; default what `init({ onCompile })` was given.
   */
  onCompile?: CompileListener;
}

/** A captured function: call it, or replay it. */
export interface Captured<A extends readonly TensorLike[], R extends Outputs> {
  /** Runs the step with these arguments and gives its results as new tensors. */
  (...args: A): Promise<R>;
  /** Traces and compiles for arguments like these, without running. */
  prepare(...args: A): Promise<void>;
  /**
   * Runs a step without arguments and results `times` times in one submit. Resolves when the next may
   * follow: at most two submits are in flight, so that timers, signals and device loss are heard.
   */
  replay(times?: number): Promise<void>;
  /** The kernels of the latest plan, in order. */
  explain(): readonly PlannedKernel[];
  /**
   * The plan for arguments like these, with the time that each kernel takes. The step runs a number of times for
   * it; the variables that it updates are as before afterwards. `measure: false` only plans and compiles.
   */
  profile(options?: { measure?: boolean }, ...args: A): Promise<StepProfile>;
  /** Dispatches of the latest plan, per run. */
  readonly dispatches: number;
  /** How often the function was traced. */
  readonly traces: number;
  /** Frees all plans; the next call traces anew. */
  dispose(): void;
}

/** Plans kept per captured function; the least recently used goes first. */
const PLANS = 16;

/** After so many replays, or calls, the adapter may catch up. */
const REPLAYS = 1;
const CALLS = 8;

/** A place in a captured function where random numbers are drawn, and how many runs have drawn there. */
interface Draw {
  readonly stream: number;
  readonly runs: Variable;
}

/** What a trace saw: leaves that stand for variables and arguments, and updates in the order of the code. */
class Trace implements Tracer {
  readonly leaves = new Map<Variable, Tensor>();
  readonly variableOf = new Map<Tensor, Variable>();
  readonly values = new Map<Variable, Tensor>();
  /** Flags that the function may have gone by, and what they were. */
  readonly observations = new Map<object, { readonly read: () => unknown; readonly was: unknown }>();

  /** A tensor that stands for one whose numbers come later. */
  standIn({ shape, dtype }: Tensor): Tensor {
    const leaf = new Tensor(shape, dtype);
    leaf.inside = this;
    return leaf;
  }

  readonly #draws: Draw[];
  #drawn = 0;

  /** `draws`: those of the captured function, which go on from trace to trace. */
  constructor(draws: Draw[]) {
    this.#draws = draws;
  }

  draw(): { stream: number; counter: Tensor } {
    const index = this.#drawn++;
    this.#draws[index] ??= {
      stream: FIRST_DRAW + 1 + nextOf('draw'),
      runs: variable(0, { dtype: 'i32', name: 'draws', trainable: false }),
    };
    const { stream, runs } = this.#draws[index];
    const counter = this.read(runs);
    this.assign(runs, ownValue(runs, add(counter, 1)));
    return { stream, counter };
  }

  read(variable: Variable): Tensor {
    variable.checkUsable('read');
    this.observe(variable, () => variable.trainable);
    const assigned = this.values.get(variable);
    if (assigned) return assigned;
    let leaf = this.leaves.get(variable);
    if (!leaf) {
      leaf = this.standIn(variable);
      this.leaves.set(variable, leaf);
      this.variableOf.set(leaf, variable);
    }
    return leaf;
  }

  assign(variable: Variable, value: Tensor): void {
    this.observe(variable, () => variable.trainable);
    value.readers = [];
    this.values.set(variable, value);
  }

  observe(of: object, read: () => unknown): void {
    if (!this.observations.has(of)) this.observations.set(of, { read, was: read() });
  }

  /** Does the trace still say what the function would say now? */
  isCurrent(): boolean {
    for (const { read, was } of this.observations.values()) if (read() !== was) return false;
    return true;
  }
}

/**
 * Runs a function for the shapes of what it makes: updates of variables in it change nothing, and what it draws is
 * drawn from no stream.
 */
export function sketch<T>(fn: () => T): T {
  const before = tracing.current;
  tracing.current = new Sketch([]);
  try {
    return fn();
  } finally {
    tracing.current = before;
  }
}

/** Is a function being run for shapes alone? */
export const isSketching = (): boolean => tracing.current instanceof Sketch;

class Sketch extends Trace {
  override draw(): { stream: number; counter: Tensor } {
    return { stream: FIRST_DRAW, counter: toTensor(0, 'i32') };
  }
}

/** What a function returned, with other tensors in it. */
function mapTensors(result: unknown, f: (x: Tensor) => Tensor, refuse: (x: unknown) => void): Outputs {
  const walk = (one: unknown): Outputs => {
    if (one instanceof Tensor) return f(one);
    if (one === null || one === undefined) return one as null | undefined;
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(one)))
      return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, walk(value)]));
    refuse(one);
    return undefined;
  };
  return walk(result);
}

/** One trace of the function for one kind of arguments, and its plan on an engine. */
class Entry {
  readonly placeholders: readonly Tensor[];
  readonly trace: Trace;
  readonly outputs: Tensor[] = [];
  readonly structure: Outputs;
  /** All variables that it reads or updates, and the updates. */
  readonly variables: readonly Variable[];
  readonly effects: readonly { readonly variable: Variable; readonly value: Tensor }[];
  /** The engine of the latest call; null: the default one. */
  engine: Engine | null = null;
  plan: Plan | null = null;
  /** Tensors from outside the function. */
  readonly #constants: readonly Tensor[];
  #homes: readonly BufferRange[] = [];
  #inputs: readonly BufferRange[] = [];
  /** Where the plan finds each constant: in the tensor's memory, in a copy of it, or wherever a slot is filled. */
  #found = new Map<Tensor, { readonly range: BufferRange; readonly copied: boolean }>();

  constructor(fn: (...args: never[]) => unknown, args: readonly Tensor[], name: string, draws: Draw[]) {
    const trace = new Trace(draws);
    this.trace = trace;
    this.placeholders = args.map((arg) => trace.standIn(arg));
    tracing.current = trace;
    try {
      const result = fn(...(this.placeholders as never[]));
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new StateError(
          `capture: '${name}' is asynchronous; a step must be described without await. Read results outside.`,
        );
      }
      const give = (x: Tensor): Tensor => {
        // A variable that is returned gives its value.
        this.outputs.push(x instanceof Variable ? trace.read(x) : x.checkUsable(name));
        return x;
      };
      this.structure = mapTensors(result, give, (x) => {
        throw new ValueError(
          `capture: '${name}' returned ${typeof x === 'object' ? `a ${x!.constructor.name}` : `the ${typeof x} ${String(x)}`}; expected tensors, and arrays and plain objects of them. What is no tensor would not change from call to call.`,
        );
      });
    } finally {
      tracing.current = null;
    }
    this.effects = [...trace.values].map(([variable, value]) => ({ variable, value }));
    this.variables = [...new Set([...trace.leaves.keys(), ...trace.values.keys()])];
    this.#constants = topological([...this.outputs, ...this.effects.map(({ value }) => value)]).filter(
      (x) => isLeaf(x) && x.inside !== trace,
    );
  }

  /**
   * What a call with the present values of the variables reads and leaves. `changes`: it updates variables, which
   * have the values that the step will give them from now on.
   */
  begin(label: string, engine: Engine | null, changes: boolean): Turn {
    for (const variable of this.variables) {
      variable.checkUsable(label);
      if (engine) checkHome(variable.value, engine);
    }
    for (const constant of this.#constants) contentOf(constant).checkUsable(label);
    this.engine = engine;
    const values = this.variables.map((variable) => variable.value);
    const promised = changes ? this.effects.map(({ variable }) => promise(variable, engine)) : [];
    return { values, promised };
  }

  /** What a call that failed promised, it takes back. */
  takeBack({ values, promised }: Turn): void {
    for (const [i, { variable }] of this.effects.entries())
      takeBack(promised[i], values[this.variables.indexOf(variable)]);
  }

  /** Everything that must be in place before the plan can run; plans anew when a variable has moved. */
  async ready(engine: Engine, { values }: Turn, label: string, onCompile?: CompileListener): Promise<Plan> {
    const { variables, effects, trace } = this;
    for (const value of values) checkHome(value, engine);
    await compute(values, engine);
    const stays =
      this.plan?.engine === engine &&
      !engine.options.debug?.noReplay &&
      variables.every(({ home }, i) => home === this.#homes[i]) &&
      [...this.#found].every(
        ([x, { range, copied }]) => copied || (isSlot(x) && !this.plan!.pinned) || isAt(contentOf(x), range),
      );
    if (!stays) {
      this.dispose();
      const updated = effects.map(({ variable }) => variable);
      collocate(
        updated,
        updated.map((variable) => values[variables.indexOf(variable)]),
        engine,
      );
    }
    for (const [i, variable] of variables.entries()) bringHome(variable, values[i], engine);
    if (stays) {
      this.#followSlots(engine);
      return this.plan!;
    }
    this.#homes = variables.map((variable) => variable.home!);
    this.#inputs = this.placeholders.map((x) =>
      engine.allocate(byteSize(x.dtype, x.size), `${label} argument`),
    );
    const inputOf = new Map(this.placeholders.map((x, i) => [x, this.#inputs[i]]));
    const { makePlan } = await planner();
    this.plan = await makePlan({
      label,
      engine,
      onTune: (done, total) => (onCompile ?? engine.options.onCompile)?.(done, total, 'measuring'),
      outputs: this.outputs,
      effects,
      leafOf: (variable) => trace.leaves.get(variable),
      variableRange: (variable) => variable.home!,
      nameOf: (leaf) => {
        const argument = this.placeholders.indexOf(leaf);
        const variable = trace.variableOf.get(leaf);
        return variable ? (variable.path ?? variable.name) : argument < 0 ? null : `argument ${argument}`;
      },
      leafRange: (leaf) =>
        trace.variableOf.get(leaf)?.home ?? inputOf.get(leaf) ?? this.#constantRange(leaf, engine),
    });
    return this.plan;
  }

  /** Binds the plan anew where slots have other memory than at the latest run. */
  #followSlots(engine: Engine): void {
    let moved = false;
    for (const [slot, { range }] of this.#found) {
      if (!isSlot(slot)) continue;
      const { buffer, offset } = leafRange(contentOf(slot), engine);
      if (buffer === range.buffer && offset === range.offset) continue;
      Object.assign(range, { buffer, offset });
      moved = true;
    }
    if (moved) this.plan!.recording.bindAnew();
  }

  /** A variable's value that was read outside the function is a constant inside: the plan has a copy of it. */
  #constantRange(leaf: Tensor, engine: Engine): BufferRange {
    const known = this.#found.get(leaf);
    if (known) return known.range;
    let range = leafRange(contentOf(leaf), engine);
    const copied = leaf.readers !== null;
    // The plan looks here again when it is bound anew.
    if (isSlot(leaf)) range = { ...range };
    if (copied) {
      const copy = engine.allocate(range.size, 'constant');
      engine.copy(range, copy);
      range = copy;
    }
    this.#found.set(leaf, { range, copied });
    return range;
  }

  /** Puts the arguments where the plan reads them. */
  async bind(args: readonly Tensor[], engine: Engine): Promise<void> {
    await compute(args, engine);
    args.forEach((arg, i) => {
      if (arg.size === 0) return;
      if (arg.host && !arg.storage) engine.write(this.#inputs[i], arg.host);
      else engine.copy(leafRange(arg, engine), this.#inputs[i]);
    });
  }

  /** Runs the plan and gives fresh tensors for its outputs. */
  run(engine: Engine, { promised }: Turn, times: number): Tensor[] {
    const plan = this.plan!;
    const results = this.outputs.map(({ shape, dtype }) => new Tensor(shape, dtype));
    const ranges = [...allocateAll(engine, results, () => 'result').values()];
    for (const [i, { variable }] of this.effects.entries()) overwrite(variable, promised[i], engine);
    const copies = ranges.flatMap((to, i) =>
      to.size > 0 ? [{ from: { ...plan.outputs[i], size: to.size }, to }] : [],
    );
    plan.run(times, copies);
    for (const [i, result] of results.entries()) settle(result, engine, ranges[i]);
    return results;
  }

  dispose(): void {
    const engine = this.plan?.engine;
    this.plan?.dispose();
    this.plan = null;
    if (engine) {
      for (const range of this.#inputs) engine.free(range);
      for (const { range, copied } of this.#found.values()) if (copied) engine.free(range);
    }
    this.#inputs = [];
    this.#found.clear();
  }
}

/** One call: the values that it finds, of `variables`, and those that it will leave, of `effects`. */
interface Turn {
  readonly values: readonly Tensor[];
  readonly promised: readonly Tensor[];
}

/**
 * A function of tensors and variables as one planned step.
 *
 * `fn` is run on placeholders at the first call with arguments of new shapes or dtypes; it must be
 * synchronous, cannot read numbers, updates variables with `assign`, and returns tensors, or arrays and plain
 * objects of them. A plan is keyed by the arguments' shapes and dtypes and the `trainable` flags of the variables
 * and layers that fn reads; whatever else fn depends on is a constant of the trace. At most 16 plans are kept.
 *
 * Calls take effect in the order in which they are made, awaited or not: a call reads the values that variables
 * have at that moment, and its updates hold for all that comes after it.
 *
 * Throws StateError for an asynchronous fn, for `data()` inside it, and for capture inside capture; ValueError for
 * results that are no tensors.
 *
 * ```ts
 * const step = capture((x, y) => {
 *   const loss = x.matmul(w).sub(y).square().mean();
 *   const [dw] = gradients(loss, [w]);
 *   w.assign(w.sub(dw.mul(0.1)));
 *   return loss;
 * });
 * const loss = await step(x, y);
 * ```
 */
export function capture<A extends readonly TensorLike[], R extends Outputs>(
  fn: (...args: { [K in keyof A]: Tensor }) => R,
  given?: CaptureOptions,
): Captured<A, R> {
  const options = knownOptions<CaptureOptions>('capture', given, ['name', 'engine', 'onCompile']);
  const label = options.name ?? (fn.name || 'captured step');
  const entries = new Map<string, Entry>();
  const draws: Draw[] = [];
  let traces = 0;
  let latest: Entry | null = null;

  /** Frees an entry's plan, after the calls that were made of it. */
  const drop = (entry: Entry): void => {
    if (entry.engine) inTurn(entry.engine, () => entry.dispose());
    else if (entry.plan) entry.dispose();
    else serial(null, () => entry.dispose()).catch(() => {});
  };

  const entryFor = (args: readonly Tensor[], noReplay = false): Entry => {
    if (tracing.current)
      throw new StateError(
        `capture: '${label}' was called inside another captured function; call the plain function there.`,
      );
    const key = args.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    let entry = entries.get(key);
    if (!entry?.trace.isCurrent() || noReplay) {
      const fresh = new Entry(fn as never, args, label, draws);
      if (entry) drop(entry);
      entry = fresh;
      traces++;
    }
    // Most recently used goes last.
    entries.delete(key);
    entries.set(key, entry);
    latest = entry;
    if (entries.size > PLANS) {
      const [oldest, old] = entries.entries().next().value!;
      entries.delete(oldest);
      drop(old);
    }
    return entry;
  };

  /**
   * A call: what it reads and promises is settled before this returns; `use` runs in its turn, when the plan is
   * ready.
   */
  const call = <T>(
    given: readonly TensorLike[],
    changes: boolean,
    use: (entry: Entry, turn: Turn, values: readonly Tensor[], engine: Engine) => Promise<T>,
  ): Promise<T> => {
    const args = given.map((arg) => toTensor(arg).checkUsable(label));
    const values = args.map((arg) => (arg instanceof Variable ? arg.value : arg));
    const asked = options.engine ?? values.find((x) => x.engine)?.engine ?? null;
    const entry = entryFor(values, (asked ?? openDefault())?.options.debug?.noReplay);
    const at = asked ?? entry.variables.find(({ value }) => value.engine)?.value.engine ?? openDefault();
    const turn = entry.begin(label, at, changes);
    return serial(at, async (engine) => {
      try {
        engine.check(label);
        return await withRoom(engine, async () => {
          await entry.ready(engine, turn, label, options.onCompile);
          return use(entry, turn, values, engine);
        });
      } catch (error) {
        if (changes) entry.takeBack(turn);
        throw error;
      }
    });
  };

  const step = async (...given: A): Promise<R> =>
    call(given, true, async (entry, turn, values, engine) => {
      await entry.bind(values, engine);
      const results = entry.run(engine, turn, 1);
      await keepInBounds(engine, results);
      await follow(engine, CALLS);
      let next = 0;
      return mapTensors(
        entry.structure,
        () => results[next++],
        () => {},
      ) as R;
    });

  const replay = (times: number): Promise<Engine> =>
    call([], true, async (entry, turn, _values, engine) => {
      if (entry.outputs.length > 0)
        throw new StateError(`replay: '${label}' has arguments or results; call it instead.`);
      entry.run(engine, turn, times);
      return engine;
    });

  return Object.defineProperties(
    Object.assign(step, {
      prepare: async (...given: A): Promise<void> =>
        call(given, false, async (entry, _turn, _values, engine) => {
          const hear = options.onCompile ?? engine.options.onCompile;
          await engine.warm(entry.plan!.recording, (done, total) => hear?.(done, total, 'compiling'));
        }),
      async replay(times = 1): Promise<void> {
        if (!Number.isInteger(times) || times < 0)
          throw new ValueError(`replay: times is ${times}; expected a whole number from 0.`);
        if (times === 0) return;
        const noReplay = (options.engine ?? openDefault())?.options.debug?.noReplay;
        const runs = noReplay ? Array.from({ length: times }, () => replay(1)) : [replay(times)];
        await follow((await Promise.all(runs))[0], REPLAYS);
      },
      profile: async (options?: { measure?: boolean }, ...given: A): Promise<StepProfile> =>
        call(given, false, async (entry, _turn, values, engine) => {
          const { measure = true } = knownOptions<{ measure?: boolean }>('profile', options, ['measure']);
          const { profileOf } = await planner();
          const plan = entry.plan!;
          if (!measure) return profileOf(plan, null);
          await entry.bind(values, engine);
          const updated = entry.effects.map(({ variable }) => variable.home!);
          return profileOf(plan, await engine.timeStep(plan.recording, updated));
        }),
      explain: (): readonly PlannedKernel[] => latest?.plan?.kernels ?? [],
      dispose(): void {
        for (const entry of entries.values()) drop(entry);
        entries.clear();
        latest = null;
      },
    }),
    {
      dispatches: { get: () => latest?.plan?.dispatches ?? 0 },
      traces: { get: () => traces },
    },
  ) as Captured<A, R>;
}

const isAt = ({ storage }: Tensor, { buffer, offset }: BufferRange): boolean =>
  storage?.buffer === buffer && storage.offset === offset;
