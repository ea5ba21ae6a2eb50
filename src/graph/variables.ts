/**
 * What a variable's value is from one moment to the next: assignment, the place where captured steps find
 * and update it, and what happens to those who still want the old value.
 */
import { ShapeError } from '../base/errors.ts';
import { align } from '../engine/align.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import { identity, type TensorLike, toTensor } from '../ops/constant.ts';
import { apply } from '../ops/define.ts';
import { byteSize } from '../ops/dtype.ts';
import { cast } from '../ops/select.ts';
import { sameShape, show } from '../ops/shape.ts';
import { Tensor, tracing, type Variable } from '../ops/tensor.ts';
import { compute, engineOf, leafRange, release, serial, settle } from './runtime.ts';

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

/** The values that lie at the homes of variables that have been assigned since: collected, they would free the homes. */
const atHome = new WeakMap<Variable, Tensor>();
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
  const { value: old, home } = variable;
  if (home && old.storage === home) atHome.set(variable, old);
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

/** A variable's value from now on, whose numbers are elsewhere on the GPU already. */
function newValue(variable: Variable, engine: Engine): Tensor {
  const value = new Tensor(variable.shape, variable.dtype, null, [], {}, engine);
  replaceValue(variable, value);
  return value;
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
  const old = atHome.get(variable);
  if (old?.storage === variable.home) moveOut(variable, old, engine);
  atHome.delete(variable);
  engine.copy(range, variable.home);
  settle(newValue(variable, engine), engine, variable.home);
}

/** Takes the value at a variable's home away from there: to a place of its own when somebody still waits for it. */
function moveOut(variable: Variable, old: Tensor, engine: Engine): BufferRange {
  const home = release(old)!;
  if (hasPendingReaders(old)) {
    const copy = engine.allocate(home.size, `${variable.name}, before`);
    engine.copy(home, copy);
    settle(old, engine, copy);
  } else old.gone = `: ${variable.toString()} was updated since; read it before the update.`;
  return home;
}

/**
 * Before a captured step overwrites a variable: the value that others still wait to read gets memory of
 * its own, and the variable a new value at home.
 */
export function beforeOverwrite(variable: Variable, engine: Engine): void {
  const old = variable.value;
  if (!old.readers || old.readers.length === 0) return;
  const home = moveOut(variable, old, engine);
  settle(newValue(variable, engine), engine, home);
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

export function leaveBlock(variable: Variable): void {
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
    // The old value keeps its memory for whoever was made from it, and so does an older one that lay at home.
    if (variable.home && value.storage !== variable.home && !atHome.delete(variable))
      engine.free(variable.home);
    leaveBlock(variable);
    blockOf.set(variable, block);
    collectedMembers.register(variable, block, variable);
    newValue(variable, engine).storage = home;
    variable.home = home;
  });
}
