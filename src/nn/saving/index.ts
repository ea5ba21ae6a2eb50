/** Files of models and weights, in the formats of Keras, TensorFlow.js and safetensors. */

export type { CustomLayers } from './build-model.ts';
export type { FileSource, FileTarget } from './files.ts';
export { loadModel } from './load.ts';
export type { LoadOptions } from './load-model.ts';
export type { FileFormat, SaveOptions } from './save.ts';
