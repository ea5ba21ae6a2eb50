/** Collects the uncaptured errors of every device that tests open. */
const errors: string[] = [];
const watched = new WeakSet<GPU>();

/** Listens to all devices that this GPU object will give; `revise` may change what is asked of them. */
export function watchDevices(
  gpu: GPU,
  revise = (descriptor?: GPUDeviceDescriptor): GPUDeviceDescriptor | undefined => descriptor,
): GPU {
  if (watched.has(gpu)) return gpu;
  watched.add(gpu);
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    const requestDevice = adapter?.requestDevice.bind(adapter);
    if (!adapter || !requestDevice) return null;
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(revise(descriptor));
      device.addEventListener('uncapturederror', (event) => {
        errors.push((event as GPUUncapturedErrorEvent).error.message);
      });
      return device;
    };
    return adapter;
  };
  return gpu;
}

/** The errors so far, which are then forgotten: for tests that provoke one. */
export const takeGpuErrors = (): string[] => errors.splice(0);
