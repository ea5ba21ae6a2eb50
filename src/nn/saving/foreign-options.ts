/**
 * Options as others write them: Keras 3, tf.keras 2, TensorFlow.js. What they write beside ours is left out
 * where it changes nothing, and refused otherwise, by whoever takes the options.
 */
import { resolveActivation } from '../activations.ts';
import { isObject, type JsonObject } from './json.ts';
import { isOwn, MissingInitializer, type OwnObjects } from './own.ts';

const anything = Symbol('any value');

type Neutral = Readonly<Record<string, readonly unknown[]>>;

/** What others write beside the options of our layers and what they hold, and the values at which it changes nothing. */
const ofLayers: Neutral = {
  sparse: [false],
  ragged: [false],
  optional: [false],
  data_format: ['channels_last', 'channelsLast', null],
  quantization_config: [null],
  lora_rank: [null],
  lora_alpha: [null],
  input_axes: [null],
  output_axes: [null],
  shared_object_id: [anything],
  // batch and layer normalization
  synchronized: [false],
  renorm: [false],
  renorm_clipping: [null],
  renorm_momentum: [anything],
  rms_scaling: [false],
  // vocabularies
  vocabulary_size: [anything],
  vocabulary_dtype: [anything],
  has_input_vocabulary: [anything],
  encoding: ['utf-8'],
  oov_method: ['floormod'],
  // attention
  use_gate: [false],
  flash_attention: [null, false],
  // recurrent layers
  time_major: [false],
  // lambda
  output_shape: [null],
  mask: [null],
};

/** The same for losses, metrics and optimizers. To a constraint, say, an axis of -1 is another than none. */
export const ofCompiled: Neutral = {
  axis: [-1],
  ignore_class: [null],
  thresholds: [null],
  top_k: [null],
  class_id: [null],
  shared_object_id: [anything],
  loss_scale_factor: [null],
  jit_compile: [anything],
  is_legacy_optimizer: [anything],
  decay: [0],
};

/** Options as our classes take them. */
export function withoutNeutral(
  config: JsonObject,
  own: OwnObjects,
  neutral = ofLayers,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const same = Object.hasOwn(neutral, key) ? neutral[key] : [];
    if (same.includes(anything) || same.includes(value)) continue;
    // tf.keras 2's optimizers have 'lr'.
    const name = key === 'lr' && neutral === ofCompiled ? 'learning_rate' : key;
    kept[name] = unwrapped(value, own, key, neutral);
  }
  return kept;
}

/** What tf.keras 2 and TensorFlow.js call an option of a layer, and what Keras 3 calls it. */
const olderNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  LeakyReLU: { alpha: 'negative_slope' },
};

export const renamed = (className: string, config: JsonObject): JsonObject => {
  const names = Object.hasOwn(olderNames, className) ? olderNames[className] : {};
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [Object.hasOwn(names, key) ? names[key] : key, value]),
  );
};

/** Options of something of the user's: all of them, with the functions that they name. */
export const ownOptions = (config: JsonObject, own: OwnObjects): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, unwrapped(value, own, key)]));

/** A value without Keras's wrapping: functions by their names, dtypes by theirs; what is the user's own, itself. */
export function unwrapped(value: unknown, own: OwnObjects, key = '', neutral = ofLayers): unknown {
  if (typeof value === 'string') return /activation$/i.test(key) ? activationNamed(value, own) : value;
  if (!isObject(value) || !('class_name' in value)) return value;
  const { class_name: className, config, module } = value;
  const isFunction = className === 'function' && typeof config === 'string';
  const name = isFunction ? config : className;
  if (typeof name === 'string' && (isOwn(module) || (own.isGiven(name) && !isKeras(module)))) {
    if (/initializer$/i.test(key) && !own.has(name)) return new MissingInitializer(name, value);
    return isFunction ? own.get(name) : own.make(name, ownOptions((config ?? {}) as JsonObject, own));
  }
  if (isFunction) return config;
  if (key === 'dtype' && isObject(config)) return config.name;
  return {
    class_name: className,
    config: isObject(config) ? withoutNeutral(omit(config, ['dtype']), own, neutral) : config,
  };
}

const isKeras = (module: unknown): boolean => typeof module === 'string' && module.startsWith('keras');

/** tf.keras 2 and TensorFlow.js write the name alone, also of the user's functions. */
function activationNamed(name: string, own: OwnObjects): unknown {
  if (!own.isGiven(name)) return name;
  try {
    resolveActivation(name, '');
    return name;
  } catch {
    return own.get(name);
  }
}

const omit = (object: JsonObject, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
