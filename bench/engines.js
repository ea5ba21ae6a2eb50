import { readFileSync } from 'node:fs';

/**
 * Who takes part. Each module exports
 *
 *   prepare({ workload, data, weights, backend }) → {
 *     name                          as in the table, with the version
 *     arrange(steps, { shuffle })   everything that is not training (cutting the data to size) → { steps, run }
 *                                   run() trains that many steps, waits for the device, resolves to { loss, accuracy }
 *     evaluate()                    → accuracy on data.test
 *   }
 *
 * so that there is one clock, outside, around `run`. Training goes on from one run to the next.
 */
export const engines = {
  weft: { module: './weft.js' },
  tfjs: { module: './peers/tfjs.js', backend: 'webgpu' },
  jax: { module: './peers/jax.js', backend: 'webgpu' },
  'tfjs-wasm': { module: './peers/tfjs.js', backend: 'wasm' },
  'jax-wasm': { module: './peers/jax.js', backend: 'wasm' },
};

/** The WebGPU ones; the CPU backends are there for comparison and run when named. */
export const defaultEngines = ['weft', 'tfjs', 'jax'];

/** The version of an installed package, read from its package.json at `path`, relative to this folder. */
export function versionOf(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
}
