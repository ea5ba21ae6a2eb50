/** How a model of several outputs is told its losses and metrics: one for all, a list in their order, or by their names. */
import { ConfigError } from '../../base/errors.ts';
import { isNdArray } from '../../data/pipeline/columns.ts';
import { Tensor } from '../../ops/tensor.ts';
import { numberBetween } from '../check.ts';
import { type LossChoice, resolveLoss } from '../losses/resolve.ts';
import { type MetricChoice, resolveMetric } from '../metrics/resolve.ts';
import { describe } from '../names.ts';
import type { ObjectiveChoice } from './objective.ts';

/** Values by name: an object that is nothing else. */
export const isRecord = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' &&
  given !== null &&
  !(given instanceof Tensor) &&
  Object.getPrototypeOf(given) === Object.prototype &&
  !isNdArray(given);

/** ConfigError, with the names that are right, where a record has another one. */
export function checkNames(record: object, names: readonly string[], what: string): void {
  const other = Object.keys(record).find((name) => !names.includes(name));
  if (other !== undefined)
    throw new ConfigError(
      `${what} has ${JSON.stringify(other)}; expected ${names.map(describe).join(', ')}.`,
    );
}

/** What was given for one option: everything in it is looked up at once, whatever outputs there will be. */
function byOutput<T>(
  given: unknown,
  option: string,
  resolve: (one: unknown) => T,
  none: T,
  /** Whether it is one for all outputs. */
  isOne: (given: unknown) => boolean,
): (names: readonly string[]) => readonly T[] {
  const orNone = (one: unknown): T => (one === null || one === undefined ? none : resolve(one));
  if (given === null || isOne(given)) {
    const one = orNone(given);
    return (names) => names.map(() => one);
  }
  if (Array.isArray(given)) {
    const all = given.map(orNone);
    return (names) => {
      if (all.length === names.length) return all;
      throw new ConfigError(
        `compile: ${option} is a list of ${all.length}; expected one for each of the ${names.length} outputs ${names.join(', ')}.`,
      );
    };
  }
  if (!isRecord(given))
    throw new ConfigError(
      `compile: ${option} is ${describe(given)}; expected one, a list for the outputs, or a record by their names.`,
    );
  const all = new Map(Object.entries(given).map(([name, one]) => [name, orNone(one)]));
  return (names) => {
    checkNames(given, names, `compile: ${option}`);
    return names.map((name) => all.get(name) ?? none);
  };
}

/** A name, a function or a description, rather than a list or a record of them by output. */
export const isOneLoss = (given: unknown): boolean =>
  !Array.isArray(given) &&
  (!isRecord(given) || ['className', 'class_name', 'call'].some((key) => key in given));

/** See `CompileOptions`. */
export function chooseByOutput(given: {
  readonly loss: unknown;
  readonly metrics: unknown;
  readonly weightedMetrics: unknown;
  readonly lossWeights: unknown;
}): ObjectiveChoice {
  const lossOf = byOutput<LossChoice | null>(
    given.loss,
    'loss',
    (one) => resolveLoss(one, 'compile'),
    null,
    isOneLoss,
  );
  const weightOf = byOutput<number>(
    given.lossWeights,
    'lossWeights',
    (one) => numberBetween(one, 'compile', 'lossWeights', Number.NEGATIVE_INFINITY),
    1,
    (one) => typeof one === 'number',
  );
  const metricsOf = (option: 'metrics' | 'weightedMetrics') => {
    const wanted = given[option];
    const resolve = (one: unknown): MetricChoice[] =>
      [one].flat().map((metric) => resolveMetric(metric, 'compile'));
    const choose = byOutput<readonly MetricChoice[]>(wanted, option, resolve, [], () => false);
    // A list for one output may be a list of its metrics.
    const all = Array.isArray(wanted) && !wanted.some((one) => one === null || Array.isArray(one));
    return (names: readonly string[]) => (names.length === 1 && all ? [resolve(wanted)] : choose(names));
  };
  const [plain, weighted] = [metricsOf('metrics'), metricsOf('weightedMetrics')];
  return (names) => {
    const [losses, weights, metrics, weightedMetrics] = [lossOf, weightOf, plain, weighted].map((of) =>
      of(names),
    ) as [(LossChoice | null)[], number[], MetricChoice[][], MetricChoice[][]];
    if (typeof given.lossWeights === 'number' && names.length > 1)
      throw new ConfigError(
        `compile: lossWeights is one number; expected a list or a record for the outputs ${names.join(', ')}.`,
      );
    return names.map((_, i) => ({
      loss: losses[i],
      lossWeight: weights[i],
      metrics: metrics[i],
      weightedMetrics: weightedMetrics[i],
    }));
  };
}
