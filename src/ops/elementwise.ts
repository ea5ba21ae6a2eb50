/** How the three kernels that are all holes are run: one tensor, one tensor of bytes, many tensors. */
import { kernels } from '../shaders/index.ts';
import type { Lowered } from './define.ts';

/** Lanes per workgroup; 64 suits every adapter (8 vectors on llvmpipe, 2 warps on NVIDIA, 1 wave on AMD). */
const WORKGROUP = 64;

/** Elements that one lane takes when there are many: enough to make scalars that it loads first cheap. */
const ELEMENTS_PER_LANE = 4;

/** Elements per workgroup of an update: 16 per lane. */
export const UPDATE_CHUNK = 1024;

/** A grid of workgroups, folded into two dimensions where one is too short. */
export function grid(workgroups: number, limit: number): [number, number, number] {
  if (workgroups <= limit) return [workgroups, 1, 1];
  const rows = Math.ceil(workgroups / limit);
  return [Math.ceil(workgroups / rows), rows, 1];
}

/** f over `size` elements. `limit` is the profile's maxComputeWorkgroupsPerDimension. */
export function elementwiseKernel(size: number, limit: number): Lowered {
  const workgroups = grid(Math.min(Math.ceil(size / (WORKGROUP * ELEMENTS_PER_LANE)), 65_535), limit);
  return {
    text: kernels.elementwise,
    constants: { WORKGROUP },
    params: { size, stride: workgroups[0] * workgroups[1] * WORKGROUP },
    workgroups,
  };
}

/** f over `size` elements, packed into bytes. */
export function bytesKernel(size: number, limit: number): Lowered {
  const workgroups = grid(Math.min(Math.ceil(size / (WORKGROUP * 4)), 65_535), limit);
  return {
    text: kernels.elementwise_bytes,
    constants: { WORKGROUP },
    params: { size, stride: workgroups[0] * workgroups[1] * WORKGROUP },
    workgroups,
  };
}

/** One formula over the tensors of a chunk table with `columns` words a row. */
export function updateKernel(chunks: number, columns: number, limit: number): Lowered {
  return {
    text: kernels.update,
    tune: { COLUMNS: columns },
    constants: { WORKGROUP },
    params: { chunks },
    workgroups: grid(chunks, limit),
  };
}
