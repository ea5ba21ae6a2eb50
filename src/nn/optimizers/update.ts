/** What passes between an optimizer and what changes its steps. */
import type { Tensor, Variable } from '../../ops/tensor.ts';

/** A variable's new value and those of its slots, in the order of `slotNames`. */
export interface Update {
  readonly value: Tensor;
  readonly slots: readonly Tensor[];
}

/** The plain step from gradients: what becomes of each variable and of what is kept beside it. */
export type Step = (gradients: readonly Tensor[]) => readonly Update[];

/** The options of means. */
export interface AveragingOptions {
  readonly useEma: boolean;
  readonly emaMomentum: number;
  readonly emaOverwriteFrequency: number | null;
  readonly gradientAccumulationSteps: number | null;
}

/** How means change the steps of an optimizer. */
export interface Averaging {
  /** What becomes of variables and what is kept beside them, and of what is kept beside none. */
  step(
    updatesSoFar: Tensor,
    variables: readonly Variable[],
    gradients: readonly Tensor[],
    step: Step,
    further: readonly Tensor[],
  ): [readonly Update[], readonly Tensor[]];
  finish(variables: readonly Variable[]): Promise<void>;
}
