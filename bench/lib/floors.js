import { necessities } from './workloads.js';

/**
 * The time below which a training step cannot go on an adapter, whoever computes it, in milliseconds:
 * its dispatches, each as cheap as an empty one; its multiply-adds at the rate of registers; the bytes it cannot do
 * without at the rate of loads. `tile` puts the rate of a register tile, which has to load its operands, in place of
 * the last two: what a product really reaches there.
 *
 * ceilings: a row of bench/ceilings.js. The best of its samples counts: a floor is a floor.
 */
export function floorOf(workload, dispatches, ceilings) {
  const { flops, bytes } = necessities(workload);
  const dispatch = (dispatches * ceilings.emptyDispatchMicroseconds.min) / 1000;
  const fma = flops / ceilings.fmaGigaflops.max / 1e6;
  const rate = Math.max(ceilings.loadVec4Gigabytes.max, ceilings.loadScalarGigabytes.max);
  const load = bytes / rate / 1e6;
  const product = flops / ceilings.tileGigaflops.max / 1e6;
  return { dispatch, fma, load, total: dispatch + fma + load, tile: dispatch + product };
}
