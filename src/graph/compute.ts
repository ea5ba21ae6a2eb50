/** From descriptions to numbers: lazy tensors are planned, run once, and have memory from then on. */
import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../ops/tensor.ts';
import { planner } from './engines.ts';
import { allocateAll, isPending, keepInBounds, leafRange, settle } from './runtime.ts';

/** Variables have a history; plain tensors that were evaluated need none, and let their inputs go. */
function letGo(tensor: Tensor): void {
  if (tensor.tracked && tensor.readers === null) return;
  tensor.op = null;
  tensor.inputs = [];
}

/** Computes tensors that have no memory yet, all in one plan. Must run inside `serial`. */
export async function compute(tensors: readonly Tensor[], engine: Engine): Promise<void> {
  const pending = [...new Set(tensors)].filter((x) => x.op && isPending(x));
  if (pending.length === 0) return;
  const direct = allocateAll(engine, pending, (x) => x.op!.name);
  try {
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
  await keepInBounds(
    engine,
    pending.filter(({ readers }) => readers === null),
  );
}
