/** Feeds that not every run needs: of samples that stay on the host, and of datasets. Loaded by the first that does. */
export { takeDataset } from './datasets.ts';
export { streamableBytes } from './host-rows.ts';
export { Streamed } from './streamed.ts';
