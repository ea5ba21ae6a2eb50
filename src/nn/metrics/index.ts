/** Metrics by name: `metrics.auc({ curve: 'PR' })`. Every loss is there too. */
export * from './common.ts';
export * from './seldom.ts';
