/** In Node `init()` without arguments runs on the adapter that scripts use: a GPU, llvmpipe or SwiftShader. */
import { findGpu } from '../../scripts/support/software-adapter.js';
import { provideGpu } from '../../src/engine/gpu.ts';
import { watchDevices } from './gpu-errors.ts';

provideGpu(async () => watchDevices((await findGpu()).gpu));
