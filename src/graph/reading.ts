/** Reading numbers and giving memory back. */
import { StateError } from '../base/errors.ts';
import { type TypedArray, typedArray } from '../ops/dtype.ts';
import { type Tensor, tracing, Variable } from '../ops/tensor.ts';
import { compute } from './compute.ts';
import { inTurn, serial } from './engines.ts';
import { leafRange, release, withRoom } from './runtime.ts';
import { leaveHome } from './variables.ts';

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
  const bytes = await serial(tensor.engine, async (engine) => {
    engine.check('data');
    if (tensor.host && !tensor.storage) return { pending: tensor.host.slice().buffer as ArrayBuffer };
    await withRoom(engine, async () => {
      if (!tensor.op || tensor.storage) leafRange(tensor, engine);
      else await compute([tensor], engine);
    });
    // The copy is submitted now; waiting for it must not hold up others.
    return { pending: engine.read(tensor.storage!) };
  });
  return typedArray(tensor.dtype, await bytes.pending, tensor.size);
}

/** See `Tensor.dispose`. What was asked for before still gets its numbers. */
export function dispose(x: Tensor): void {
  if (x.gone !== null) return;
  x.gone = 'was disposed of.';
  const { engine } = x instanceof Variable ? x.value : x;
  if (!engine) return;
  inTurn(engine, () => {
    if (x instanceof Variable) {
      leaveHome(x, engine);
      if (x.value.storage && x.value.readers!.length === 0) freeMemory(x.value);
    } else freeMemory(x);
  });
}

function freeMemory(tensor: Tensor): void {
  const { engine } = tensor;
  const range = release(tensor);
  if (range && engine) engine.free(range);
  tensor.host = null;
}
