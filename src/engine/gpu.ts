/**
 * Where WebGPU comes from: `navigator.gpu` in a page, Dawn (the package `webgpu`) in Node. The two
 * differ nowhere else in the engine.
 */
import { ConfigError, UnsupportedError } from '../base/errors.ts';
import { loaded } from '../base/loaded.ts';
import { isNode } from '../base/platform.ts';
import { describeAdapter, type Profile, raisedLimits } from './profile.ts';

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
  /** The optional features that may be used; default: all of `usefulFeatures` that the adapter has. */
  features?: string[];
}

const usefulFeatures = ['shader-f16', 'subgroups', 'timestamp-query'];

/** What a page never needs, loaded in Node. */
const inNode = () => (isNode ? loaded('engine: what Node needs', import('./in-node.ts')) : null);

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly profile: Profile;
  /** Whoever waits for the device tells what for, where somebody wants to know. */
  readonly onWait: ((promise: Promise<unknown>) => void) | undefined;
}

/** Opens a device of its own, with the adapter's limits and useful features, and describes it. */
export async function openDevice(options: DeviceOptions): Promise<OpenDevice> {
  const node = await inNode();
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
    node?.destroyAtExit(device);
    const profile = describeAdapter(adapter.info, device, options.limits ?? {});
    return { device, profile, onWait: node?.napUntil };
  } catch (cause) {
    const fix = options.adapter
      ? ' Fix: an adapter gives one device only; pass { gpu } instead of { adapter }.'
      : '';
    throw new UnsupportedError(`init: the adapter refused a device: ${(cause as Error).message}${fix}`, {
      cause,
    });
  }
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
  const node = await inNode();
  if (node) return node.findGpu();
  const native = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (native) return native;
  const fix =
    globalThis.isSecureContext === false
      ? 'this page is not a secure context: serve it over https or from localhost'
      : 'use a browser with WebGPU: Chrome or Edge 113, Safari 26, Firefox 141, or newer';
  throw new UnsupportedError(`init: navigator.gpu is missing. Fix: ${fix}.`);
}

function chooseLimits(adapter: GPUAdapter, lower: Record<string, number>): Record<string, number> {
  const available = adapter.limits as unknown as Record<string, number | undefined>;
  for (const [name, value] of Object.entries(lower)) {
    if (available[name] === undefined) {
      throw new ConfigError(
        `init: limits.${name} is no limit of this adapter. Known: ${raisedLimits.join(', ')}.`,
      );
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(`init: limits.${name} is ${value}; a whole number from 0 was expected.`);
    }
  }
  const chosen: Record<string, number> = {};
  for (const name of raisedLimits) {
    const value = available[name];
    // Dawn refuses a device when asked for one more than the adapter has.
    if (value !== undefined) chosen[name] = Math.min(value, lower[name] ?? value);
  }
  return chosen;
}
