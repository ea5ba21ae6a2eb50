/**
 * What models do once they are described. Loaded, all at once, when a model is first asked to do any of it. What is
 * seldom asked for builds on it and imports from here, so that bundlers keep this in one part.
 */
export { Evaluation, evaluateModel } from './evaluate.ts';
export { fitModel } from './fit.ts';
export { predictModel } from './predict.ts';
export { optionsAfter } from './run-options.ts';
export { checkLabels, isMade, takeSamples, takeSource } from './samples.ts';
export { Training } from './training.ts';
