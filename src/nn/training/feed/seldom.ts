/**
 * What models are seldom asked for: data that pass through the GPU, datasets, class weights, single batches, explaining,
 * losses and metrics that few name. Loaded, all at once, when they are.
 */

export * as losses from '../../losses/seldom.ts';
export * as metrics from '../../metrics/seldom.ts';
export { explainModel } from '../explain.ts';
export { traceNaN } from '../trace-nan.ts';
export { runBatch } from '../train-on-batch.ts';
export { checkClassWeight, classWeights } from './class-weights.ts';
export { takeDataset } from './datasets.ts';
export { streamableBytes } from './host-rows.ts';
export { predictMade } from './predict-made.ts';
export { streamedWay } from './predict-streamed.ts';
export { StreamEvaluation, StreamTraining } from './stream.ts';
export { Streamed } from './streamed.ts';
