/**
 * The steps that training replays: each takes the batch whose turn it is, by a counter that lives on the
 * GPU, so that a step has no arguments and many of them fit into one submit.
 */
import { type Captured, capture } from '../../graph/capture.ts';
import { type defaultEngine, serial } from '../../graph/engines.ts';
import { gradients } from '../../graph/gradients.ts';
import { leafRange } from '../../graph/runtime.ts';
import { assignAll } from '../../graph/variables.ts';
import { variable } from '../../ops/constant.ts';
import { SHORT_SUM } from '../../ops/reduce.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { type Batch, columnSums, type Objective, type Predictor } from './objective.ts';

export type Engine = Awaited<ReturnType<typeof defaultEngine>>;
export type Step = Captured<readonly [], undefined>;

/** What a loop of steps keeps on the GPU. */
export class LoopState {
  /** Steps since the loop began. */
  readonly position: Variable = variable(0, { dtype: 'i32', name: 'position', trainable: false });
  /** Sums of the columns over the present block of steps. */
  readonly sums: readonly Variable[];

  constructor(sizes: readonly number[]) {
    this.sums = sizes.map((size) => variable(new Float32Array(size), { name: 'sums', trainable: false }));
  }

  /**
   * The next step is number `step`. Written straight to its place, after the steps that were asked for so far: an
   * assignment would be a kernel of its own, and nobody else reads the counter. `before`: the sums of the steps before.
   */
  restart(engine: Engine, step = 0, before: readonly number[] = []): Promise<void> {
    const position = this.position.value;
    const sums = this.sums.map(({ value }) => value);
    return serial(engine, () => {
      engine.write(leafRange(position, engine), Int32Array.of(step));
      let end = 0;
      for (const sum of sums) {
        const begin = end;
        end += sum.size;
        const there = new Float32Array(sum.size);
        there.set(before.slice(begin, end));
        engine.write(leafRange(sum, engine), there);
      }
    });
  }

  /** The sums after the steps that were asked for so far. `clear`: the next step begins with zeros. */
  read(engine: Engine, clear: boolean): Promise<Float32Array> {
    const sums = this.sums.map(({ value }) => value);
    const reading = serial(engine, () => ({
      bytes: engine.readAll(
        sums.map((sum) => leafRange(sum, engine)),
        { clear },
      ),
    }));
    return reading.then(async ({ bytes }) => new Float32Array(await bytes));
  }

  dispose(): void {
    this.position.dispose();
    for (const sum of this.sums) sum.dispose();
  }
}

/** Loop states of one model, used again so that memory stays where it is from run to run. */
export class LoopStates {
  private readonly free = new Map<string, LoopState[]>();

  take(sizes: readonly number[]): LoopState {
    return this.free.get(sizes.join())?.pop() ?? new LoopState(sizes);
  }

  giveBack(state: LoopState): void {
    const key = state.sums.map(({ size }) => size).join();
    this.free.set(key, [...(this.free.get(key) ?? []), state]);
  }

  dispose(): void {
    for (const state of [...this.free.values()].flat()) state.dispose();
    this.free.clear();
  }
}

export const modulo = (x: Tensor, n: number): Tensor => x.sub(x.floorDiv(n).mul(n));

/** Where steps find their batches. */
export interface BatchPlan {
  /** Takes the memory that batches pass through. */
  allocate(): void;
  dispose(): void;
  /** Samples of a whole batch. */
  readonly size: number;
  /** Samples of the last, smaller batch of a pass, or 0. */
  readonly rest: number;
  readonly hasWeights: boolean;
  /** The batch of `size` samples whose turn it is. */
  at(position: Variable, size: number): Batch;
}

/** The steps for whole batches and for the rest; the latter is null where there is none. */
export interface StepPair {
  readonly whole: Step;
  readonly rest: Step | null;
}

/** Makes both steps of a loop from a function of the batch. */
export function makeSteps(
  name: string,
  batches: BatchPlan,
  engine: Engine,
  step: (size: number) => void,
): StepPair {
  const make = (size: number): Step =>
    capture(
      () => {
        step(size);
        return undefined;
      },
      { name, engine },
    );
  return { whole: make(batches.size), rest: batches.rest > 0 ? make(batches.rest) : null };
}

/** Are the batches so small that each column has its own sum? */
export const sumsApart = ({ size }: BatchPlan): boolean => size <= SHORT_SUM;

/** Adds a batch's columns to the sums and goes on to the next batch. */
function account({ position, sums }: LoopState, columns: readonly Tensor[], apart: boolean): void {
  const ofBatch = columnSums(columns, apart);
  assignAll([
    ...sums.map((sum, i) => [sum, sum.add(ofBatch[i])] as const),
    [position, position.add(1)] as const,
  ]);
}

/** Forward, backward, update, account. */
export const trainingSteps = (
  model: Predictor & { readonly trainableWeights: readonly Variable[] },
  objective: Objective,
  optimizer: Optimizer,
  state: LoopState,
  batches: BatchPlan,
  engine: Engine,
): StepPair =>
  makeSteps('train', batches, engine, (size) => {
    const { loss, columns } = objective.measure(model, batches.at(state.position, size), true, state.sums);
    const weights = model.trainableWeights;
    if (weights.length > 0) optimizer.apply(weights, gradients(loss, weights));
    account(state, columns, sumsApart(batches));
  });

/** Forward, account. */
export const evaluationSteps = (
  model: Predictor,
  objective: Objective,
  state: LoopState,
  batches: BatchPlan,
  engine: Engine,
): StepPair =>
  makeSteps('evaluate', batches, engine, (size) => {
    const { columns } = objective.measure(model, batches.at(state.position, size), false, state.sums);
    account(state, columns, sumsApart(batches));
  });
