import { isNode } from '../base/platform.ts';

/**
 * What tuning may know about a device. Plain data, so that a test can write the profile of a GPU that
 * it does not have.
 */
export interface Profile {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A driver that computes on the CPU: SwiftShader, llvmpipe, WARP. */
  readonly isSoftware: boolean;
  /** 'llvmpipe', 'swiftshader', or the vendor in lower case ('nvidia', 'apple', …), 'unknown' at worst. */
  readonly backendName: string;
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  /** Sizes that a subgroup may have, or null where subgroups cannot be used. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** May kernels use f16? */
  readonly f16: boolean;
}

/** WebGPU hands out cautious defaults; these are the limits worth raising to what the adapter has. */
export const raisedLimits = [
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

const limitNames = [
  ...raisedLimits,
  'maxUniformBufferBindingSize',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
] as const;

/** The limits that kernels and memory plans look at, by WebGPU's names. */
export type Limits = Readonly<Record<(typeof limitNames)[number], number>>;

/**
 * The profile of an open device. `lower` are the user's limits: WebGPU never goes below its own
 * defaults, so they are applied here once more.
 */
export function describeAdapter(
  info: GPUAdapterInfo,
  device: GPUDevice,
  lower: Record<string, number> = {},
): Profile {
  const { vendor, architecture, device: name, description } = info;
  const text = [vendor, architecture, name, description].join(' ').toLowerCase();
  const softwareName = ['llvmpipe', 'swiftshader'].find((word) => text.includes(word));
  const limits = Object.fromEntries(
    limitNames.map((limit) => [
      limit,
      Math.min(device.limits[limit], lower[limit] ?? Number.POSITIVE_INFINITY),
    ]),
  ) as Limits;
  return {
    vendor,
    architecture,
    device: name,
    description,
    isSoftware: softwareName !== undefined || /software|basic render/.test(text),
    backendName: softwareName ?? (vendor.toLowerCase() || 'unknown'),
    features: new Set(device.features as ReadonlySet<string>),
    limits,
    subgroups: device.features.has('subgroups')
      ? { min: info.subgroupMinSize ?? 4, max: info.subgroupMaxSize ?? 128 }
      : null,
    f16: device.features.has('shader-f16'),
  };
}

/** What an adapter is called in reports. Browsers tell no more than vendor and architecture. */
export const adapterName = ({ description, device, vendor, architecture }: Profile): string =>
  description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';

/**
 * The adapter and its driver in words. Node's adapters tell the driver's version; pages hide it, but a browser
 * brings its own compiler, so its version stands in.
 */
export function adapterAndDriver({ vendor, architecture, device, description }: Profile): string {
  const browser = isNode ? '' : (globalThis.navigator?.userAgent ?? '');
  return [vendor, architecture, device, description, browser].filter(Boolean).join(' | ') || 'unknown';
}
