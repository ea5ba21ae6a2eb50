/** From our spelling to Keras's. The other way needs nothing: all options are taken in both spellings. */
import { Initializer } from '../initializers/initializer.ts';
import { snakeCase } from '../names.ts';
import { isObject } from './json.ts';
import { MissingInitializer, type OwnNames } from './own.ts';

/** Options whose values are names too: 'sumOverBatchSize' → 'sum_over_batch_size'. */
const namingOptions = new Set([
  'activation',
  'recurrentActivation',
  'mode',
  'distribution',
  'reduction',
  'classAggregation',
  'dataFormat',
  'fillMode',
]);

/** 'kernelInitializer' → 'kernel_initializer'; 'beta1' → 'beta_1'. */
export const kerasOption = (key: string): string => snakeCase(key).replace(/beta(\d)$/, 'beta_$1');

/** 'sparseCategoricalCrossentropy' → 'sparse_categorical_crossentropy'; short names stay. */
export const kerasName = (name: string): string => snakeCase(name.replace(/^./, (c) => c.toUpperCase()));

/** A description by class and options, as Keras 3 writes it. `where`: whose options they are, for messages. */
export const described = (
  module: string,
  className: string,
  config: object,
  names: OwnNames,
  where = className,
): KerasDescription => ({
  module,
  class_name: className,
  config: kerasOptions(config, names, where),
  registered_name: null,
});

export interface KerasDescription {
  readonly module: string;
  readonly class_name: string;
  readonly config: Record<string, unknown>;
  readonly registered_name: string | null;
}

/** Where Keras has the class that an option describes. */
function moduleOf(option: string): string {
  if (option === 'learningRate') return 'keras.optimizers.schedules';
  if (/layer$/i.test(option)) return 'keras.layers';
  if (option.endsWith('Regularizer')) return 'keras.regularizers';
  return option.endsWith('Constraint') ? 'keras.constraints' : 'keras.initializers';
}

/** Options in Keras's spelling; schedules, initializers and their kin become descriptions of their own. */
const kerasOptions = (config: object, names: OwnNames, where: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      kerasOption(key),
      namingOptions.has(key) && typeof value === 'string'
        ? kerasName(value)
        : kerasValue(value, key, names, `${where}.${key}`),
    ]),
  );

/** The value of an option: what is the user's own by its name, what is ours by class and options. */
export function kerasValue(value: unknown, key: string, names: OwnNames, where: string): unknown {
  if (typeof value === 'function') return names.byName(value, value.name, where);
  if (value instanceof MissingInitializer) return value.described(names, where);
  if (!isObject(value) || typeof value.className !== 'string') return value;
  const config = (value.config ?? {}) as object;
  const isOwn = value instanceof Initializer || typeof value.of === 'function';
  return isOwn
    ? names.byClass(value, value.className, config, where)
    : described(moduleOf(key), value.className, config, names, where);
}

/** The version whose formats we write. */
export const KERAS_VERSION = '3.15.1';
