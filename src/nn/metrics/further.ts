/**
 * The metrics that are loaded, all at once, when one of them is named: those that are neither an accuracy nor a loss. This is a
 * file of its own beside index.ts because of bundlers: what is loaded on demand must be nothing that the package offers, or it
 * comes with the first file, and what both share comes in small ones.
 */
export { auc } from './auc.ts';
export * from './counts.ts';
export { f1Score, fBetaScore } from './f-score.ts';
export * from './hits.ts';
export { perplexity } from './perplexity.ts';
export { cosineSimilarity, r2Score, rootMeanSquaredError } from './regression.ts';
