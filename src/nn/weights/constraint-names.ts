/** Constraints by function. */
export { maxNorm, minMaxNorm, nonNeg, unitNorm } from './constraints.ts';
