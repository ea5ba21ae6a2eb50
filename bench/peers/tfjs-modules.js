/** What the bench needs of TensorFlow.js, in one place: packed (scripts/pack-bench.js) it becomes one file. */
export * as tf from '@tensorflow/tfjs-core';
export { layers, sequential } from '@tensorflow/tfjs-layers';

import '@tensorflow/tfjs-backend-webgpu';

export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
