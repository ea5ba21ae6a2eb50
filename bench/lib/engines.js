/**
 * Who takes part. Each module exports, for where it runs `{ backend, version, assets, tuning }` (assets: where the WASM
 * files lie),
 *
 *   prepare({ workload, data, weights, ...where }) → {
 *     name                          as in the table, with the version
 *     arrange(steps, { shuffle })   everything that is not training (cutting the data to size) → { steps, run }
 *                                   run() trains that many steps, waits for the device, resolves to { loss, accuracy }
 *     evaluate()                    → accuracy on data.test
 *     predictOne(pixels)            one image [784] of bytes in → ten probabilities out, both on the CPU
 *     predictAll()                  all of data.test, resident → probabilities, on the CPU
 *     memory?()                     → { liveBytes, allocatedBytes }
 *   }
 *   prepareProduct({ a, b, product, ...where }) → {
 *     name
 *     run(count)                    a · b so many times, waits for the device
 *     result()                      → the product, Float32Array
 *     dispose()                     makes room for the next product
 *   }
 *
 * so that there is one clock, outside. Training goes on from one run to the next. PyTorch's module speaks for itself
 * (peers/torch_steps.py): the same messages, as JSON lines.
 */
export const engines = {
  weft: { module: 'weft', versionFile: '../../package.json' },
  tfjs: { module: 'tfjs', backend: 'webgpu', versionFile: tensorflow() },
  jax: { module: 'jax', backend: 'webgpu', versionFile: jax() },
  'tfjs-wasm': { module: 'tfjs', backend: 'wasm', versionFile: tensorflow() },
  'jax-wasm': { module: 'jax', backend: 'wasm', versionFile: jax() },
  torch: { python: true, backend: 'cpu' },
  'torch-cuda': { python: true, backend: 'cuda' },
  'torch-graphs': { python: true, backend: 'cuda graphs' },
  /** Only for products: half precision, as a ceiling. */
  'torch-f16': { python: true, backend: 'cuda f16' },
};

export const inPage = Object.keys(engines).filter((name) => !engines[name].python);

function tensorflow() {
  return '../peers/node_modules/@tensorflow/tfjs-core/package.json';
}

function jax() {
  return '../peers/node_modules/@jax-js/jax/package.json';
}
