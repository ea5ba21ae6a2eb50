/** The metrics that are seldom named. See models/seldom.ts. */
import * as losses from '../losses/seldom.ts';
import { lossMetric } from './metric.ts';

export { auc } from './auc.ts';
export * from './counts.ts';
export { f1Score, fBetaScore } from './f-score.ts';
export * from './hits.ts';
export { cosineSimilarity, r2Score, rootMeanSquaredError } from './regression.ts';

// Losses, as they are.
export const meanAbsolutePercentageError = lossMetric(losses.meanAbsolutePercentageError);
export const meanSquaredLogarithmicError = lossMetric(losses.meanSquaredLogarithmicError);
export const huber = lossMetric(losses.huber);
export const logCosh = lossMetric(losses.logCosh);
export const klDivergence = lossMetric(losses.klDivergence);
export const poisson = lossMetric(losses.poisson);
export const hinge = lossMetric(losses.hinge);
export const squaredHinge = lossMetric(losses.squaredHinge);
export const categoricalHinge = lossMetric(losses.categoricalHinge);
