/** Recurrent layers composed of ops, step by step: for what the kernels of ops/recurrence.ts do not know. */
import { add, mul, sub } from '../../ops/binary.ts';
import { zeros } from '../../ops/constant.ts';
import { matmul } from '../../ops/matmul.ts';
import { reshape, slice, stack } from '../../ops/movement.ts';
import { cells } from '../../ops/recurrence/cells.ts';
import type { RecurrenceOptions } from '../../ops/recurrence.ts';
import { cast, where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';

type Function = (x: Tensor) => Tensor;

/** What {@link recurrence} takes, with any activations. */
export interface StepwiseOptions extends Omit<RecurrenceOptions, 'activation' | 'recurrentActivation'> {
  readonly activation: Function;
  readonly recurrentActivation: Function;
}

/** What `recurrence` gives: all h', and for an LSTM the last c as one step more. */
export function stepwise(
  x: Tensor,
  u: Tensor,
  { cell, activation: a, recurrentActivation: s, bias, state, on, drop }: StepwiseOptions,
): Tensor {
  const [rows, steps] = x.shape;
  const [units] = u.shape;
  const { states } = cells[cell];
  const at = (from: Tensor, index: number): Tensor =>
    reshape(slice(from, [index, 0, 0], [1, rows, units]), [rows, units]);
  let h = state ? at(state, 0) : zeros([rows, units]);
  let c = state && states > 1 ? at(state, 1) : zeros([rows, units]);
  const copies = drop?.shape[1] ?? 1;
  const through = (source: Tensor, gate: number): Tensor => {
    const mask = drop && reshape(slice(drop, [0, gate % copies, 0], [rows, 1, units]), [rows, units]);
    const made = matmul(mask ? mul(source, mask) : source, slice(u, [0, gate * units], [units, units]));
    return bias ? add(made, slice(bias, [gate * units], [units])) : made;
  };
  const all: Tensor[] = [];
  for (let t = 0; t < steps; t++) {
    const fed = (gate: number): Tensor =>
      reshape(slice(x, [0, t, gate * units], [rows, 1, units]), [rows, units]);
    const gate = (index: number): Tensor => add(fed(index), through(h, index));
    let [nextH, nextC] = [h, c];
    if (cell === 'simple') nextH = a(gate(0));
    else if (cell === 'lstm') {
      nextC = add(mul(s(gate(1)), c), mul(s(gate(0)), a(gate(2))));
      nextH = mul(s(gate(3)), a(nextC));
    } else {
      const [z, r] = [s(gate(0)), s(gate(1))];
      const inner = cell === 'gru' ? mul(r, through(h, 2)) : through(mul(r, h), 2);
      nextH = add(mul(z, h), mul(sub(1, z), a(add(fed(2), inner))));
    }
    if (on) {
      const counts = cast(slice(on, [0, t], [rows, 1]), 'bool');
      [nextH, nextC] = [where(counts, nextH, h), where(counts, nextC, c)];
    }
    [h, c] = [nextH, nextC];
    all.push(h);
  }
  return stack(states > 1 ? [...all, c] : all, 1);
}
