/**
 * From descriptions to numbers: the default engine, evaluation of lazy tensors, reading, and what a
 * variable's value is from one moment to the next.
 */
import { DisposedError, EngineMismatchError, StateError } from '../base/errors.ts';
import { loaded } from '../base/loaded.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine, InitOptions } from '../engine/engine.ts';
import { byteSize, type TypedArray, typedArray } from '../ops/dtype.ts';
import { type Tensor, tracing, Variable } from '../ops/tensor.ts';
import { leaveBlock } from './variables.ts';

// ---- engines

let first: Promise<Engine> | null = null;

/**
 * Opens a GPU device and returns its Engine. The first one is the default for tensors that belong to no
 * other; calling it is optional, first use initialises. After the default engine was closed or lost, the
 * next `init` takes its place.
 *
 * ```ts
 * const engine = await init({ seed: 42 });
 * console.log(engine.profile.description);
 * ```
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  if (!first) seed = options.seed ?? seed;
  const known = await first?.catch(() => null);
  // What talks to the GPU is loaded with the first engine: a page shows itself before that.
  const opening = planner().then(({ Engine }) => Engine.create(options));
  if (!known || known.lost) {
    first = opening;
    opening.then(
      (engine) => {
        seed = engine.seed;
      },
      () => {
        if (first === opening) first = null;
      },
    );
  }
  return opening;
}

let seed: number | null = null;

/** The default engine's seed; before there is one, the seed asked for, or a random one. */
export function seedInUse(): number {
  seed ??= crypto.getRandomValues(new Uint32Array(1))[0];
  return seed;
}

/** The default engine; opened with default options at first use. */
export async function defaultEngine(): Promise<Engine> {
  first ??= init();
  return first;
}

const queues = new WeakMap<Engine, Promise<unknown>>();

/** Runs tasks of one engine one after the other, in the order in which they were asked for. */
export function serial<T>(engine: Engine, task: () => Promise<T>): Promise<T> {
  const before = queues.get(engine) ?? Promise.resolve();
  const mine = before.then(task, task);
  queues.set(
    engine,
    mine.catch(() => {}),
  );
  return mine;
}

// ---- memory of tensors

const collected = new FinalizationRegistry<{ engine: Engine; range: BufferRange }>(({ engine, range }) =>
  engine.free(range),
);

/** Gives a tensor its memory; it is freed on dispose, or when the tensor is collected. */
export function settle(tensor: Tensor, engine: Engine, range: BufferRange): void {
  tensor.storage = range;
  tensor.engine = engine;
  collected.register(tensor, { engine, range }, tensor);
}

/** Takes a tensor's memory away without freeing it: somebody else owns it now. */
export function release(tensor: Tensor): BufferRange | null {
  const { storage } = tensor;
  collected.unregister(tensor);
  tensor.storage = null;
  return storage;
}

/** Host data above this is dropped once it is on the GPU. */
const KEEP_HOST_BYTES = 1 << 16;

/** The memory of a leaf on this engine, uploading host data at first use. */
export function leafRange(leaf: Tensor, engine: Engine): BufferRange {
  if (leaf.engine && leaf.engine !== engine)
    throw new EngineMismatchError(
      `${leaf.toString()} belongs to another engine. Read it with data() and make it anew with tensor(…, { engine }).`,
    );
  if (leaf.storage) return leaf.storage;
  if (!leaf.host) throw new DisposedError(`${leaf.toString()} ${leaf.gone ?? 'has no value any more'}`);
  const range = engine.allocate(byteSize(leaf.dtype, leaf.size), 'tensor');
  engine.write(range, leaf.host);
  settle(leaf, engine, range);
  if (leaf.host.byteLength > KEEP_HOST_BYTES) leaf.host = null;
  return range;
}

/** Variables have a history; plain tensors that were evaluated need none, and let their inputs go. */
function letGo(tensor: Tensor): void {
  if (tensor.tracked && tensor.readers === null) return;
  tensor.op = null;
  tensor.inputs = [];
}

export const planner = () => loaded('weft: the planner', import('./planner.ts'));

/** Computes tensors that have no memory yet, all in one plan. Must run inside `serial`. */
export async function compute(tensors: readonly Tensor[], engine: Engine): Promise<void> {
  const pending = [...new Set(tensors)].filter((x) => !x.storage && x.op && x.size > 0);
  const direct = new Map<Tensor, BufferRange>();
  try {
    for (const x of pending) direct.set(x, engine.allocate(byteSize(x.dtype, x.size), x.op!.name));
    if (pending.length > 0) {
      const { makePlan } = await planner();
      const plan = await makePlan({
        label: `compute ${pending[0].op!.name}`,
        engine,
        outputs: pending,
        effects: [],
        leafOf: () => undefined,
        leafRange: (leaf) => leafRange(leaf, engine),
        variableRange: () => {
          throw new Error('no effects here');
        },
        direct,
      });
      // An output that turned out to be a leaf or another output's twin lies elsewhere: copy.
      const copies = pending.flatMap((x, i) => {
        const to = direct.get(x)!;
        const from = plan.outputs[i];
        return from.buffer === to.buffer && from.offset === to.offset
          ? []
          : [{ from: { ...from, size: to.size }, to }];
      });
      plan.run(1, copies);
      plan.dispose();
    }
  } catch (error) {
    for (const range of direct.values()) engine.free(range);
    throw error;
  }
  for (const [x, range] of direct) {
    settle(x, engine, range);
    letGo(x);
  }
}

/** The engine of some tensors: their own, or the default. */
export async function engineOf(tensors: readonly Tensor[]): Promise<Engine> {
  return tensors.find((x) => x.engine)?.engine ?? defaultEngine();
}

// ---- reading and disposing

const reading = new WeakMap<Tensor, number>();

/** See `Tensor.data`. */
export async function read(x: Tensor): Promise<TypedArray> {
  if (tracing.current)
    throw new StateError(
      'data: a captured function only describes the step; return the tensor and read it outside.',
    );
  x.checkUsable('data');
  const tensor = x instanceof Variable ? x.value : x;
  if (tensor.host && !tensor.storage) return tensor.host.slice();
  if (tensor.size === 0) return typedArray(tensor.dtype, new ArrayBuffer(0), 0);
  reading.set(tensor, (reading.get(tensor) ?? 0) + 1);
  try {
    const engine = await engineOf([tensor]);
    const bytes = await serial(engine, async () => {
      engine.check('data');
      if (!tensor.op || tensor.storage) leafRange(tensor, engine);
      else await compute([tensor], engine);
      // The copy is submitted now; waiting for it must not hold up others.
      return { pending: engine.read(tensor.storage!) };
    });
    return typedArray(tensor.dtype, await bytes.pending, tensor.size);
  } finally {
    const left = reading.get(tensor)! - 1;
    reading.set(tensor, left);
    if (left === 0 && tensor.gone !== null) freeMemory(tensor);
  }
}

function freeMemory(tensor: Tensor): void {
  const { engine } = tensor;
  const range = release(tensor);
  if (range && engine) engine.free(range);
  tensor.host = null;
}

/** See `Tensor.dispose`. Reads under way still get their numbers. */
export function dispose(x: Tensor): void {
  if (x.gone !== null) return;
  x.gone = 'was disposed of.';
  if (x instanceof Variable) {
    const { engine } = x.value;
    dispose(x.value);
    if (x.home && engine) engine.free(x.home);
    leaveBlock(x);
    x.home = null;
    return;
  }
  if (!reading.get(x)) freeMemory(x);
}
