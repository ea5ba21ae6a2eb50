/** Engines, what they run, and whether and how fast they compute what they should. */
import './graph/methods.ts';

export { Engine, type EngineMemory, type EngineStats, type InitOptions } from './engine/engine.ts';
export type { Profile } from './engine/profile.ts';
export type { Choice as TuningChoice, Tuning, TuningOption, TuningRecord } from './engine/tuning.ts';
export type { PlannedKernel, PlannedOp, PlannedOperand } from './graph/explain.ts';
export {
  type GradcheckOptions,
  type GradcheckReport,
  type GradcheckResult,
  gradcheck,
} from './graph/grad-check.ts';
export { type LeakedTensors, type LeakReport, type LeakWatch, watchLeaks } from './graph/leaks.ts';
export type { StepProfile, TimedKernel } from './graph/profile.ts';
export {
  type OpVerdict,
  type SelfTestOptions,
  type SelfTestReport,
  type SelfTestResult,
  selfTest,
} from './graph/self-test.ts';
export { type SpeedTestOptions, type SpeedTestResult, speedTest } from './graph/speed-test.ts';
export type { Case, Composite, ProvenOp as Op } from './ops/define.ts';
export { registry } from './ops/registry.ts';
