/** How a model was compiled, as Keras writes it, both ways. */
import { ConfigError, WeftError } from '../../base/errors.ts';
import { Loss } from '../losses/loss.ts';
import { lossNames } from '../losses/resolve.ts';
import { Metric } from '../metrics/metric.ts';
import { metricNames } from '../metrics/resolve.ts';
import { type Makers, readDescription } from '../names.ts';
import { Adadelta, Adamax, Lion, Nadam } from '../optimizers/further.ts';
import { Muon } from '../optimizers/muon.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { isKnownOptimizer, resolveOptimizer } from '../optimizers/resolve.ts';
import { cosineDecayRestarts } from '../schedules/restarts.ts';
import { isOneLoss, isRecord } from '../training/by-output.ts';
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
    const metrics = (given: unknown): unknown =>
      Array.isArray(given) && given.length === 0
        ? null
        : mapNested(given, (one) => written(one, 'keras.metrics', names));
    return {
      optimizer:
        isKnownOptimizer(optimizer) || isFurther(optimizer)
          ? described('keras.optimizers', optimizer.className, config, names)
          : names.byClass(optimizer, optimizer.className, config, 'the optimizer'),
      loss: mapNested(options.loss, (one) => written(one, 'keras.losses', names)),
      loss_weights: options.lossWeights ?? null,
      metrics: metrics(options.metrics),
      weighted_metrics: metrics(options.weightedMetrics),
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

/** The same lists and records of other values; nothing stays null. */
function mapNested(given: unknown, f: (one: unknown) => unknown): unknown {
  if (given === null || given === undefined) return null;
  if (Array.isArray(given)) return given.map((one) => mapNested(one, f));
  if (isOneLoss(given)) return f(given);
  return Object.fromEntries(Object.entries(given as object).map(([name, one]) => [name, mapNested(one, f)]));
}

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
    const { loss_weights: weights = null } = config;
    // For one output tf.keras 2 writes a list of one.
    const plain = model.ports === null && [weights].flat().every((one) => one === null || one === 1);
    model.compile({
      optimizer: optimizerFrom(unwrapped(config.optimizer, own, '', ofCompiled)),
      loss: await nested(config.loss, (one) => readLoss(one, own)),
      metrics: await readMetrics(model, config.metrics, own),
      weightedMetrics: await readMetrics(model, config.weighted_metrics, own),
      ...(plain ? {} : { lossWeights: weights }),
    } as CompileOptions);
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    console.warn(`${where}: the model is not compiled: ${error.message}`);
  }
}

/** A name, or a loss: users may ask `compileOptions` for it. */
const readLoss = (given: unknown, own: OwnObjects): unknown =>
  byClass(unwrapped(given, own, '', ofCompiled), 'loss', lossNames, own);

/** tf.keras 2 writes a list for each output, of one output too. */
async function readMetrics(model: Trainable, given: unknown, own: OwnObjects): Promise<unknown> {
  const metric = (one: unknown): unknown =>
    byClass(unwrapped(one, own, '', ofCompiled), 'metric', metricNames, own);
  const read = await nested(given, metric);
  return Array.isArray(read) && (model.ports === null || model.outputNames.length === 1) ? read.flat() : read;
}

/** What a file nests, with each description in it read. */
async function nested(given: unknown, read: (one: unknown) => unknown): Promise<unknown> {
  if (given === null || given === undefined) return null;
  if (Array.isArray(given)) return Promise.all(given.map((one) => nested(one, read)));
  if (!isRecord(given) || 'class_name' in given || 'className' in given) return read(given);
  const all = Object.entries(given).map(async ([name, one]) => [name, await nested(one, read)] as const);
  return Object.fromEntries(await Promise.all(all));
}

/** A loss or metric from its description; names stay names, since 'accuracy' fits itself to y. */
function byClass(given: unknown, kind: string, makers: Makers<unknown>, own: OwnObjects): unknown {
  if (typeof given === 'string' && own.isGiven(given) && !makers.has(given)) return own.get(given);
  if (!isObject(given) || !('class_name' in given)) return given;
  const { className, config } = readDescription(kind, given);
  // tf.keras 2 wraps functions: { fn: 'sparse_categorical_accuracy' }.
  const { fn, ...options } = config as { fn?: unknown };
  return makers.make({ className: typeof fn === 'string' ? fn : className, config: options }, kind);
}

/** Optimizers that `compile` takes as objects, and not by name. */
const further: Readonly<Record<string, new (options?: object) => Optimizer>> = {
  Adadelta,
  Adamax,
  Lion,
  Muon,
  Nadam,
};

const isFurther = (optimizer: Optimizer): boolean =>
  (Object.values(further) as unknown[]).includes(optimizer.constructor);

function optimizerFrom(given: unknown): Optimizer {
  const { config } = (isObject(given) ? given : {}) as { config?: JsonObject };
  const rate = config?.learning_rate;
  if (isObject(rate) && rate.class_name === 'CosineDecayRestarts')
    return optimizerFrom({
      ...(given as JsonObject),
      config: { ...config, learning_rate: cosineDecayRestarts(rate.config as never) },
    });
  const name = isObject(given) ? (given.class_name as string) : '';
  if (!Object.hasOwn(further, name)) return resolveOptimizer(given, 'optimizer');
  return new further[name]((given as JsonObject).config as object);
}
