/** Tells a pipeline from other data without bringing in what pipelines are made of. */
import type { Dataset } from './dataset.ts';

/** What every pipeline says it is, whichever copy of the library made it. */
export const PIPELINE = 'weft.data.Dataset';

export const isDataset = (x: unknown): x is Dataset =>
  typeof x === 'object' && x !== null && 'kind' in x && x.kind === PIPELINE;
