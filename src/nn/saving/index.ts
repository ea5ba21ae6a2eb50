/** Files of models and weights, in the formats of Keras, TensorFlow.js and safetensors. */

export { registerSerializable } from '../registered.ts';
export type { FileSource, FileTarget } from './files.ts';
export { loadModel } from './load.ts';
export type { CustomLayers, LoadOptions } from './load-model.ts';
export type { CustomObjects } from './own.ts';
export type { FileFormat, SaveOptions } from './save.ts';
