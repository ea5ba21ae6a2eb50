/** Metrics by name: `metrics.auc({ curve: 'PR' })`. Every loss is there too. */
export * from './accuracy.ts';
export { auc } from './auc.ts';
export * from './counts.ts';
export { f1Score, fBetaScore } from './f-score.ts';
export * from './hits.ts';
export { type Mean, mean } from './mean.ts';
export * from './of-losses.ts';
export { type PerplexityOptions, perplexity } from './perplexity.ts';
export { cosineSimilarity, r2Score, rootMeanSquaredError } from './regression.ts';
