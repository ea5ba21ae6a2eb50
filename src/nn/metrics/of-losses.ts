/** Losses as metrics, as they are: the mean value of each. Cosine similarity has the other sign and stands in regression.ts. */
import * as losses from '../losses/index.ts';
import { lossMetric } from './metric.ts';

export const meanSquaredError = lossMetric(losses.meanSquaredError);
export const meanAbsoluteError = lossMetric(losses.meanAbsoluteError);
export const meanAbsolutePercentageError = lossMetric(losses.meanAbsolutePercentageError);
export const meanSquaredLogarithmicError = lossMetric(losses.meanSquaredLogarithmicError);
export const huber = lossMetric(losses.huber);
export const logCosh = lossMetric(losses.logCosh);
export const categoricalCrossentropy = lossMetric(losses.categoricalCrossentropy);
export const sparseCategoricalCrossentropy = lossMetric(losses.sparseCategoricalCrossentropy);
export const binaryCrossentropy = lossMetric(losses.binaryCrossentropy);
export const klDivergence = lossMetric(losses.klDivergence);
export const poisson = lossMetric(losses.poisson);
export const hinge = lossMetric(losses.hinge);
export const squaredHinge = lossMetric(losses.squaredHinge);
export const categoricalHinge = lossMetric(losses.categoricalHinge);
