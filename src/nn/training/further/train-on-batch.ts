/** `trainOnBatch` and `testOnBatch`: one step on tensors that are handed in. */
import { type Captured, capture } from '../../../graph/capture.ts';
import { concat, pad } from '../../../ops/movement.ts';
import { Tensor } from '../../../ops/tensor.ts';
import type { Logs } from '../../callbacks/callback.ts';
import { readOptions } from '../../names.ts';
import { checkClassWeight } from '../feed/class-weights.ts';
import { columnsOf, mapColumns } from '../feed/feed.ts';
import { type Samples, takeSamples } from '../feed/samples.ts';
import { Origin } from '../origin.ts';
import { type Engine, learn } from '../steps.ts';
import { columnSums, FEW } from '../tally.ts';
import type { Trainable } from '../trainable.ts';

export interface BatchOptions {
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
  /** What the samples of each class count in the loss. */
  classWeight?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | null;
}

/** What a batch adds to the sums behind loss and metrics. */
export interface BatchSums {
  readonly sums: ArrayLike<number>;
  readonly count: number;
  readonly hasWeights: boolean;
}

type Operation = 'trainOnBatch' | 'testOnBatch';
type BatchStep = Captured<readonly Tensor[], Tensor>;

/** Captured steps by what they do; shapes are the captured functions' own affair. */
export class BatchSteps {
  private readonly model: Trainable;
  private readonly steps = new Map<string, { step: BatchStep; origin: Origin }>();
  private engine: Engine | null = null;

  constructor(model: Trainable) {
    this.model = model;
  }

  /** The sums behind them, which add up over batches. */
  async sums(operation: Operation, x: unknown, y: unknown, options?: BatchOptions): Promise<BatchSums> {
    const { model } = this;
    const { sampleWeight, classWeight } = readOptions(operation, options, {
      sampleWeight: null as unknown,
      classWeight: null as BatchOptions['classWeight'],
      returnDict: true,
    });
    const samples = await takeSamples({ x, y, sampleWeight, classWeight }, { operation, model });
    try {
      await model.prepareFor(samples, operation);
      checkClassWeight(classWeight, model.outputShapes[0], operation);
      const { optimizer, objective } = model.compiled(operation);
      if (operation === 'trainOnBatch' && !objective.updates) optimizer.build(model.trainableWeights);
      const columns = columnsOf(samples);
      const hasWeights = samples.weights.some((weight) => weight !== null);
      const step = this.step(operation, samples, hasWeights, await model.engineFor(columns[0]));
      const sums = await step(...columns);
      const numbers = await sums.data();
      sums.dispose();
      return { sums: numbers, count: samples.count, hasWeights };
    } finally {
      samples.dispose();
    }
  }

  private step(operation: Operation, like: Samples, hasWeights: boolean, engine: Engine): BatchStep {
    if (this.engine !== engine) this.dispose();
    this.engine = engine;
    const { model } = this;
    const { objective, optimizer } = model.compiled(operation);
    const key = `${operation} ${hasWeights} ${objective.key}`;
    const kept = this.steps.get(key);
    if (kept?.origin.holds) return kept.step;
    kept?.step.dispose();
    const training = operation === 'trainOnBatch';
    const origin = new Origin(model, training ? optimizer : null);
    // Which columns there are, without the data in them.
    const form = mapColumns(like, ({ shape, dtype }) => new Tensor(shape, dtype));
    const step = capture(
      (...given: Tensor[]) => {
        const batch = mapColumns(form, (_, i) => given[i]);
        const columns = training
          ? learn(model, objective, optimizer, batch)
          : objective.measure(model, batch, false).columns;
        origin.note();
        return lined(columnSums(columns, false));
      },
      { name: operation, engine },
    ) as unknown as BatchStep;
    this.steps.set(key, { step, origin });
    return step;
  }

  dispose(): void {
    for (const { step } of this.steps.values()) step.dispose();
    this.steps.clear();
  }
}

/** Those of a model, which go on from call to call. */
export function batchStepsOf(model: Trainable): BatchSteps {
  model.batchSteps ??= new BatchSteps(model);
  return model.batchSteps as BatchSteps;
}

/** Loss and metrics of a batch. */
export async function runBatch(
  model: Trainable,
  operation: Operation,
  x: unknown,
  y: unknown,
  options?: BatchOptions,
): Promise<Logs> {
  const { sums, count, hasWeights } = await batchStepsOf(model).sums(operation, x, y, options);
  const { objective } = model.compiled(operation);
  return objective.tally(hasWeights, operation === 'trainOnBatch').results(sums, count);
}

/** Sums one after the other. Many are added up, each between zeros: nested concatenations compile for seconds. */
function lined(sums: readonly Tensor[]): Tensor {
  if (sums.length === 1) return sums[0];
  if (sums.length <= FEW) return concat(sums, 0);
  const size = sums.reduce((total, one) => total + one.size, 0);
  let start = 0;
  return sums
    .map((one) => {
      const padded = pad(one, [[start, size - start - one.size]]);
      start += one.size;
      return padded;
    })
    .reduce((all, one) => all.add(one));
}
