/**
 * What turns descriptions into numbers: the engine and the planner. Loaded, all at once, with the first engine:
 * describing needs none of it.
 */
export { Engine } from '../engine/engine.ts';
export { makePlan } from './plan.ts';
export { profileOf } from './profile.ts';
