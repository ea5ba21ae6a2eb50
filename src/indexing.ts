/** Ops that some layers are made of. A part of its own, so that a page without those layers does not reach them. */
export { flip, repeat, roll, split, tile, unstack } from './ops/arrange.ts';
export { type AttentionOptions, dotProductAttention } from './ops/attention.ts';
export { dot, einsum, tensordot } from './ops/einsum.ts';
export { gatherNd, scatter, takeAlongAxis } from './ops/scatter-nd.ts';
