/** What training, callbacks and files ask of a model, and what they leave with it from run to run. */
import type { defaultEngine } from '../../graph/engines.ts';
import type { DType } from '../../ops/dtype.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { BatchShape, Layer } from '../layers/layer.ts';
import type { LossLike } from '../losses/resolve.ts';
import type { Metric } from '../metrics/metric.ts';
import type { MetricLike } from '../metrics/resolve.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { OptimizerLike } from '../optimizers/resolve.ts';
import type { FileSource, FileTarget } from '../saving/files.ts';
import type { Ports, Samples } from './feed/samples.ts';
import type { Objective, Predictor } from './objective.ts';
import type { LoopStates, PredictStep } from './steps.ts';

type Engine = Awaited<ReturnType<typeof defaultEngine>>;

export interface CompileOptions {
  /** A name, or an optimizer; default 'rmsprop'. */
  optimizer?: OptimizerLike;
  /**
   * A name, a loss, or a function of y and the predictions that gives one value for each sample. For several outputs one for
   * all, a list in their order, or a record by their names; an output may have none. Only a model with a `trainStep` of its
   * own can do without.
   */
  loss?: ByOutput<OneLoss | null>;
  /**
   * Names, metrics or functions. 'accuracy' fits itself to y. They ignore the samples' weights. For several outputs a list of
   * lists, or a record.
   */
  metrics?: ByOutput<MetricLike | readonly MetricLike[] | null>;
  /** Metrics that count samples by their weights. */
  weightedMetrics?: ByOutput<MetricLike | readonly MetricLike[] | null>;
  /** What the loss of each output counts in the sum; default 1. */
  lossWeights?: ByOutput<number>;
}

type OneLoss = LossLike | { className: string; config?: object };

/** One for all outputs, a list in their order, or a record by their names. */
export type ByOutput<T> = T | readonly T[] | Readonly<Record<string, T>> | null;

/** What the latest fit trained on: the form of its samples, not their numbers. */
export interface FitForm {
  readonly batchSize: number;
  readonly count: number;
  readonly inputs: readonly ColumnForm[];
  /** Null for outputs without targets. */
  readonly targets: readonly (ColumnForm | null)[];
  readonly shuffle: boolean;
  /** Whether the samples were streamed. */
  readonly streamed: boolean;
}

interface ColumnForm {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface Trainable extends Layer, Predictor {
  // ---- what it is
  readonly inputShape: BatchShape | null;
  /** Null where there is one input and one output. */
  readonly ports: Ports | null;
  /** Of each input that takes ids, how many there are; null for others. */
  readonly vocabularies: readonly (number | null)[];
  /** Of the outputs, for logs. */
  readonly outputNames: readonly string[];
  /** Of each output, once it is built. */
  readonly outputShapes: readonly BatchShape[];
  /** What a user gets for the outputs: one, a list or a record. */
  given(outputs: readonly Tensor[]): Tensor;
  /** Of all its random numbers. */
  readonly seed: number;
  engineFor(x: Tensor): Promise<Engine>;

  // ---- how it was compiled
  readonly compileOptions: CompileOptions | null;
  readonly optimizer: Optimizer;
  readonly optimizerVariables: readonly Variable[] | null;
  readonly metrics: readonly Metric[];
  compile(options: CompileOptions): void;
  compiled(operation: string): { optimizer: Optimizer; objective: Objective };
  /** Builds it for inputs like these. */
  buildForData(inputs: readonly Tensor[]): void;
  prepareFor(samples: Samples, operation: string): Promise<void>;

  // ---- what callbacks and users see of a run
  stopTraining: boolean;
  history: object | null;
  save(target: FileTarget, options?: object): Promise<void>;
  saveWeights(target: FileTarget, options?: object): Promise<void>;
  loadWeights(source: FileSource): Promise<void>;
  toBytes(format?: 'keras' | 'weights.h5'): Promise<Uint8Array>;
  getWeights(): Tensor[];
  inCallback<T>(task: () => Promise<T>): Promise<T>;

  // ---- what runs leave for the next
  latestFit: FitForm | null;
  passes: number;
  readonly loops: Readonly<Record<'train' | 'evaluate', LoopStates>>;
  batchSteps: { dispose(): void } | null;
  predictStep(engine: Engine): PredictStep;
}
