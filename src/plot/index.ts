/**
 * `plot`: arrays to SVG, the same text in Node and in a page.
 *
 * In Node `await writeFile('history.svg', plot.history(history))`; in a page
 * `image.src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }))`.
 */
export { type BarOptions, bars } from './bars.ts';
export { type ConfusionOptions, confusion } from './confusion.ts';
export { type Curve, type CurveOptions, type CurvePanel, curves } from './curves.ts';
export { type FeatureMapOptions, featureMaps } from './feature-maps.ts';
export { type FilterOptions, filters } from './filters.ts';
export { type GradCamGiven, type GradCamOptions, gradCam } from './grad-cam.ts';
export { type HistoryGiven, type HistoryOptions, history } from './history.ts';
export { type ImageOptions, type ImagesGiven, images } from './images.ts';
export { type DrawnModel, type ModelOptions, model } from './model.ts';
export { type WeightOptions, weights } from './weights.ts';
