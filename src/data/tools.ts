/** `data`: what turns files and arrays into training data. */
export { parseCsv } from './csv.ts';
export { parseIdx } from './idx.ts';
export { KFold, StratifiedKFold } from './k-fold.ts';
export { normalize } from './normalize.ts';
export { encodeNpy, parseNpy } from './npy.ts';
export { encodeNpz, parseNpz } from './npz.ts';
export { Dataset } from './pipeline/dataset.ts';
export { RandomState } from './random-state.ts';
export {
  type DirectoryDataset,
  type ImageDirectoryOptions,
  imageDatasetFromDirectory,
  type TextDirectoryOptions,
  textDatasetFromDirectory,
} from './read-directory.ts';
export { take } from './rows.ts';
export { type PadOptions, padSequences } from './text/pad-sequences.ts';
export { byteTokenizer, charTokenizer, type Tokenizer } from './text/tokenizers.ts';
export { type TimeseriesOptions, timeseriesDatasetFromArray } from './timeseries.ts';
export { toCategorical } from './to-categorical.ts';
export { splitIndices, trainTestSplit } from './train-test-split.ts';
