/**
 * In Node `init()` without arguments runs on the adapter that scripts use: a GPU, llvmpipe or SwiftShader.
 * `WEFT_TEST_MINIMUM=1` makes it the poorest device that WebGPU allows: default limits, no features.
 */
import { findGpu } from '../../scripts/support/software-adapter.js';
import { provideGpu } from '../../src/engine/in-node.ts';
import { watchDevices } from './gpu-errors.ts';

provideGpu(async () => {
  const { gpu } = await findGpu();
  return watchDevices(gpu, process.env.WEFT_TEST_MINIMUM ? () => ({}) : undefined);
});
