/**
 * Losses by name: `losses.sparseCategoricalCrossentropy({ fromLogits: true })` for `compile`, or as functions
 * in one's own steps: `losses.meanSquaredError(y, model.apply(x)).mean()`.
 */
export * from './differences.ts';
export * from './distributions.ts';
export * from './margins.ts';
