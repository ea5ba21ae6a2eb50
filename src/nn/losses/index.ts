/**
 * Losses by name: `losses.sparseCategoricalCrossentropy({ fromLogits: true })` for `compile`, or as functions
 * in one's own steps: `losses.meanSquaredError(y, model.apply(x)).mean()`.
 */
export * from './common.ts';
export * from './seldom.ts';
