/** Every kernel and every library of shared functions, by name: the only file that imports WGSL. */
import arg_reduce from './arg_reduce.wgsl?raw';
import elementwise from './elementwise.wgsl?raw';
import elementwise_bytes from './elementwise_bytes.wgsl?raw';
import math from './lib/math.wgsl?raw';
import random from './lib/random.wgsl?raw';
import matmul from './matmul.wgsl?raw';
import matmul_broadcast from './matmul_broadcast.wgsl?raw';
import matmul_subgroup from './matmul_subgroup.wgsl?raw';
import matmul_workgroup from './matmul_workgroup.wgsl?raw';
import reduce from './reduce.wgsl?raw';
import sgd_linear from './sgd_linear.wgsl?raw';
import softmax from './softmax.wgsl?raw';
import update from './update.wgsl?raw';

/** Kernels: each file is a whole shader with a `main`. */
export const kernels = {
  arg_reduce,
  elementwise,
  elementwise_bytes,
  matmul,
  matmul_broadcast,
  matmul_subgroup,
  matmul_workgroup,
  reduce,
  sgd_linear,
  softmax,
  update,
};

export type KernelName = keyof typeof kernels;

/** Functions that kernels and generated code share, put where `// @bindings` stands. */
export const library: Record<string, string> = {
  math,
  random,
};
