/** Loaded before the command under test: a driver whose exponential function is off by a thousandth. */
import { globals } from 'webgpu';

const { createShaderModule } = globals.GPUDevice.prototype;
globals.GPUDevice.prototype.createShaderModule = function (descriptor) {
  return createShaderModule.call(this, {
    ...descriptor,
    code: descriptor.code.replace(/\bexp\(/g, 'exp(1.001 * '),
  });
};
