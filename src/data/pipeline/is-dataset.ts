/** Tells a pipeline from other data without bringing in what pipelines are made of. */
import type { Dataset } from './dataset.ts';

/** What every pipeline has, whichever copy of the library made it. */
export const PIPELINE = Symbol.for('weft.data.Dataset');

export const isDataset = (x: unknown): x is Dataset => typeof x === 'object' && x !== null && PIPELINE in x;
