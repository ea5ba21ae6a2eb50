/**
 * Capture and replay: a function of tensors and variables is run once on placeholders, planned, and
 * then replayed without touching a single JavaScript object per op.
 */
import { StateError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { CompileListener, Copy, Engine } from '../engine/engine.ts';
import { type TensorLike, toTensor } from '../ops/constant.ts';
import { byteSize } from '../ops/dtype.ts';
import { Tensor, type Tracer, tracing, Variable } from '../ops/tensor.ts';
import type { PlannedKernel } from './explain.ts';
import { isLeaf, topological } from './order.ts';
import type { Plan } from './plan.ts';
import type { StepProfile } from './profile.ts';
import { compute, defaultEngine, leafRange, planner, serial, settle } from './runtime.ts';
import { beforeOverwrite, bringHome, collocate } from './variables.ts';

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

/** Submits of one captured function that may be under way. */
const IN_FLIGHT = 2;

/** What a trace saw: leaves that stand for variables and arguments, and updates in the order of the code. */
class Trace implements Tracer {
  readonly leaves = new Map<Variable, Tensor>();
  readonly variableOf = new Map<Tensor, Variable>();
  readonly trainable = new Map<Variable, boolean>();
  readonly values = new Map<Variable, Tensor>();

  read(variable: Variable): Tensor {
    variable.checkUsable('read');
    this.trainable.set(variable, variable.trainable);
    const assigned = this.values.get(variable);
    if (assigned) return assigned;
    let leaf = this.leaves.get(variable);
    if (!leaf) {
      leaf = new Tensor(variable.shape, variable.dtype);
      this.leaves.set(variable, leaf);
      this.variableOf.set(leaf, variable);
    }
    return leaf;
  }

  assign(variable: Variable, value: Tensor): void {
    this.trainable.set(variable, variable.trainable);
    this.values.set(variable, value);
  }
}

/** What a function returned, with other tensors in it. */
function mapTensors(result: Outputs, f: (x: Tensor) => Tensor): Outputs {
  if (result instanceof Tensor) return f(result);
  if (Array.isArray(result)) return result.map((one) => mapTensors(one, f));
  if (result && typeof result === 'object')
    return Object.fromEntries(
      Object.entries(result).map(([key, one]) => [key, mapTensors(one as Outputs, f)]),
    );
  return result;
}

/** One trace of the function for one kind of arguments, and its plan on an engine. */
class Entry {
  readonly placeholders: readonly Tensor[];
  readonly trace = new Trace();
  readonly outputs: Tensor[] = [];
  readonly structure: Outputs;
  plan: Plan | null = null;
  #homes: [Variable, BufferRange][] = [];
  #inputs: BufferRange[] = [];
  #copies: { tensor: Tensor; range: BufferRange }[] = [];
  #leaves: Tensor[] = [];

  constructor(fn: (...args: never[]) => Outputs, args: readonly Tensor[], name: string) {
    this.placeholders = args.map(({ shape, dtype }) => new Tensor(shape, dtype));
    if (tracing.current)
      throw new StateError(
        `capture: '${name}' was called inside another captured function; call the plain function there.`,
      );
    tracing.current = this.trace;
    try {
      const result = fn(...(this.placeholders as never[]));
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new StateError(
          `capture: '${name}' is asynchronous; a step must be described without await. Read results outside.`,
        );
      }
      this.structure = mapTensors(result, (x) => {
        // A variable that is returned gives its value.
        this.outputs.push(x instanceof Variable ? this.trace.read(x) : x);
        return x;
      });
    } finally {
      tracing.current = null;
    }
  }

  /** Does the trace still say what the function would say now? */
  isCurrent(): boolean {
    for (const [variable, trainable] of this.trace.trainable)
      if (variable.trainable !== trainable) return false;
    return true;
  }

  /** Everything that must be in place before the plan can run; plans anew when a variable has moved. */
  async ready(engine: Engine, label: string, onCompile?: CompileListener): Promise<Plan> {
    const variables = new Set([...this.trace.leaves.keys(), ...this.trace.values.keys()]);
    for (const variable of variables) variable.checkUsable(label);
    await compute(
      [...variables].map((variable) => variable.value),
      engine,
    );
    for (const leaf of this.#leaves) leaf.checkUsable(label);
    const stays =
      this.plan?.engine === engine &&
      !engine.options.debug?.noReplay &&
      this.#homes.every(([variable, home]) => variable.home === home);
    if (!stays) {
      this.dispose();
      collocate([...this.trace.values.keys()], engine);
    }
    for (const variable of variables) bringHome(variable, engine);
    if (stays) return this.plan!;
    this.#homes = [...variables].map((variable) => [variable, variable.home!]);
    const homeOf = new Set([...variables].map((variable) => variable.home));
    this.#inputs = this.placeholders.map((x) =>
      engine.allocate(byteSize(x.dtype, x.size), `${label} argument`),
    );
    const inputOf = new Map(this.placeholders.map((x, i) => [x, this.#inputs[i]]));
    const effects = [...this.trace.values].map(([variable, value]) => ({ variable, value }));
    this.#leaves = topological([...this.outputs, ...effects.map(({ value }) => value)]).filter(
      (x) => isLeaf(x) && !inputOf.has(x) && !this.trace.variableOf.has(x),
    );
    const { makePlan } = await planner();
    this.plan = await makePlan({
      label,
      engine,
      onTune: (done, total) => (onCompile ?? engine.options.onCompile)?.(done, total, 'measuring'),
      outputs: this.outputs,
      effects,
      leafOf: (variable) => this.trace.leaves.get(variable),
      variableRange: (variable) => variable.home!,
      nameOf: (leaf) => {
        const argument = this.placeholders.indexOf(leaf);
        const variable = this.trace.variableOf.get(leaf);
        return variable ? (variable.path ?? variable.name) : argument < 0 ? null : `argument ${argument}`;
      },
      leafRange: (leaf) => {
        const variable = this.trace.variableOf.get(leaf);
        if (variable) return variable.home!;
        const input = inputOf.get(leaf);
        if (input) return input;
        const range = leafRange(leaf, engine);
        return homeOf.has(range) ? this.#frozen(leaf, range, engine) : range;
      },
    });
    return this.plan;
  }

  /** A variable's value that was read outside the function is a constant inside: it gets memory of its own. */
  #frozen(leaf: Tensor, range: BufferRange, engine: Engine): BufferRange {
    const known = this.#copies.find(({ tensor }) => tensor === leaf);
    if (known) return known.range;
    const copy = engine.allocate(range.size, 'constant');
    engine.copy(range, copy);
    this.#copies.push({ tensor: leaf, range: copy });
    return copy;
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
  run(engine: Engine, times: number): Tensor[] {
    const plan = this.plan!;
    for (const variable of this.trace.values.keys()) beforeOverwrite(variable, engine);
    const results = this.outputs.map((x) => new Tensor(x.shape, x.dtype, null, [], {}, engine));
    const copies: Copy[] = [];
    results.forEach((result, i) => {
      const range = engine.allocate(byteSize(result.dtype, result.size), 'result');
      settle(result, engine, range);
      if (result.size > 0) copies.push({ from: { ...plan.outputs[i], size: range.size }, to: range });
    });
    plan.run(times, copies);
    return results;
  }

  dispose(): void {
    const engine = this.plan?.engine;
    this.plan?.dispose();
    this.plan = null;
    if (engine)
      for (const range of [...this.#inputs, ...this.#copies.map(({ range }) => range)]) engine.free(range);
    this.#inputs = [];
    this.#copies = [];
  }
}

/**
 * A function of tensors and variables as one planned step.
 *
 * `fn` is run on placeholders at the first call with arguments of new shapes or dtypes; it must be
 * synchronous, cannot read numbers, and updates variables with `assign`. A plan is keyed by the
 * arguments' shapes and dtypes and the `trainable` flags of the variables it reads; whatever else fn
 * depends on is a constant of the trace. At most 16 plans are kept.
 *
 * Throws StateError for an asynchronous fn, for `data()` inside it, and for capture inside capture.
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
  options: CaptureOptions = {},
): Captured<A, R> {
  const label = options.name ?? (fn.name || 'captured step');
  const entries = new Map<string, Entry>();
  const inFlight: Promise<void>[] = [];
  let traces = 0;
  let latest: Entry | null = null;

  const entryFor = (args: readonly Tensor[], engine: Engine): Entry => {
    const key = args.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    let entry = entries.get(key);
    if (!entry?.isCurrent() || engine.options.debug?.noReplay) {
      const fresh = new Entry(fn as never, args, label);
      entry?.dispose();
      entry = fresh;
      traces++;
    }
    // Most recently used goes last.
    entries.delete(key);
    entries.set(key, entry);
    latest = entry;
    if (entries.size > PLANS) {
      const [oldest, old] = entries.entries().next().value!;
      old.dispose();
      entries.delete(oldest);
    }
    return entry;
  };

  const engineFor = async (args: readonly Tensor[]): Promise<Engine> =>
    options.engine ?? args.find((x) => x.engine)?.engine ?? defaultEngine();

  /** What a call with these arguments runs, made ready in its turn. */
  const called = async <T>(
    given: A,
    use: (entry: Entry, plan: Plan, values: readonly Tensor[], engine: Engine) => Promise<T>,
  ): Promise<T> => {
    const args = given.map((arg) => toTensor(arg).checkUsable(label));
    const values = args.map((arg) => (arg instanceof Variable ? arg.value : arg));
    const engine = await engineFor(values);
    return serial(engine, async () => {
      engine.check(label);
      const entry = entryFor(values, engine);
      return use(entry, await entry.ready(engine, label, options.onCompile), values, engine);
    });
  };

  const step = (...given: A): Promise<R> =>
    called(given, async (entry, _plan, values, engine) => {
      await entry.bind(values, engine);
      const results = entry.run(engine, 1);
      let next = 0;
      return mapTensors(entry.structure, () => results[next++]) as R;
    });

  return Object.defineProperties(
    Object.assign(step, {
      prepare: (...given: A): Promise<void> =>
        called(given, async (_entry, plan, _values, engine) => {
          const hear = options.onCompile ?? engine.options.onCompile;
          await engine.warm(plan.recording, (done, total) => hear?.(done, total, 'compiling'));
        }),
      async replay(times = 1): Promise<void> {
        const engine = await engineFor([]);
        await serial(engine, async () => {
          engine.check(label);
          for (let left = times; left > 0; ) {
            const entry = entryFor([], engine);
            if (entry.outputs.length > 0 || entry.placeholders.length > 0)
              throw new StateError(`replay: '${label}' has arguments or results; call it instead.`);
            await entry.ready(engine, label, options.onCompile);
            const now = engine.options.debug?.noReplay ? 1 : left;
            entry.run(engine, now);
            left -= now;
          }
        });
        const done = engine.idle();
        done.catch(() => {});
        inFlight.push(done);
        if (inFlight.length >= IN_FLIGHT) await inFlight.shift();
      },
      profile: ({ measure = true } = {}, ...given: A): Promise<StepProfile> =>
        called(given, async (entry, plan, values, engine) => {
          const { profileOf } = await planner();
          if (!measure) return profileOf(plan, null);
          await entry.bind(values, engine);
          const updated = [...entry.trace.values.keys()].map((variable) => variable.home!);
          return profileOf(plan, await engine.timeStep(plan.recording, updated));
        }),
      explain: (): readonly PlannedKernel[] => latest?.plan?.kernels ?? [],
      dispose(): void {
        for (const entry of entries.values()) entry.dispose();
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
