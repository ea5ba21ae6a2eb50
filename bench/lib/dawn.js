import { availableParallelism } from 'node:os';
import { globals } from 'webgpu';
import { findGpu } from '../../scripts/support/software-adapter.js';

/**
 * Makes this process look like a page to engines written for one: `navigator.gpu` is Dawn, the GPU classes are global.
 *
 * To be called before such an engine is imported. The adapter is the system's, else the software one of the dev
 * dependencies. `errors` collects what devices report as uncaptured: engines that only log them must not pass.
 */
export async function installWebGPU() {
  Object.assign(globalThis, globals);
  const { gpu, software } = await findGpu();
  const { info } = await gpu.requestAdapter();

  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: `Node.js/${process.version}`, hardwareConcurrency: availableParallelism() },
    configurable: true,
  });

  const errors = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message.split('\n')[0]));
    return device;
  };
  const name = info.description || info.device || info.vendor;
  return { adapter: { name, vendor: info.vendor, architecture: info.architecture, software }, errors };
}
