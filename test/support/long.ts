/**
 * Whether there is time: `npm run test:long` runs these files with as many rounds as a proof wants, `npm test` with as
 * many as show that the check works.
 */
export const isLong: boolean = Boolean(globalThis.process?.env.WEFT_LONG);
