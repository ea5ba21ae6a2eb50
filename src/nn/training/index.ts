/**
 * What models do once they are described. Loaded, all at once, when a model is first asked to do any of it. What is
 * seldom asked for builds on it and imports from here, so that bundlers keep this in one part.
 */
export { Evaluation, evaluateModel } from './evaluate.ts';
export { checkLabels, isMade, takeSamples, takeSource } from './feed/samples.ts';
export { fitModel } from './fit.ts';
export { optionsAfter } from './options.ts';
export { predictModel } from './predict.ts';
export { Training } from './training.ts';
