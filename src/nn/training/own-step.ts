/**
 * Training steps of one's own: a model class that has a `trainStep` or a `testStep` is trained and evaluated by them, captured
 * and replayed like fit's own. A step gets a batch, does its updates, and returns what the logs shall hold.
 */
import { ConfigError, StateError } from '../../base/errors.ts';
import { sketch } from '../../graph/capture.ts';
import { zeros } from '../../ops/constant.ts';
import { cast } from '../../ops/select.ts';
import { Tensor } from '../../ops/tensor.ts';
import { adding } from '../layers/added.ts';
import type { LayerInput } from '../layers/layer.ts';
import { Metric, type MetricUpdate } from '../metrics/metric.ts';
import { describe } from '../names.ts';
import { perSample } from '../targets.ts';
import { isRecord } from './by-output.ts';
import { type Batch, mapColumns } from './feed/feed.ts';
import type { Samples } from './feed/samples.ts';
import type { Measured, Objective, Predictor } from './objective.ts';
import { type Entry, meanEntry, Tally } from './tally.ts';

/** What a step is given: tensors in the form in which the data were given, null for what was not. */
export interface StepBatch {
  readonly x: LayerInput;
  readonly y: LayerInput;
  readonly sampleWeight: LayerInput | null;
}

/**
 * What a step returns: numbers for the logs by name. A tensor is one number of the batch or one for each sample, and its
 * mean over the samples is told; a metric's `updateState` is told as that metric.
 */
export type StepLogs = Readonly<Record<string, Tensor | MetricUpdate>>;

/** The steps that a model has of its own; null for fit's. */
export interface OwnSteps {
  readonly train: ((batch: Batch) => StepLogs) | null;
  readonly test: ((batch: Batch) => StepLogs) | null;
}

const isUpdate = (one: unknown): one is MetricUpdate =>
  typeof one === 'object' && one !== null && 'metric' in one && 'columns' in one;

/** What runs of such a model measure. */
export class OwnObjective implements Objective {
  readonly key: string;
  readonly isPartial = false;
  readonly updates: boolean;
  private readonly name: string;
  private readonly steps: OwnSteps;
  /** Of compile, where the model has a loss. */
  private readonly compiled: Objective | null;
  private readonly tallies = new Map<string, Tally>();
  private readonly found = new Map<string, Metric>();
  private readonly like: Batch;

  constructor(key: string, name: string, steps: OwnSteps, compiled: Objective | null, samples: Samples) {
    this.key = key;
    this.name = name;
    this.steps = steps;
    this.updates = steps.train !== null;
    this.compiled = compiled;
    this.like = mapColumns(samples, ({ shape, dtype }) => new Tensor(shape, dtype));
  }

  get metrics(): readonly Metric[] {
    return [...(this.compiled?.metrics ?? []), ...this.found.values()];
  }

  get sparse(): readonly boolean[] {
    return this.compiled?.sparse ?? this.like.targets.map(() => false);
  }

  checkShapes(...shapes: Parameters<Objective['checkShapes']>): void {
    this.compiled?.checkShapes(...shapes);
  }

  measure(model: Predictor, batch: Batch, training: boolean, before?: readonly Tensor[]): Measured {
    const step = this.own(training);
    if (!step) return this.fits(training).measure(model, batch, training, before);
    return { loss: null, columns: this.logs(step, batch).flatMap(({ columns }) => columns) };
  }

  tally(hasWeights: boolean, training: boolean): Tally {
    const step = this.own(training);
    if (!step) return this.fits(training).tally(hasWeights, training);
    const key = JSON.stringify([hasWeights, training]);
    const known = this.tallies.get(key);
    if (known) return known;
    // The step is run for the names and shapes of what it returns: it changes nothing.
    const blank = {
      ...mapColumns(this.like, ({ shape, dtype }) => cast(zeros([2, ...shape.slice(1)]), dtype)),
      weights: this.like.targets.map((target) => (hasWeights && target ? zeros([2]) : null)),
    };
    const tally = new Tally(
      sketch(() => this.logs(step, blank)).map(({ name, log, columns }): Entry => {
        if (!isUpdate(log)) return meanEntry(name);
        const { result, join } = log.metric;
        if (join)
          throw new ConfigError(
            `${this.name}: ${name} is told by ${log.metric.name}, whose batches cannot be added up. Give it to compile({ metrics }).`,
          );
        if (log.metric instanceof Metric) this.found.set(name, log.metric.named(name));
        return { name, columns, result, join };
      }),
    );
    this.tallies.set(key, tally);
    return tally;
  }

  private own(training: boolean): OwnSteps['train'] {
    return training ? this.steps.train : this.steps.test;
  }

  private fits(training: boolean): Objective {
    if (this.compiled) return this.compiled;
    const [what, step] = training ? ['fit', 'trainStep'] : ['evaluate', 'testStep'];
    throw new StateError(
      `${what}: ${this.name} was compiled without a loss, and has no ${step} of its own. Give compile a loss, or the class a ${step}.`,
    );
  }

  /** Each log with its columns. */
  private logs(
    step: (batch: Batch) => StepLogs,
    batch: Batch,
  ): { name: string; log: Tensor | MetricUpdate; columns: Tensor[] }[] {
    const logs: unknown = adding(() => step(batch));
    const bad = isRecord(logs)
      ? Object.entries(logs).find(([, one]) => !(one instanceof Tensor || isUpdate(one)))
      : ['', logs];
    if (bad)
      throw new ConfigError(
        `${this.name}: trainStep gave ${describe(bad[1])}${bad[0] ? ` for ${bad[0]}` : ''}; expected a record of tensors and of what metrics' updateState gives, such as { loss }. Return one, from a plain function and not an async one.`,
      );
    const [count] = batch.inputs[0].shape;
    return Object.entries(logs as StepLogs).map(([name, log]) => ({
      name,
      log,
      columns: columnsOf(name, log, count),
    }));
  }
}

/** What each of so many samples adds to the sums of a log. */
function columnsOf(name: string, log: Tensor | MetricUpdate, count: number): Tensor[] {
  if (!isUpdate(log)) return [forSamples(name, cast(log, 'f32'), count)];
  // One number counts once for the batch, not once for each sample.
  const each = (column: Tensor): Tensor =>
    column.rank === 0 ? column.div(count).broadcastTo([count]) : column;
  return log.columns.map(each);
}

function forSamples(name: string, value: Tensor, count: number): Tensor {
  if (value.rank === 0) return value.broadcastTo([count]);
  if (value.shape[0] === count) return perSample(value);
  throw new ConfigError(
    `trainStep: ${name} has ${value.shape[0]} values for ${count} samples; expected one number, or one for each.`,
  );
}
