/** Any GPU error that nobody captured fails the test during which it arrived. */
import { afterEach } from 'vitest';
import { takeGpuErrors, watchDevices } from './gpu-errors.ts';

const native = (globalThis.navigator as Navigator | undefined)?.gpu;
if (native) watchDevices(native);

afterEach(async () => {
  // Error events come as tasks of their own.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const errors = takeGpuErrors();
  if (errors.length > 0) throw new Error(`uncaptured GPU errors:\n${errors.join('\n')}`);
});
