/**
 * Weft: train neural networks on WebGPU, in Node and in a page. The public surface, part by part.
 *
 * Nothing but `export *` stands here, and no effect: a bundler then skips this file and the parts that nobody
 * asks for. esbuild would otherwise load whatever the file can reach (`tensor` alone: 52 KB, now 22).
 */
export * from './base/errors.ts';
export * from './convolutions.ts';
export * from './data/index.ts';
export * from './engines.ts';
export * from './indexing.ts';
export * from './nn/index.ts';
export * from './plots.ts';
export * from './tensors.ts';
