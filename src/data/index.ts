/** Bytes to training data; knows neither GPU nor models. */

export type { CsvOptions, CsvTable } from './csv.ts';
export * as datasets from './datasets.ts';
export type { DownloadProgress } from './download.ts';
export type { FashionMnistOptions } from './fashion-mnist.ts';
export type { PublishedOptions } from './find-published.ts';
export type { GarmentsOptions } from './garments/index.ts';
export type { IdxOptions } from './idx.ts';
export type { Fold, KFoldOptions } from './k-fold.ts';
export type { ImageDataset, LabelledImages } from './labelled-images.ts';
export type { Labels } from './labels.ts';
export type { NdArray, NumberArray } from './nd-array.ts';
export type { NpyOptions } from './npy.ts';
export type { NpzOptions } from './npz.ts';
export type { Column, Form, LazyArray, Slices } from './pipeline/columns.ts';
export type {
  BatchingOptions,
  Dataset,
  GeneratorOptions,
  RowPlan,
  ShuffleOptions,
} from './pipeline/dataset.ts';
export type { Rows } from './rows.ts';
export * as data from './tools.ts';
export type { Split, SplitOptions } from './train-test-split.ts';
