/**
 * Networks of layers, as the package offers them. They stand here, and the file formats take them from where they are made,
 * for the reason that ops/draws.ts gives.
 */
export type { StepBatch, StepLogs } from '../training/own-step.ts';
export { Functional, type FunctionalOptions, Model, model, type Values } from './functional.ts';
