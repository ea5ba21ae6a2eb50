/**
 * Every kernel and every library of shared functions, by name: the only file that imports WGSL, beside functions.ts.
 *
 * What nearly every plan runs is here from the start. The other texts are loaded when a plan names them.
 */
import arg_reduce from './arg_reduce.wgsl?raw';
import elementwise from './elementwise.wgsl?raw';
import elementwise_bytes from './elementwise_bytes.wgsl?raw';
import math from './lib/math.wgsl?raw';
import matmul from './matmul.wgsl?raw';
import reduce from './reduce.wgsl?raw';
import softmax from './softmax.wgsl?raw';
import update from './update.wgsl?raw';

const common = { arg_reduce, elementwise, elementwise_bytes, math, matmul, reduce, softmax, update };

/** Products as some adapters like them, and what few models ask for. */
const others = {
  attention: () => import('./attention.wgsl?raw'),
  attention_key: () => import('./attention_key.wgsl?raw'),
  attention_query: () => import('./attention_query.wgsl?raw'),
  convolution: () => import('./convolution.wgsl?raw'),
  convolution_subgroup: () => import('./convolution_subgroup.wgsl?raw'),
  matmul_broadcast: () => import('./matmul_broadcast.wgsl?raw'),
  matmul_subgroup: () => import('./matmul_subgroup.wgsl?raw'),
  matmul_workgroup: () => import('./matmul_workgroup.wgsl?raw'),
  depthwise: () => import('./depthwise.wgsl?raw'),
  max_pool: () => import('./max_pool.wgsl?raw'),
  max_pool_gradient: () => import('./max_pool_gradient.wgsl?raw'),
  normalize: () => import('./normalize.wgsl?raw'),
  normalize_gradient: () => import('./normalize_gradient.wgsl?raw'),
  recurrence: () => import('./recurrence.wgsl?raw'),
  recurrence_backward: () => import('./recurrence_backward.wgsl?raw'),
  scatter_sum: () => import('./scatter_sum.wgsl?raw'),
  scan: () => import('./scan.wgsl?raw'),
  segments: () => import('./segments.wgsl?raw'),
  sgd_linear: () => import('./sgd_linear.wgsl?raw'),
  sort: () => import('./sort.wgsl?raw'),
  special: () => import('./lib/special.wgsl?raw'),
};

export type KernelName = keyof typeof common | keyof typeof others;

const texts: Record<string, string> = { ...common };

/** Loads those of these texts that are not there yet, all at once. Rejects as `import()` does. */
export async function loadKernels(names: Iterable<KernelName>): Promise<void> {
  const wanted = new Set<string>(names);
  await Promise.all(
    Object.entries(others).map(async ([name, load]) => {
      if (wanted.has(name)) texts[name] ??= (await load()).default;
    }),
  );
}

/**
 * A text that is there: a whole shader with a `main`, or of `lib/` the functions that kernels and generated code share, put
 * where `// @bindings` stands.
 */
export const kernelText = (name: KernelName): string => texts[name];

/**
 * Fingerprint of all texts without their comments: what was measured with other texts says nothing about these.
 * Written down, as no plan loads them all; a test says when it is out of date.
 */
export const fingerprint = 'adf86d12f7c4336d';
