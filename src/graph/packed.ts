/** Products that read rows of packed bytes where they lie, instead of a copy as f32. */
import type { Profile } from '../engine/profile.ts';
import type { Tensor } from '../ops/tensor.ts';
import { Generator, type Source } from './generate.ts';
import { callOf, type Kernel } from './kernel.ts';

/** Is x: [rows, extent] made of rows of one memory of packed bytes, element by element, and of scalars? */
export function readsPackedRows(x: Tensor, source: (x: Tensor) => Source | null): boolean {
  const generator = new Generator(source);
  const rows = generator.rows(x);
  if (!rows) return false;
  const read = generator.bindings.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(rows.four));
  return read.length === 1 && read[0].source.tensor.dtype === 'u8';
}

/** The expressions that kernels of these compute as they read packed rows, and which kernels do. */
export function packedReads(
  kernels: readonly Kernel[],
  hasMemory: (x: Tensor) => boolean,
  profile: Profile,
): Map<Tensor, Set<Kernel>> {
  const found = new Map<Tensor, Set<Kernel>>();
  const source = (x: Tensor) => (hasMemory(x) ? { key: x, tensor: x } : null);
  for (const kernel of kernels)
    for (const name of kernel.family?.packed?.(callOf(kernel, profile)) ?? []) {
      const input = kernel.inputs.get(name)!;
      if (hasMemory(input) || !readsPackedRows(input, source)) continue;
      const stack = [input];
      for (let node = stack.pop(); node; node = stack.pop()) {
        found.set(node, (found.get(node) ?? new Set()).add(kernel));
        stack.push(...node.inputs.filter((one) => !source(one)));
      }
    }
  return found;
}
