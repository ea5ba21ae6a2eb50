/** How the three kernels that are all holes are run: one tensor, one tensor of bytes, many tensors. */
import type { Profile } from '../engine/profile.ts';
import type { KernelName } from '../shaders/index.ts';
import type { Lowered } from './define.ts';

/**
 * Lanes of a workgroup whose lanes need nothing of each other. 64 suits GPUs (2 warps on NVIDIA, 1 wave on AMD).
 * A software driver works through a workgroup vector by vector, each of which pays for what all share and for
 * branches that it does not take: there it is one vector (update of W2: 265 → 215 µs on llvmpipe, with 8 lanes;
 * 1,020 → 580 on SwiftShader, with 4).
 */
export const lanesOf = ({ isSoftware, subgroups }: Profile): number =>
  isSoftware ? Math.min(64, subgroups?.min ?? 4) : 64;

/** Elements that a workgroup takes where there are many: enough to make scalars that it loads first cheap. */
const ELEMENTS = 256;

/** Elements per workgroup of an update. */
export const UPDATE_CHUNK = 1024;

/** A grid of workgroups, folded into two dimensions where one is too short. */
export function grid(workgroups: number, limit: number): [number, number, number] {
  if (workgroups <= limit) return [workgroups, 1, 1];
  const rows = Math.ceil(workgroups / limit);
  return [Math.ceil(workgroups / rows), rows, 1];
}

/** f over `size` elements; `loops`: each of which is a loop, so that a lane takes one. */
export function elementwiseKernel(size: number, profile: Profile, loops = false): Lowered {
  return allHoles('elementwise', size, profile, loops ? lanesOf(profile) : ELEMENTS);
}

/** f over `size` elements, packed into bytes: four at a time. */
export function bytesKernel(size: number, profile: Profile): Lowered {
  return allHoles('elementwise_bytes', size, profile);
}

function allHoles(kernel: KernelName, size: number, profile: Profile, elements = ELEMENTS): Lowered {
  const WORKGROUP = lanesOf(profile);
  const workgroups = grid(Math.min(Math.ceil(size / elements), 65_535), limitOf(profile));
  return {
    kernel,
    constants: { WORKGROUP },
    params: { size, stride: workgroups[0] * workgroups[1] * WORKGROUP },
    workgroups,
  };
}

/** Formulas over the tensors of a chunk table with `columns` words a row. */
export function updateKernel(chunks: number, columns: number, profile: Profile): Lowered {
  return {
    kernel: 'update',
    tune: { COLUMNS: columns },
    constants: { WORKGROUP: lanesOf(profile) },
    params: { chunks },
    workgroups: grid(chunks, limitOf(profile)),
  };
}

const limitOf = ({ limits }: Profile): number => limits.maxComputeWorkgroupsPerDimension;
