/** What layers add while a step runs the model: terms of its loss, and numbers for its logs. */
import type { Tensor } from '../../ops/tensor.ts';

export interface Added {
  /** Scalars. */
  readonly losses: Tensor[];
  /** By name: scalars, or one value for each sample. */
  readonly metrics: Map<string, Tensor>;
}

const none: Added = { losses: [], metrics: new Map() };
let open: Added | null = null;

/** What has been added to the step under way. */
export const addedSoFar = (): Added => open ?? none;

/** Runs a part of a step; what layers add meanwhile is in `addedSoFar`. */
export function adding<T>(run: () => T): T {
  const outer = open;
  open = { losses: [], metrics: new Map() };
  try {
    return run();
  } finally {
    open = outer;
  }
}

/** Nobody asks for it outside of `adding`: predict has no loss. */
export const addLoss = (value: Tensor): void => {
  open?.losses.push(value);
};

export const addMetric = (name: string, value: Tensor): void => {
  open?.metrics.set(name, value);
};
