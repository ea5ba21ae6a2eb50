/** What trains, evaluates and predicts. Loaded, all at once, when a model is first asked to. */
export { further } from './door.ts';
export { evaluateModel } from './evaluate.ts';
export { checkLabels } from './feed/samples.ts';
export { fitModel } from './fit.ts';
export { optionsAfter } from './options.ts';
export { predictModel } from './predict.ts';
