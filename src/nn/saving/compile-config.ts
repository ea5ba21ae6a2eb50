/** How a model was compiled, as Keras writes it, both ways. */
import { ConfigError, WeftError } from '../../base/errors.ts';
import { Loss } from '../losses/loss.ts';
import { lossNames } from '../losses/resolve.ts';
import { Metric } from '../metrics/metric.ts';
import { metricNames } from '../metrics/resolve.ts';
import { type Makers, readDescription } from '../names.ts';
import { isKnownOptimizer, resolveOptimizer } from '../optimizers/resolve.ts';
import type { CompileOptions, Trainable } from '../training/trainable.ts';
import { ofCompiled, unwrapped } from './foreign-options.ts';
import { isObject, type JsonObject } from './json.ts';
import { described, kerasName } from './keras-names.ts';
import type { OwnNames, OwnObjects } from './own.ts';

/** The words to compile by, or null where functions of one's own cannot be written down. */
export function describeCompiled(model: Trainable, names: OwnNames): Record<string, unknown> | null {
  const { compileOptions: options } = model;
  if (!options) return null;
  const { optimizer } = model;
  const config = optimizer.getConfig();
  try {
    if (Number.isNaN(config.learningRate))
      throw new NotWritable('files cannot hold a learning rate that is a function.');
    const list = (given: readonly unknown[] | null | undefined): unknown[] | null =>
      given && given.length > 0 ? given.map((one) => written(one, 'keras.metrics', names)) : null;
    return {
      optimizer: isKnownOptimizer(optimizer)
        ? described('keras.optimizers', optimizer.className, config, names)
        : names.byClass(optimizer, optimizer.className, config, 'the optimizer'),
      loss: written(options.loss, 'keras.losses', names),
      loss_weights: null,
      metrics: list(options.metrics),
      weighted_metrics: list(options.weightedMetrics),
      run_eagerly: false,
      steps_per_execution: 1,
      jit_compile: true,
    };
  } catch (error) {
    if (!(error instanceof NotWritable || error instanceof ConfigError)) throw error;
    const why = error.message.replace(/^save: /, '');
    console.warn(
      `save: ${model.name} is saved without how it was compiled: ${why} Compile it again after loading.`,
    );
    return null;
  }
}

class NotWritable extends Error {}

function written(given: unknown, module: string, names: OwnNames): unknown {
  if (typeof given === 'string') return kerasName(given);
  if ((given instanceof Loss || given instanceof Metric) && given.className !== null)
    return described(module, given.className, { ...given.config, name: given.name }, names);
  if (isObject(given) && 'className' in given && typeof given.className === 'string')
    return described(module, given.className, (given.config as object | undefined) ?? {}, names);
  const { name } = given as { name?: unknown };
  const where = module === 'keras.losses' ? 'a loss of your own' : 'a metric of your own';
  return names.byName(given, typeof name === 'string' ? name : '', where);
}

/**
 * Compiles a model as its file says. What we do not offer leaves it as it is, with a warning: its weights
 * are good without.
 */
export async function compileAsSaved(
  model: Trainable,
  config: JsonObject,
  where: string,
  own: OwnObjects,
): Promise<void> {
  try {
    const { loss_weights: weights } = config;
    if ([weights].flat().some((one) => one !== null && one !== undefined && one !== 1))
      throw new ConfigError(`loss_weights are ${JSON.stringify(weights)}; only null is offered.`);
    model.compile({
      optimizer: resolveOptimizer(unwrapped(config.optimizer, own, '', ofCompiled), 'optimizer'),
      loss: readLoss(config.loss, own),
      metrics: await readMetrics(config.metrics, own),
      weightedMetrics: await readMetrics(config.weighted_metrics, own),
    } as CompileOptions);
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    console.warn(`${where}: the model is not compiled: ${error.message}`);
  }
}

/** A name, or a loss: users may ask `compileOptions` for it. */
const readLoss = (given: unknown, own: OwnObjects): unknown =>
  byClass(unwrapped(given, own, '', ofCompiled), 'loss', lossNames, own);

/** tf.keras 2 writes a list for each output. */
const readMetrics = (given: unknown, own: OwnObjects): Promise<unknown[]> | null =>
  Array.isArray(given)
    ? Promise.all(
        given.flat().map((one) => byClass(unwrapped(one, own, '', ofCompiled), 'metric', metricNames, own)),
      )
    : null;

/** A loss or metric from its description; names stay names, since 'accuracy' fits itself to y. */
function byClass(given: unknown, kind: string, makers: Makers<unknown>, own: OwnObjects): unknown {
  if (typeof given === 'string' && own.isGiven(given) && !makers.has(given)) return own.get(given);
  if (!isObject(given) || !('class_name' in given)) return given;
  const { className, config } = readDescription(kind, given);
  // tf.keras 2 wraps functions: { fn: 'sparse_categorical_accuracy' }.
  const { fn, ...options } = config as { fn?: unknown };
  return makers.make({ className: typeof fn === 'string' ? fn : className, config: options }, kind);
}
