/**
 * What training does beside passes over samples: single batches, batches that a dataset generates, predictions of what
 * stays on the host, and looking into steps. Loaded, all at once, when it is first asked for.
 */
export { averaging } from '../../optimizers/averaging.ts';
export { checkClassWeight } from '../feed/class-weights.ts';
export { explainModel } from './explain.ts';
export { predictMade } from './predict-made.ts';
export { streamedWay } from './predict-streamed.ts';
export { StreamEvaluation, StreamTraining } from './stream.ts';
export { traceNaN } from './trace-nan.ts';
export { runBatch } from './train-on-batch.ts';
