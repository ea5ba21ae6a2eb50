/** From descriptions to numbers: the memory of tensors, and the evaluation of lazy ones. */
import { DisposedError, EngineMismatchError } from '../base/errors.ts';
import type { BufferRange } from '../engine/arena.ts';
import type { Engine } from '../engine/engine.ts';
import { byteSize } from '../ops/dtype.ts';
import type { Tensor } from '../ops/tensor.ts';
import { planner } from './engines.ts';

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
  const pending = [...new Set(tensors)].filter((x) => !x.storage && x.op);
  if (pending.length === 0) return;
  const direct = new Map<Tensor, BufferRange>();
  try {
    for (const x of pending) direct.set(x, engine.allocate(byteSize(x.dtype, x.size), x.op!.name));
    const full = pending.filter(({ size }) => size > 0);
    if (full.length > 0) {
      const { makePlan } = await planner();
      const plan = await makePlan({
        label: `compute ${full[0].op!.name}`,
        engine,
        outputs: full,
        effects: [],
        leafOf: () => undefined,
        leafRange: (leaf) => leafRange(leaf, engine),
        variableRange: () => {
          throw new Error('no effects here');
        },
        direct,
      });
      // An output that turned out to be a leaf or another output's twin lies elsewhere: copy.
      const copies = full.flatMap((x, i) => {
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
