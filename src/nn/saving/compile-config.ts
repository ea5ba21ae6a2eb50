/** How a model was compiled, as Keras writes it, both ways. */
import { WeftError } from '../../base/errors.ts';
import { Loss } from '../losses/loss.ts';
import { lossNames, whole } from '../losses/resolve.ts';
import { Metric } from '../metrics/metric.ts';
import { metricNames } from '../metrics/resolve.ts';
import type { CompileOptions, Model } from '../models/model.ts';
import { type Makers, readDescription } from '../names.ts';
import { resolveOptimizer } from '../optimizers/resolve.ts';
import { unwrapped } from './foreign-options.ts';
import { isObject, type JsonObject } from './json.ts';
import { described, kerasName } from './keras-names.ts';

/** The words to compile by, or null where functions of one's own cannot be written down. */
export function describeCompiled(model: Model): Record<string, unknown> | null {
  const { compileOptions: options } = model;
  if (!options) return null;
  const { optimizer } = model;
  const config = optimizer.getConfig();
  try {
    if (Number.isNaN(config.learningRate)) throw new NotWritable('a learning rate that is a function');
    return {
      optimizer: described('keras.optimizers', optimizer.className, config),
      loss: written(options.loss, 'keras.losses'),
      loss_weights: null,
      metrics: list(options.metrics),
      weighted_metrics: list(options.weightedMetrics),
      run_eagerly: false,
      steps_per_execution: 1,
      jit_compile: true,
    };
  } catch (error) {
    if (!(error instanceof NotWritable)) throw error;
    console.warn(
      `save: ${model.name} is saved without how it was compiled: files cannot hold ${error.message}. Compile it again after loading.`,
    );
    return null;
  }
}

class NotWritable extends Error {}

const list = (given: readonly unknown[] | null | undefined): unknown[] | null =>
  given && given.length > 0 ? given.map((one) => written(one, 'keras.metrics')) : null;

function written(given: unknown, module: string): unknown {
  if (typeof given === 'string') return kerasName(given);
  if ((given instanceof Loss || given instanceof Metric) && given.className !== null)
    return described(module, given.className, { ...given.config, name: given.name });
  if (isObject(given) && 'className' in given && typeof given.className === 'string')
    return described(module, given.className, (given.config as object | undefined) ?? {});
  throw new NotWritable(module === 'keras.losses' ? 'a loss of your own' : 'a metric of your own');
}

/**
 * Compiles a model as its file says. What we do not offer leaves it as it is, with a warning: its weights
 * are good without.
 */
export async function compileAsSaved(model: Model, config: JsonObject, where: string): Promise<void> {
  try {
    model.compile({
      optimizer: resolveOptimizer(unwrapped(config.optimizer), 'optimizer'),
      loss: await readLoss(config.loss),
      metrics: await readMetrics(config.metrics),
      weightedMetrics: await readMetrics(config.weighted_metrics),
    } as CompileOptions);
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    console.warn(`${where}: the model is not compiled: ${error.message}`);
  }
}

/** A name, or a loss with its formula: users may ask `compileOptions` for it. */
function readLoss(given: unknown): unknown {
  const loss = byClass(unwrapped(given), 'loss', lossNames);
  return loss instanceof Loss ? whole(loss) : loss;
}

/** tf.keras 2 writes a list for each output. */
const readMetrics = (given: unknown): Promise<unknown[]> | null =>
  Array.isArray(given)
    ? Promise.all(given.flat().map((one) => byClass(unwrapped(one), 'metric', metricNames)))
    : null;

/** A loss or metric from its description; names stay names, since 'accuracy' fits itself to y. */
function byClass(given: unknown, kind: string, makers: Makers<unknown>): unknown {
  if (!isObject(given)) return given;
  const { className, config } = readDescription(kind, given);
  // tf.keras 2 wraps functions: { fn: 'sparse_categorical_accuracy' }.
  const { fn, ...options } = config as { fn?: unknown };
  return makers.make({ className: typeof fn === 'string' ? fn : className, config: options }, kind);
}
