/** `trainOnBatch` and `testOnBatch`: one step on tensors that are handed in. */
import { type Captured, capture } from '../../graph/capture.ts';
import { gradients } from '../../graph/gradients.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Logs } from '../callbacks/callback.ts';
import { readOptions } from '../names.ts';
import type { Model } from './model.ts';
import { columnSums } from './objective.ts';
import { checkClassWeight, classCount, takeSamples } from './samples.ts';
import type { Engine } from './steps.ts';

export interface BatchOptions {
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
  /** What the samples of each class count in the loss. */
  classWeight?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | null;
}

type Operation = 'trainOnBatch' | 'testOnBatch';
type BatchStep = Captured<readonly Tensor[], Tensor>;

/** Captured steps by what they do; shapes are the captured functions' own affair. */
export class BatchSteps {
  private readonly model: Model;
  private readonly steps = new Map<string, BatchStep>();
  private engine: Engine | null = null;

  constructor(model: Model) {
    this.model = model;
  }

  async run(operation: Operation, x: unknown, y: unknown, options?: BatchOptions): Promise<Logs> {
    const { model } = this;
    const { sampleWeight, classWeight } = readOptions(operation, options, {
      sampleWeight: null as unknown,
      classWeight: null as BatchOptions['classWeight'],
      returnDict: true,
    });
    const samples = await takeSamples(
      { x, y, sampleWeight, classWeight },
      { operation, inputShape: model.inputShape },
    );
    try {
      await model.prepareFor(samples, operation);
      checkClassWeight(classWeight, classCount(model.outputShape), operation);
      const { optimizer, objective } = model.compiled(operation);
      if (operation === 'trainOnBatch') optimizer.build(model.trainableWeights);
      const { weight } = samples;
      const step = this.step(operation, weight !== null, await model.engineFor(samples.x));
      const sums = await step(samples.x, samples.y!, ...(weight ? [weight] : []));
      const logs = objective.results(await sums.data(), samples.count, weight !== null);
      sums.dispose();
      return logs;
    } finally {
      samples.dispose();
    }
  }

  private step(operation: Operation, hasWeights: boolean, engine: Engine): BatchStep {
    if (this.engine !== engine) this.dispose();
    this.engine = engine;
    const { model } = this;
    const { objective, optimizer } = model.compiled(operation);
    const frozen = model.trainableWeights.length;
    const key = `${operation} ${hasWeights} ${objective.key} ${frozen}`;
    let step = this.steps.get(key);
    if (!step) {
      step = capture(
        (x: Tensor, y: Tensor, weight?: Tensor) => {
          const training = operation === 'trainOnBatch';
          const { loss, columns } = objective.measure(model, { x, y, weight: weight ?? null }, training);
          const weights = model.trainableWeights;
          if (training && weights.length > 0) optimizer.apply(weights, gradients(loss, weights));
          return columnSums(columns);
        },
        { name: operation, engine },
      ) as unknown as BatchStep;
      this.steps.set(key, step);
    }
    return step;
  }

  dispose(): void {
    for (const step of this.steps.values()) step.dispose();
    this.steps.clear();
  }
}
