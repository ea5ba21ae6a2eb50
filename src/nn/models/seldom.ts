/**
 * What models are seldom asked for: batches that a dataset makes, single batches, explaining, metrics that are
 * seldom named. Loaded, all at once, when they are.
 */

export * as metrics from '../metrics/seldom.ts';
export { BatchSteps } from './batch.ts';
export { explainModel } from './explain.ts';
export { predictMade } from './predict-made.ts';
export { StreamEvaluation, StreamTraining } from './stream.ts';
