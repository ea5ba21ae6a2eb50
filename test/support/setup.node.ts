/**
 * In Node `init()` without arguments runs on the adapter that scripts use: a GPU, llvmpipe or SwiftShader.
 * `WEFT_TEST_MINIMUM=1` makes it the poorest device that WebGPU allows: default limits, no features;
 * `WEFT_TEST_POISON=1` has every engine fill memory with NaN as it is given back.
 */
import { findGpu } from '../../scripts/support/software-adapter.js';
import { Engine } from '../../src/engine/engine.ts';
import { provideGpu } from '../../src/engine/in-node.ts';
import { watchDevices } from './gpu-errors.ts';

provideGpu(async () => {
  const { gpu } = await findGpu();
  return watchDevices(gpu, process.env.WEFT_TEST_MINIMUM ? () => ({}) : undefined);
});

if (process.env.WEFT_TEST_POISON) {
  const create = Engine.create.bind(Engine);
  Engine.create = (options = {}) => create({ ...options, debug: { poison: true, ...options.debug } });
}
