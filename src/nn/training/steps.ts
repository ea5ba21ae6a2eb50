/**
 * The steps that training replays: each takes the batch whose turn it is, by a counter that lives on the
 * GPU, so that a step has no arguments and many of them fit into one submit.
 */
import { type Captured, capture } from '../../graph/capture.ts';
import { type defaultEngine, serial } from '../../graph/engines.ts';
import { gradients, reachedFrom } from '../../graph/gradients.ts';
import { append } from '../../graph/order.ts';
import { leafRange } from '../../graph/runtime.ts';
import { assignAll } from '../../graph/variables.ts';
import { variable } from '../../ops/constant.ts';
import { SHORT_SUM } from '../../ops/reduce.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Batch } from './feed/feed.ts';
import type { Objective, Predictor } from './objective.ts';
import { Origin } from './origin.ts';
import { columnSums } from './tally.ts';

export type Engine = Awaited<ReturnType<typeof defaultEngine>>;
export type Step = Captured<readonly [], undefined>;
export type PredictStep = Captured<readonly Tensor[], readonly Tensor[]>;

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

/** A loop that waits for another run. */
interface Waiting {
  readonly key: string | null;
  readonly engine: Engine;
  readonly origin: { readonly holds: boolean };
  readonly state: LoopState;
  dispose(): void;
}

/** So many loops of a model wait; the one that has waited longest goes first. */
const MOST_WAITING = 4;

/** What loops of one model leave for the next ones: their states, so that memory stays where it is, and themselves. */
export class LoopStates {
  private readonly free = new Map<string, LoopState[]>();
  private waiting: Waiting[] = [];

  take(sizes: readonly number[]): LoopState {
    return this.free.get(sizes.join())?.pop() ?? new LoopState(sizes);
  }

  giveBack(state: LoopState): void {
    append(this.free, keyOf(state), state);
  }

  keep(loop: Waiting): void {
    this.waiting.push(loop);
    if (this.waiting.length > MOST_WAITING) this.waiting.shift()!.dispose();
  }

  /** A loop that waits for a feed of this form, unless what it was made from has changed or its state is in use. */
  claim(key: string, engine: Engine): Waiting | null {
    const found = this.waiting.find((loop) => loop.key === key && loop.engine === engine);
    const states = found && this.free.get(keyOf(found.state));
    if (!found || !states?.includes(found.state)) return null;
    this.waiting = this.waiting.filter((loop) => loop !== found);
    if (found.origin.holds) {
      states.splice(states.indexOf(found.state), 1);
      return found;
    }
    found.dispose();
    return null;
  }

  /** Frees the loops that wait. */
  drop(): void {
    for (const loop of this.waiting.splice(0)) loop.dispose();
  }

  dispose(): void {
    this.drop();
    for (const state of [...this.free.values()].flat()) state.dispose();
    this.free.clear();
  }
}

const keyOf = ({ sums }: LoopState): string => sums.map(({ size }) => size).join();

export const modulo = (x: Tensor, n: number): Tensor => x.sub(x.floorDiv(n).mul(n));

/** The steps for whole batches and for the rest; the latter is null where there is none. */
export interface StepPair {
  readonly whole: Step;
  readonly rest: Step | null;
}

/** Makes both steps of a loop from a function of the size of a batch. */
export function makeSteps(
  name: string,
  { size, rest }: { readonly size: number; readonly rest: number },
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
  return { whole: make(size), rest: rest > 0 ? make(rest) : null };
}

/** Are batches of this size so small that each column has its own sum? */
export const sumsApart = (size: number): boolean => size <= SHORT_SUM;

/** Adds a batch's columns to the sums and goes on to the next batch. */
function account({ position, sums }: LoopState, columns: readonly Tensor[], apart: boolean): void {
  const ofBatch = columnSums(columns, apart);
  assignAll([
    ...sums.map((sum, i) => [sum, sum.add(ofBatch[i])] as const),
    [position, position.add(1)] as const,
  ]);
}

type Learner = Predictor & { readonly trainableWeights: readonly Variable[] };

/** Forward, backward, update; gives what the samples add to the sums. */
export function learn(
  model: Learner,
  objective: Objective,
  optimizer: Optimizer,
  batch: Batch,
  before: readonly Tensor[] = [],
): readonly Tensor[] {
  const { loss, columns } = objective.measure(model, batch, true, before);
  // An output that is compared with nothing teaches its layers nothing.
  const weights =
    loss && objective.isPartial ? reachedFrom(loss, model.trainableWeights) : model.trainableWeights;
  if (loss && weights.length > 0) optimizer.apply(weights, gradients(loss, weights));
  return columns;
}

/** Forward, backward, update, account. */
export const trainingStep =
  (model: Learner, objective: Objective, optimizer: Optimizer, state: LoopState, apart: boolean) =>
  (batch: Batch): void => {
    account(state, learn(model, objective, optimizer, batch, state.sums), apart);
  };

/** Forward, account. */
export const evaluationStep =
  (model: Predictor, objective: Objective, state: LoopState, apart: boolean) =>
  (batch: Batch): void => {
    const { columns } = objective.measure(model, batch, false, state.sums);
    account(state, columns, apart);
  };

/** The step that predict replays, with what it was made from. */
export function predictStep(model: Layer & Predictor, engine: Engine): { step: PredictStep; origin: Origin } {
  const origin = new Origin(model);
  const step = capture(
    (...inputs: readonly Tensor[]) => {
      const outputs = model.outputsFor(inputs, false);
      origin.note();
      return outputs;
    },
    { name: 'predict', engine },
  );
  return { step, origin };
}
