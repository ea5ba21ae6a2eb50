/** Models: building, training, saving and loading them. */
import '../../graph/methods.ts';
import { loaded } from '../../base/loaded.ts';
import { files } from '../saving/door.ts';

export {
  type CrossValidateOptions,
  type CrossValidation,
  crossValidate,
  type Estimator,
  type Splitter,
} from '../linear/cross-validate.ts';
export { SgdClassifier, type SgdClassifierOptions, sgdClassifier } from '../linear/sgd-classifier.ts';
export type { Explanation } from '../report/explanation.ts';
export type { Terminal } from '../report/terminal.ts';
export {
  type CustomLayers,
  type CustomObjects,
  type FileFormat,
  type FileSource,
  type FileTarget,
  type LoadOptions,
  loadModel,
  registerSerializable,
  type SaveOptions,
} from '../saving/index.ts';
export type { EvaluateOptions } from '../training/evaluate.ts';
export type { FitOptions } from '../training/fit.ts';
export type { ExplainOptions } from '../training/further/explain.ts';
export type { BadResult, TraceNaNOptions } from '../training/further/trace-nan.ts';
export type { BatchOptions } from '../training/further/train-on-batch.ts';
export type { PredictOptions } from '../training/predict.ts';
export type { CompileOptions } from '../training/trainable.ts';
export { type CloneOptions, cloneModel } from './clone.ts';
export { Sequential } from './from-config.ts';
export { type GenerateOptions, generate } from './generate.ts';
export {
  Functional,
  type FunctionalOptions,
  Model,
  model,
  type StepBatch,
  type StepLogs,
  type Values,
} from './networks.ts';
export { type SequentialOptions, sequential } from './sequential.ts';

files.formats = () => loaded('weft: the file formats', import('../saving/formats.ts'));
