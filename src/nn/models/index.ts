/** Models: building, training, saving and loading them. */
import '../../graph/methods.ts';

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
export type { BatchOptions } from './batch.ts';
export type { EvaluateOptions } from './evaluate.ts';
export type { ExplainOptions } from './explain.ts';
export type { FitOptions } from './fit.ts';
export { Sequential } from './from-config.ts';
export { Functional, type FunctionalOptions, model, type Values } from './functional.ts';
export { type CompileOptions, Model } from './model.ts';
export type { PredictOptions } from './predict.ts';
export { type SequentialOptions, sequential } from './sequential.ts';
