/** From our spelling to Keras's. The other way needs nothing: all options are taken in both spellings. */
import { snakeCase } from '../names.ts';
import { isObject } from './json.ts';

/** Options whose values are names too: 'sumOverBatchSize' → 'sum_over_batch_size'. */
const namingOptions = new Set(['activation', 'mode', 'distribution', 'reduction', 'classAggregation']);

/** 'kernelInitializer' → 'kernel_initializer'; 'beta1' → 'beta_1'. */
export const kerasOption = (key: string): string => snakeCase(key).replace(/^beta(\d)$/, 'beta_$1');

/** 'sparseCategoricalCrossentropy' → 'sparse_categorical_crossentropy'; short names stay. */
export const kerasName = (name: string): string => snakeCase(name.replace(/^./, (c) => c.toUpperCase()));

/** A description by class and options, as Keras 3 writes it. */
export const described = (module: string, className: string, config: object): KerasDescription => ({
  module,
  class_name: className,
  config: kerasOptions(config),
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
  if (option.endsWith('Regularizer')) return 'keras.regularizers';
  return option.endsWith('Constraint') ? 'keras.constraints' : 'keras.initializers';
}

/** Options in Keras's spelling; schedules, initializers and their kin become descriptions of their own. */
export function kerasOptions(config: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (namingOptions.has(key) && typeof value === 'string') return [kerasOption(key), kerasName(value)];
      if (isObject(value) && typeof value.className === 'string')
        return [kerasOption(key), described(moduleOf(key), value.className, (value.config ?? {}) as object)];
      return [kerasOption(key), value];
    }),
  );
}

/** The version whose formats we write. */
export const KERAS_VERSION = '3.15.1';
