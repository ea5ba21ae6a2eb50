/**
 * Options as others write them: Keras 3, tf.keras 2, TensorFlow.js. What they write beside ours is left out
 * where it changes nothing, and refused otherwise, by whoever takes the options.
 */
import { isObject, type JsonObject } from './json.ts';

const anything = Symbol('any value');

/** What others write beside our options, and the values at which it changes nothing. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
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
  // losses and metrics
  axis: [-1],
  ignore_class: [null],
  thresholds: [null],
  top_k: [null],
  class_id: [null],
  // optimizers
  use_ema: [false],
  ema_momentum: [anything],
  ema_overwrite_frequency: [anything],
  loss_scale_factor: [null],
  gradient_accumulation_steps: [null],
  jit_compile: [anything],
  is_legacy_optimizer: [anything],
  decay: [0],
};

/** Options as our classes take them. */
export function withoutNeutral(config: JsonObject): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const same = Object.hasOwn(neutral, key) ? neutral[key] : [];
    if (same.includes(anything) || same.includes(value)) continue;
    kept[key] = unwrapped(value, key);
  }
  return kept;
}

/** A value without Keras's wrapping: functions by their names, dtypes by theirs. */
export function unwrapped(value: unknown, key = ''): unknown {
  if (!isObject(value) || !('class_name' in value)) return value;
  const { class_name: className, config } = value;
  if (className === 'function' && typeof config === 'string') return config;
  if (key === 'dtype' && isObject(config)) return config.name;
  return {
    class_name: className,
    config: isObject(config) ? withoutNeutral(omit(config, ['dtype'])) : config,
  };
}

const omit = (object: JsonObject, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
