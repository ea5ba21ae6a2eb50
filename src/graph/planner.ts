/** What turns descriptions into kernels. Loaded, all at once, with the first plan: describing needs none of it. */
export { makePlan } from './plan.ts';
export { timePlan, withoutTimes } from './profile.ts';
