/** What `compile({ metrics: […] })` means. */
import { ConfigError } from '../../base/errors.ts';
import { loaded } from '../../base/loaded.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { Loss } from '../losses/loss.ts';
import { crossentropyOf, isCrossentropy, shortNames } from '../losses/resolve.ts';
import { describe, Makers } from '../names.ts';
import { byShapes } from '../targets.ts';
import * as accuracies from './accuracy.ts';
import { Metric, meanMetric, metricOfLoss } from './metric.ts';
import * as ofLosses from './of-losses.ts';

const further = () => loaded('weft: a metric', import('./further.ts'));

const names: readonly (keyof typeof import('./further.ts'))[] = [
  'accuracy',
  'topKCategoricalAccuracy',
  'sparseTopKCategoricalAccuracy',
  'precision',
  'recall',
  'truePositives',
  'falsePositives',
  'trueNegatives',
  'falseNegatives',
  'auc',
  'f1Score',
  'fBetaScore',
  'rootMeanSquaredError',
  'cosineSimilarity',
  'r2Score',
  'perplexity',
];

export const metricNames = new Makers<Metric | Promise<Metric>>(
  'metric',
  {
    ...accuracies,
    ...ofLosses,
    ...Object.fromEntries(
      names.map((name) => [name, async (options?: object) => (await further())[name](options)]),
    ),
  },
  shortNames,
);

/** A metric of one's own: a function, or an object with `call` (and perhaps `name`, `direction`, `config`). */
export interface MetricDefinition {
  name?: string;
  /** Whether more is better; default 'up'. */
  direction?: 'up' | 'down';
  /** One value for each sample, or one for the batch. */
  call(yTrue: Tensor, yPred: Tensor): Tensor;
  config?: Record<string, unknown>;
}

export type MetricLike =
  | string
  | Metric
  | Loss
  | MetricDefinition
  | ((yTrue: Tensor, yPred: Tensor) => Tensor);

/** Chooses the metric once the shapes of y and the predictions are known. */
export type MetricChoice = (yTrue: Shape, yPred: Shape) => Metric | Promise<Metric>;

/**
 * What `compile({ metrics: […] })` means by one entry. 'accuracy' (or 'acc') is binary where there is one
 * output, sparse where y holds class numbers, categorical otherwise; its key is the word as it was given.
 */
export function resolveMetric(given: unknown, operation: string): MetricChoice {
  if (typeof given === 'string') {
    const factoryFor = factoryNamed(given, operation);
    return async (...shapes) => (await factoryFor(...shapes)()).named(given);
  }
  const metric = metricFrom(given, operation);
  return () => metric;
}

/** What a name stands for; two leave it to the shapes. */
function factoryNamed(
  name: string,
  operation: string,
): (...shapes: [Shape, Shape]) => () => Metric | Promise<Metric> {
  if (['accuracy', 'acc'].includes(name.toLowerCase()))
    return (...shapes) =>
      byShapes(
        ...shapes,
        accuracies.binaryAccuracy,
        accuracies.sparseCategoricalAccuracy,
        accuracies.categoricalAccuracy,
      );
  if (isCrossentropy(name)) return (...shapes) => crossentropyOf(ofLosses, ...shapes);
  const factory = metricNames.get(name, operation);
  return () => factory;
}

function metricFrom(given: unknown, operation: string): Metric {
  if (given instanceof Metric) return given;
  if (given instanceof Loss) return metricOfLoss(given);
  if (typeof given === 'function')
    return meanMetric(given.name || 'metric', given as (t: Tensor, p: Tensor) => Tensor);
  if (typeof given === 'object' && given !== null && 'call' in given) {
    const { name = 'metric', call, direction, config } = given as MetricDefinition;
    return meanMetric(name, (yTrue, yPred) => call.call(given, yTrue, yPred), { direction, config });
  }
  throw new ConfigError(
    `${operation}: metric is ${describe(given)}; expected a name, a metric or a function.`,
  );
}
