/** The memory of tensors: how they get it, how long computed numbers stay on the GPU, and how they leave it. */
import { DisposedError, EngineMismatchError, OutOfMemoryError } from '../base/errors.ts';
import { align } from '../engine/align.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import { byteSize, typedArray } from '../ops/dtype.ts';
import type { Tensor } from '../ops/tensor.ts';

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

/** Throws when a tensor belongs to another engine than the one that is to use it. */
export function checkHome(tensor: Tensor, engine: Engine): void {
  if (tensor.engine && tensor.engine !== engine)
    throw new EngineMismatchError(
      `${tensor.toString()} belongs to another engine. Read it with data() and make it anew with tensor(…, { engine }).`,
    );
}

/** The memory of a leaf on this engine, uploading host data at first use. */
export function leafRange(leaf: Tensor, engine: Engine): BufferRange {
  checkHome(leaf, engine);
  if (leaf.storage) return leaf.storage;
  if (!leaf.host) throw new DisposedError(`${leaf.toString()} ${leaf.gone ?? 'has no value any more'}`);
  const range = engine.allocate(byteSize(leaf.dtype, leaf.size), 'tensor');
  engine.write(range, leaf.host);
  settle(leaf, engine, range);
  if (moved.has(leaf)) note(leaf, engine);
  else if (leaf.host.byteLength > KEEP_HOST_BYTES) leaf.host = null;
  return range;
}

/** Is it an expression whose numbers are nowhere yet? */
export const isPending = (x: Tensor): boolean => x.storage === null && x.host === null;

/** Memory for tensors: all of it, or an error and none. */
export function allocateAll(
  engine: Engine,
  tensors: readonly Tensor[],
  labelOf: (x: Tensor) => string,
): Map<Tensor, BufferRange> {
  const ranges = new Map<Tensor, BufferRange>();
  try {
    for (const x of tensors) ranges.set(x, engine.allocate(byteSize(x.dtype, x.size), labelOf(x)));
  } catch (error) {
    for (const range of ranges.values()) engine.free(range);
    throw error;
  }
  return ranges;
}

// ---- results
//
// The garbage collector knows nothing of GPU memory, so what a program drops may lie there for long. Therefore by
// rule: of all results of an engine, the latest stay where they are, as many as BOUND allows; older ones move to the
// host, where they can be read and used as before, and where the collector sees what they weigh.

/** Most bytes and numbers of results that stay on the GPU; with `init({ maxBytes })`, a quarter of those bytes at most. */
const BOUND = { bytes: 512 << 20, count: 4096 };

interface Result {
  readonly tensor: WeakRef<Tensor>;
  readonly range: BufferRange;
}

interface Results {
  /** Oldest first. */
  all: Result[];
  bytes: number;
}

/** Results whose numbers are on the host, which keeps them when they are needed on the GPU again. */
const moved = new WeakSet<Tensor>();

const resultsOf = new WeakMap<Engine, Results>();

const bytesOf = ({ range }: Result): number => align(Math.max(range.size, 1));

/** Is the tensor still there, and its numbers where they were computed? */
const lives = ({ tensor, range }: Result): boolean => tensor.deref()?.storage === range;

function keepOnly(results: Results, some: Result[]): void {
  results.all = some;
  results.bytes = some.reduce((sum, result) => sum + bytesOf(result), 0);
}

/** Counts a result that has memory. */
function note(tensor: Tensor, engine: Engine): void {
  const result = { tensor: new WeakRef(tensor), range: tensor.storage! };
  const results = resultsOf.get(engine) ?? { all: [], bytes: 0 };
  resultsOf.set(engine, results);
  results.all.push(result);
  results.bytes += bytesOf(result);
}

/** Counts new results, and moves older ones to the host when there are too many. Must run inside `serial`. */
export async function keepInBounds(engine: Engine, tensors: readonly Tensor[]): Promise<void> {
  for (const tensor of tensors) note(tensor, engine);
  const results = resultsOf.get(engine);
  if (!results) return;
  const most = Math.min(BOUND.bytes, (engine.options.maxBytes ?? Number.POSITIVE_INFINITY) / 4);
  const over = ({ all, bytes }: Results): boolean => bytes > most || all.length > BOUND.count;
  if (!over(results)) return;
  keepOnly(results, results.all.filter(lives));
  if (!over(results)) return;
  // Down to a half, so that many move at once and seldom.
  let keep = results.all.length - tensors.length;
  let kept = tensors.reduce((sum, tensor) => sum + align(tensor.storage!.size), 0);
  while (keep > 0 && results.all.length - keep < BOUND.count / 2) {
    kept += bytesOf(results.all[keep - 1]);
    if (kept > most / 2) break;
    keep--;
  }
  await moveToHost(engine, results, keep);
}

/** Most bytes that move to the host at once. */
const GROUP_BYTES = 32 << 20;

/** Moves the `count` oldest results to the host, as many at once as there is room for. */
async function moveToHost(engine: Engine, results: Results, count: number): Promise<void> {
  const moving = results.all.slice(0, count);
  keepOnly(results, results.all.slice(count));
  while (moving.length > 0) {
    const room = (engine.options.maxBytes ?? Number.POSITIVE_INFINITY) - engine.memory().allocatedBytes;
    const most = Math.min(GROUP_BYTES, room / 2);
    const group: { tensor: Tensor; range: BufferRange }[] = [];
    for (let bytes = 0; moving.length > 0; ) {
      const { tensor: weak, range } = moving[0];
      const tensor = weak.deref();
      bytes += bytesOf(moving[0]);
      if (group.length > 0 && bytes > most) break;
      moving.shift();
      if (tensor?.storage !== range) continue;
      if (tensor.host) engine.free(release(tensor)!);
      else group.push({ tensor, range });
    }
    const words = group.map(({ range }) => ({ ...range, size: align(range.size, 4) }));
    const bytes = await engine.readAll(words);
    let at = 0;
    for (const [i, { tensor, range }] of group.entries()) {
      const own = bytes.slice(at, at + words[i].size);
      at += words[i].size;
      // It may have been given another place meanwhile.
      if (tensor.storage !== range) continue;
      tensor.host = typedArray(tensor.dtype, own, tensor.size);
      moved.add(tensor);
      release(tensor);
      engine.free(range);
    }
  }
}

/** Does a task that changes nothing when there is no room; then all results make room, and it is tried once more. */
export async function withRoom<T>(engine: Engine, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const results = resultsOf.get(engine);
    if (!(error instanceof OutOfMemoryError) || !results?.all.some(lives)) throw error;
    try {
      await moveToHost(engine, results, results.all.length);
    } catch {
      throw error;
    }
    return task();
  }
}
