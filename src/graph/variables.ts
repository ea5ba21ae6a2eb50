/**
 * What a variable's value is from one moment to the next.
 *
 * A value is a node of its own: whoever is made from it reads that value, whatever the variable becomes. A captured
 * step finds and updates a variable at its *home*, a place that does not move. The node that lies there is the
 * *resident*; one that still has readers is copied away before the step overwrites it. The node that will lie there
 * once the steps asked for so far have run is the *promised* one: it is the variable's value from the call on.
 */
import { EngineMismatchError, ShapeError } from '../base/errors.ts';
import { align } from '../engine/align.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import { identity, type TensorLike, toTensor } from '../ops/constant.ts';
import { addReader, apply } from '../ops/define.ts';
import { byteSize } from '../ops/dtype.ts';
import { cast } from '../ops/select.ts';
import { sameShape, show } from '../ops/shape.ts';
import { Tensor, tracing, type Variable } from '../ops/tensor.ts';
import { compute } from './compute.ts';
import { follow, serial } from './engines.ts';
import { isPending, leafRange, release, settle, withRoom } from './runtime.ts';

// ---- assignment

let assignments = 0;

/** A value of its own for a variable: no other variable or result shares the node. */
export function ownValue(variable: Variable, value: TensorLike): Tensor {
  let x = toTensor(value, variable.dtype);
  if (!sameShape(x.shape, variable.shape))
    throw new ShapeError(
      `assign: ${variable.toString()} cannot take a value of shape ${show(x.shape)}; shapes must be equal.`,
    );
  if (x.dtype !== variable.dtype) x = cast(x, variable.dtype);
  return apply(identity, [x], { assignment: ++assignments });
}

const dirty = new Map<Variable, Tensor>();
let flushing: Promise<void> | null = null;

/** After so many plans of assignments, the adapter may catch up. */
const FOLLOW_EVERY = 8;

/**
 * See `Variable.assign`. The new value holds at once; its numbers are computed in the background,
 * together with all other assignments made before the next await.
 */
export function assign(variable: Variable, value: TensorLike): Promise<void> {
  variable.checkUsable('assign');
  const node = ownValue(variable, value);
  if (tracing.current) {
    tracing.current.assign(variable, node);
    return Promise.resolve();
  }
  moveTo(node.engine, variable);
  node.engine ??= variable.value.engine;
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
  const byEngine = new Map<Engine | null, Tensor[]>();
  for (const node of dirty.values()) {
    const nodes = byEngine.get(node.engine);
    if (nodes) nodes.push(node);
    else byEngine.set(node.engine, [node]);
  }
  dirty.clear();
  flushing = null;
  const tasks = [...byEngine].map(([at, nodes]) =>
    serial(at, async (engine) => {
      await withRoom(engine, () => compute(nodes, engine));
      await follow(engine, FOLLOW_EVERY);
    }),
  );
  await Promise.all(tasks);
}

/** A variable stays with its engine, unless that is lost. */
function moveTo(engine: Engine | null, variable: Variable): void {
  const { engine: own } = variable.value;
  if (!engine || !own || engine === own) return;
  if (!own.lost)
    throw new EngineMismatchError(
      `assign: ${variable.toString()} and its new value belong to two engines. Read the value with data() first.`,
    );
  variable.home = null;
  variable.resident = null;
}

/** Puts a new value in place of a variable's; the old one stays readable for those made from it. */
function replaceValue(variable: Variable, value: Tensor): void {
  value.readers ??= [];
  variable.value = value;
  variable.engine = value.engine ?? variable.engine;
}

// ---- calls of captured steps, in the order of the code

/** The value that a variable has from now on, because a step that was just asked for will leave it at home. */
export function promise(variable: Variable, engine: Engine | null): Tensor {
  const { value, promised } = variable;
  // Nobody was made from the value that will be overwritten: then it may as well be the new one.
  if (value === promised && value.readers!.length === 0) return value;
  const next = new Tensor(variable.shape, variable.dtype, null, [], {}, engine);
  replaceValue(variable, next);
  variable.promised = next;
  return next;
}

/** The step did not run: what it promised is what was there before. */
export function takeBack(promised: Tensor, before: Tensor): void {
  if (promised === before || !isPending(promised)) return;
  promised.op = identity;
  promised.inputs = [before];
  promised.engine = before.engine;
  addReader(before.readers!, promised);
}

// ---- homes. All of these must run inside `serial`.

/** Is somebody waiting to be computed from this value? */
function hasPendingReaders(value: Tensor): boolean {
  const { readers } = value;
  if (!readers) return false;
  const live = readers.filter((reader) => {
    const node = reader.deref();
    return node !== undefined && isPending(node) && node.gone === null;
  });
  value.readers = live;
  return live.length > 0;
}

/** Makes a node the one that lies at the variable's home. */
function reside(variable: Variable, node: Tensor, engine: Engine): void {
  const home = variable.home!;
  variable.resident = node;
  if (blockOf(home)) {
    node.storage = home;
    node.engine = engine;
  } else settle(node, engine, home);
}

/** Takes the resident away from home: to a place of its own when somebody still waits for it. */
export function evict(variable: Variable, engine: Engine): void {
  const { resident: old, home } = variable;
  variable.resident = null;
  if (!old || old.storage !== home) return;
  release(old);
  if (hasPendingReaders(old)) {
    const copy = engine.allocate(home!.size, `${variable.name}, before`);
    engine.copy(home!, copy);
    settle(old, engine, copy);
  } else old.gone = `: ${variable.toString()} was updated since; read it before the update.`;
}

/** Makes sure that this value of a variable, which is computed, lies at its home, where captured steps find it. */
export function bringHome(variable: Variable, value: Tensor, engine: Engine): void {
  if (variable.home && value.storage === variable.home) return;
  const range = leafRange(value, engine);
  if (variable.home) {
    evict(variable, engine);
    engine.copy(range, variable.home);
    release(value);
    engine.free(range);
    reside(variable, value, engine);
  } else {
    variable.home = range;
    variable.resident = value;
  }
  if (variable.value === value) variable.promised = value;
}

/** Just before a step overwrites a variable's home: from then on, the promised node is what lies there. */
export function overwrite(variable: Variable, promised: Tensor, engine: Engine): void {
  if (variable.resident === promised) return;
  evict(variable, engine);
  reside(variable, promised, engine);
}

/** A range that several variables share. Each place in it knows it, so it lives as long as anybody reaches one of them. */
interface Block {
  readonly engine: Engine;
  readonly range: BufferRange;
  members: number;
}

const blockOf = (home: BufferRange): Block | undefined => (home as { block?: Block }).block;

const unreachable = new FinalizationRegistry<Omit<Block, 'members'>>(({ engine, range }) =>
  engine.free(range),
);

/** Gives up a variable's home. A block is freed when the last variable has left it, or when nobody reaches it any more. */
export function leaveHome(variable: Variable, engine: Engine): void {
  const { home } = variable;
  if (!home) return;
  evict(variable, engine);
  variable.home = null;
  const block = blockOf(home);
  if (!block) engine.free(home);
  else if (--block.members === 0) {
    unreachable.unregister(block);
    engine.free(block.range);
  }
}

/**
 * Moves variables that one step updates, and their present `values`, into one buffer, so that one dispatch can
 * update them all. Those that are together already, or would not fit one binding, stay.
 */
export function collocate(variables: readonly Variable[], values: readonly Tensor[], engine: Engine): void {
  const movable = variables.flatMap((variable, i) =>
    variable.size > 0 ? [[variable, values[i]] as const] : [],
  );
  const buffers = new Set(movable.map(([variable]) => variable.home?.buffer));
  if (movable.length < 2 || (buffers.size === 1 && !buffers.has(undefined))) return;
  const sizes = movable.map(([variable]) => align(byteSize(variable.dtype, variable.size)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > engine.profile.limits.maxStorageBufferBindingSize) return;
  const range = engine.allocate(total, 'parameters');
  const block: Block = { engine, range, members: movable.length };
  unreachable.register(block, { engine, range }, block);
  let { offset } = range;
  movable.forEach(([variable, value], i) => {
    const home = {
      buffer: range.buffer,
      offset,
      size: byteSize(variable.dtype, variable.size),
      block,
    };
    offset += sizes[i];
    const from = leafRange(value, engine);
    engine.copy(from, home);
    // The value moves; whoever was made from it finds it by its node.
    release(value);
    if (variable.resident === value) variable.resident = null;
    else engine.free(from);
    leaveHome(variable, engine);
    variable.home = home;
    reside(variable, value, engine);
    if (variable.value === value) variable.promised = value;
  });
}
