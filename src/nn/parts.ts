/** What models are made of. Steps of one's own are made of it as well, and need no model. */
import '../graph/methods.ts';

export { activations } from './activations.ts';
export * as callbacks from './callbacks/index.ts';
export * as initializers from './initializers/index.ts';
export * as layers from './layers/index.ts';
export * as losses from './losses/index.ts';
export { Loss, type LossOptions } from './losses/loss.ts';
export { type ConfusionMatrixOptions, confusionMatrix } from './metrics/confusion-matrix.ts';
export * as metrics from './metrics/index.ts';
export { Metric, meanMetric } from './metrics/metric.ts';
export { resetNames } from './names.ts';
export * as optimizers from './optimizers/index.ts';
export * as schedules from './schedules/index.ts';
export * as constraints from './weights/constraint-names.ts';
export * as regularizers from './weights/regularizer-names.ts';
export type { WeightRule, WeightRuleLike } from './weights/rule.ts';
