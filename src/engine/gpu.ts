/**
 * Where WebGPU comes from: `navigator.gpu` in a page, Dawn (the package `webgpu`) in Node. The two
 * differ nowhere else in the engine.
 */
import { ConfigError, UnsupportedError } from '../base/errors.ts';
import { isNode, nodeProcess } from '../base/platform.ts';
import { describeAdapter, type Profile } from './profile.ts';

/** WebGPU's flags. Dawn for Node does not define the globals, and we leave `globalThis` alone. */
export const BufferUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  indirect: 0x100,
  queryResolve: 0x200,
} as const;
export const MapMode = { read: 0x1 } as const;
export const ShaderStage = { compute: 0x4 } as const;

/** The part of `InitOptions` that chooses a device. */
export interface DeviceOptions {
  /** A GPU object to use instead of the platform's own: a software driver, a remote device, a test's stub. */
  gpu?: GPU;
  /** A fresh adapter. WebGPU gives one device per adapter, so a second engine needs another. */
  adapter?: GPUAdapter;
  /** Which GPU to prefer on a machine with two; default: the browser's choice. */
  powerPreference?: GPUPowerPreference;
  /** Lower limits than the adapter's, by WebGPU's names: tuning then behaves as on a smaller GPU. */
  limits?: Record<string, number>;
  /** The optional features that may be used; default: all of {@link usefulFeatures} that the adapter has. */
  features?: string[];
}

const usefulFeatures = ['shader-f16', 'subgroups', 'timestamp-query'];

/** WebGPU hands out cautious defaults; these are the limits worth raising to what the adapter has. */
const usefulLimits = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
] as const;

/** Dawn aborts the process when its instance is collected while a device lives, so it is kept for ever. */
let dawn: Promise<GPU> | undefined;
let provider: (() => Promise<GPU>) | undefined;

/** Sets what engines without a `gpu` option run on, in place of the platform's own (for tests). */
export function provideGpu(find: (() => Promise<GPU>) | undefined): void {
  provider = find;
}

/** Opens a device of its own, with the adapter's limits and useful features, and describes it. */
export async function openDevice(options: DeviceOptions): Promise<{ device: GPUDevice; profile: Profile }> {
  const adapter = options.adapter ?? (await requestAdapter(options));
  const limits = chooseLimits(adapter, options.limits ?? {});
  const allowed = options.features ?? usefulFeatures;
  const features = usefulFeatures.filter((name) => allowed.includes(name) && adapter.features.has(name));
  try {
    const device = await adapter.requestDevice({
      label: 'weft',
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits: limits,
    });
    destroyAtExit(device);
    return { device, profile: describeAdapter(adapter.info, device, options.limits ?? {}) };
  } catch (cause) {
    const fix = options.adapter
      ? ' Fix: an adapter gives one device only; pass { gpu } instead of { adapter }.'
      : '';
    throw new UnsupportedError(`init: the adapter refused a device: ${(cause as Error).message}${fix}`, {
      cause,
    });
  }
}

/** Devices to destroy when the Node process ends, once somebody listens for that. */
let open: Set<GPUDevice> | undefined;

/**
 * A process that ends while a software driver's threads still compute dies of a segmentation fault in
 * their cleaned-up memory (SwiftShader 5.0 under Dawn 0.6.2, one exit in five); destroying the device
 * waits for them.
 */
function destroyAtExit(device: GPUDevice): void {
  if (!isNode) return;
  if (!open) {
    open = new Set();
    nodeProcess?.once?.('exit', () => {
      for (const device of open!) device.destroy();
    });
  }
  open.add(device);
  device.lost.then(() => open!.delete(device));
}

async function requestAdapter(options: DeviceOptions): Promise<GPUAdapter> {
  const gpu = options.gpu ?? (await findGpu());
  const { powerPreference } = options;
  let cause: unknown;
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {}).catch((error) => {
    cause = error;
    return null;
  });
  if (adapter) return adapter;
  const reason = cause ? `requestAdapter failed: ${(cause as Error).message}` : 'requestAdapter gave null';
  const fix = isNode
    ? "install a Vulkan driver (on Debian and Ubuntu 'mesa-vulkan-drivers' has a software one), or pass init({ gpu })"
    : 'switch on hardware acceleration, update the graphics driver, or look at chrome://gpu';
  throw new UnsupportedError(
    `init: ${reason}: WebGPU is here, but no GPU driver that it accepts. Fix: ${fix}.`,
    {
      cause,
    },
  );
}

async function findGpu(): Promise<GPU> {
  if (provider) return provider();
  const native = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (native) return native;
  if (isNode) {
    dawn ??= importDawn();
    dawn.catch(() => {
      dawn = undefined;
    });
    return dawn;
  }
  const fix =
    globalThis.isSecureContext === false
      ? 'this page is not a secure context: serve it over https or from localhost'
      : 'use a browser with WebGPU: Chrome or Edge 113, Safari 26, Firefox 141, or newer';
  throw new UnsupportedError(`init: navigator.gpu is missing. Fix: ${fix}.`);
}

async function importDawn(): Promise<GPU> {
  // Not a literal, so that no bundler for a page looks for the package.
  const name = ['web', 'gpu'].join('');
  let create: (flags: string[]) => GPU;
  try {
    ({ create } = await import(/* @vite-ignore */ name));
  } catch (cause) {
    throw new UnsupportedError(
      "init: Node has no WebGPU of its own and the package 'webgpu' did not load. Fix: npm install webgpu " +
        '(on Linux it needs glibc 2.34 or newer).',
      { cause },
    );
  }
  try {
    return create([]);
  } catch (cause) {
    throw new UnsupportedError(`init: Dawn did not start: ${(cause as Error).message}`, { cause });
  }
}

function chooseLimits(adapter: GPUAdapter, lower: Record<string, number>): Record<string, number> {
  const available = adapter.limits as unknown as Record<string, number | undefined>;
  for (const [name, value] of Object.entries(lower)) {
    if (available[name] === undefined) {
      throw new ConfigError(
        `init: limits.${name} is no limit of this adapter. Known: ${usefulLimits.join(', ')}.`,
      );
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(`init: limits.${name} is ${value}; a whole number from 0 was expected.`);
    }
  }
  const chosen: Record<string, number> = {};
  for (const name of usefulLimits) {
    const value = available[name];
    // Dawn refuses a device when asked for one more than the adapter has.
    if (value !== undefined) chosen[name] = Math.min(value, lower[name] ?? value);
  }
  return chosen;
}
