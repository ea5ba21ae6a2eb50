/** What models do once they are described. Loaded, all at once, when a model is first asked to do any of it. */
export { evaluateModel } from './evaluate.ts';
export { fitModel } from './fit.ts';
export { predictModel } from './predict.ts';
export { checkLabels } from './samples.ts';
