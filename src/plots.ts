/** `plot`: a part of its own, for it needs no other. */
export * as plot from './plot/index.ts';
