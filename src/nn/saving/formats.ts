/** The file formats. Loaded, all at once, when the first file is read or written. */
export { readModel } from './load-model.ts';
export { loadWeightsFrom } from './load-weights.ts';
export { saveTo, toBytes } from './save.ts';
