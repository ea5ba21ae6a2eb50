/** Models, and what they are made of. Tensors have their methods wherever models are. */
import '../graph/methods.ts';

export { activations } from './activations.ts';
export * as callbacks from './callbacks/index.ts';
export * as initializers from './initializers/index.ts';
export * as layers from './layers/index.ts';
export {
  type CrossValidateOptions,
  type CrossValidation,
  crossValidate,
  type Estimator,
  type Splitter,
} from './linear/cross-validate.ts';
export { SgdClassifier, type SgdClassifierOptions, sgdClassifier } from './linear/sgd-classifier.ts';
export * as losses from './losses/index.ts';
export { Loss, type LossOptions } from './losses/loss.ts';
export { type ConfusionMatrixOptions, confusionMatrix } from './metrics/confusion-matrix.ts';
export * as metrics from './metrics/index.ts';
export { Metric, meanMetric } from './metrics/metric.ts';
export type { BatchOptions } from './models/batch.ts';
export type { EvaluateOptions } from './models/evaluate.ts';
export type { ExplainOptions } from './models/explain.ts';
export type { FitOptions } from './models/fit.ts';
export { Sequential } from './models/from-config.ts';
export { type CompileOptions, Model } from './models/model.ts';
export type { PredictOptions } from './models/predict.ts';
export { type SequentialOptions, sequential } from './models/sequential.ts';
export { resetNames } from './names.ts';
export * as optimizers from './optimizers/index.ts';
export type { Explanation } from './report/explanation.ts';
export type { Terminal } from './report/terminal.ts';
export {
  type CustomLayers,
  type FileFormat,
  type FileSource,
  type FileTarget,
  type LoadOptions,
  loadModel,
  type SaveOptions,
} from './saving/index.ts';
export * as schedules from './schedules/index.ts';
export * as constraints from './weights/constraint-names.ts';
export * as regularizers from './weights/regularizer-names.ts';
export type { WeightRule, WeightRuleLike } from './weights/rule.ts';
