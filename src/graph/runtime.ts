/**
 * From descriptions to numbers: the default engine, evaluation of lazy tensors, reading, and what a
 * variable's value is from one moment to the next.
 */
import { DisposedError, EngineMismatchError, ShapeError, StateError } from '../base/errors.ts';
import { align, type BufferRange } from '../engine/arena.ts';
import { Engine, type InitOptions } from '../engine/engine.ts';
import { type TensorLike, toTensor } from '../ops/constant.ts';
import { apply, type Op, registry } from '../ops/define.ts';
import { byteSize, type TypedArray, typedArray } from '../ops/dtype.ts';
import { cast } from '../ops/select.ts';
import { sameShape, show } from '../ops/shape.ts';
import { Tensor, tracing, Variable } from '../ops/tensor.ts';
import { makePlan } from './plan.ts';

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
  const opening = Engine.create(options);
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

/** Computes tensors that have no memory yet, all in one plan. Must run inside `serial`. */
export async function compute(tensors: readonly Tensor[], engine: Engine): Promise<void> {
  const pending = [...new Set(tensors)].filter((x) => !x.storage && x.op && x.size > 0);
  const direct = new Map<Tensor, BufferRange>();
  try {
    for (const x of pending) direct.set(x, engine.allocate(byteSize(x.dtype, x.size), x.op!.name));
    if (pending.length > 0) {
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

// ---- variables

const identity = (): Op => registry.get('identity') as Op;
let assignments = 0;

/** A value of its own for a variable: no other variable or result shares the node. */
export function ownValue(variable: Variable, value: TensorLike): Tensor {
  let x = toTensor(value, variable.dtype);
  if (!sameShape(x.shape, variable.shape))
    throw new ShapeError(
      `assign: ${variable.toString()} cannot take a value of shape ${show(x.shape)}; shapes must be equal.`,
    );
  if (x.dtype !== variable.dtype) x = cast(x, variable.dtype);
  return apply(identity(), [x], { assignment: ++assignments });
}

const dirty = new Map<Variable, Tensor>();
let flushing: Promise<void> | null = null;

/**
 * See `Variable.assign`. The new value holds at once; its numbers are computed in the background,
 * together with all other assignments made before the next await.
 */
export function assign(variable: Variable, value: TensorLike): Promise<void> {
  variable.checkUsable('assign');
  const node = ownValue(variable, value);
  node.engine ??= variable.value.engine;
  if (tracing.current) {
    tracing.current.assign(variable, node);
    return Promise.resolve();
  }
  replaceValue(variable, node);
  dirty.set(variable, node);
  flushing ??= Promise.resolve().then(flush);
  flushing.catch(() => {});
  return flushing;
}

/** Several assignments as one. */
export function assignAll(pairs: readonly (readonly [Variable, TensorLike])[]): Promise<void> {
  let done: Promise<void> = Promise.resolve();
  for (const [variable, value] of pairs) done = assign(variable, value);
  return done;
}

async function flush(): Promise<void> {
  const nodes = [...dirty.values()];
  dirty.clear();
  flushing = null;
  const engine = await engineOf(nodes);
  await serial(engine, () => compute(nodes, engine));
}

/** Puts a new value in place of a variable's; the old one stays readable for those made from it. */
export function replaceValue(variable: Variable, value: Tensor): void {
  value.readers ??= [];
  variable.value = value;
  variable.engine = value.engine ?? variable.engine;
}

/** Is somebody waiting to be computed from this value? */
export function hasPendingReaders(value: Tensor): boolean {
  const { readers } = value;
  if (!readers) return false;
  const live = readers.filter((reader) => {
    const node = reader.deref();
    return node !== undefined && node.storage === null && node.gone === null;
  });
  value.readers = live;
  return live.length > 0;
}

/**
 * Makes sure that a variable's value lies at its home, where captured steps find it. Must run inside
 * `serial`, after `compute` of the value.
 */
export function bringHome(variable: Variable, engine: Engine): void {
  const { value } = variable;
  if (variable.home && value.storage === variable.home) return;
  const range = leafRange(value, engine);
  if (!variable.home) {
    variable.home = range;
    return;
  }
  engine.copy(range, variable.home);
  const atHome = new Tensor(variable.shape, variable.dtype, null, [], {}, engine);
  settle(atHome, engine, variable.home);
  replaceValue(variable, atHome);
}

/**
 * Before a captured step overwrites a variable: the value that others still wait to read gets memory of
 * its own, and the variable a new value at home.
 */
export function beforeOverwrite(variable: Variable, engine: Engine): void {
  const old = variable.value;
  if (!old.readers || old.readers.length === 0) return;
  const home = release(old)!;
  if (hasPendingReaders(old)) {
    const copy = engine.allocate(home.size, `${variable.name}, before`);
    engine.copy(home, copy);
    settle(old, engine, copy);
  } else old.gone = `: ${variable.toString()} was updated since; read it before the update.`;
  const next = new Tensor(variable.shape, variable.dtype, null, [], {}, engine);
  settle(next, engine, home);
  replaceValue(variable, next);
}

/** A range that several variables share, and how many of them are left. */
interface Block {
  readonly engine: Engine;
  readonly range: BufferRange;
  members: number;
}

const blockOf = new WeakMap<Variable, Block>();

/** A block is freed when the last variable in it is disposed of, moved away or collected. */
const collectedMembers = new FinalizationRegistry<Block>(leave);

function leave(block: Block): void {
  if (--block.members === 0) block.engine.free(block.range);
}

function leaveBlock(variable: Variable): void {
  const block = blockOf.get(variable);
  if (!block) return;
  collectedMembers.unregister(variable);
  blockOf.delete(variable);
  leave(block);
}

/**
 * Moves variables that one step updates into one buffer, so that one dispatch can update them all.
 * Those that are together already, or would not fit one binding, stay. Must run inside `serial`, after
 * `compute` of the values.
 */
export function collocate(variables: readonly Variable[], engine: Engine): void {
  const movable = variables.filter((variable) => variable.size > 0 && variable.value.storage);
  const buffers = new Set(movable.map((variable) => variable.home?.buffer));
  if (movable.length < 2 || (buffers.size === 1 && !buffers.has(undefined))) return;
  const sizes = movable.map((variable) => align(byteSize(variable.dtype, variable.size)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > engine.profile.limits.maxStorageBufferBindingSize) return;
  const block: Block = { engine, range: engine.allocate(total, 'parameters'), members: movable.length };
  let { offset } = block.range;
  movable.forEach((variable, i) => {
    const { value } = variable;
    const home: BufferRange = {
      buffer: block.range.buffer,
      offset,
      size: byteSize(variable.dtype, variable.size),
    };
    offset += sizes[i];
    engine.copy(value.storage!, home);
    // The old value keeps its memory for whoever was made from it; a home that held something older is free.
    if (variable.home && value.storage !== variable.home) engine.free(variable.home);
    leaveBlock(variable);
    blockOf.set(variable, block);
    collectedMembers.register(variable, block, variable);
    const next = new Tensor(variable.shape, variable.dtype, null, [], {}, engine);
    next.storage = home;
    replaceValue(variable, next);
    variable.home = home;
  });
}
