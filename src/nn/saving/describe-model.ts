/** A model in words, as Keras 3 has them: its architecture and how it was compiled. */
import { ConfigError } from '../../base/errors.ts';
import type { BatchShape, Layer } from '../layers/layer.ts';
import { isKnownLayer } from '../layers/resolve.ts';
import type { Model } from '../models/model.ts';
import { Sequential } from '../models/sequential.ts';
import { describeCompiled } from './compile-config.ts';
import type { JsonObject } from './json.ts';
import { described, kerasValue } from './keras-names.ts';
import { OwnNames } from './own.ts';

export interface Description {
  readonly model: JsonObject;
  readonly compiled: Record<string, unknown> | null;
}

/**
 * The words for a whole model. ConfigError for what loadModel could not make again; a warning, once for each name, for
 * what it has to be given.
 */
export function describeWhole(model: Model): Description {
  const names = new OwnNames();
  const description = { model: describeModel(model, names), compiled: describeCompiled(model, names) };
  names.tell();
  return description;
}

const inputLayer = (shape: BatchShape): object => ({
  module: 'keras.layers',
  class_name: 'InputLayer',
  config: { batch_shape: shape, dtype: 'float32', sparse: false, ragged: false, name: 'input_layer' },
  registered_name: null,
});

/** The model as Keras 3's `config.json` has it, without how it was compiled. */
function describeModel(model: Model, names: OwnNames): Record<string, unknown> {
  if ((model.constructor as unknown) !== Sequential)
    throw new ConfigError(
      `save: ${model.name} is of class ${model.constructor.name}; files describe Sequential models. Use saveWeights.`,
    );
  const shape = model.inputShape;
  return {
    module: 'keras',
    class_name: model.className,
    config: {
      name: model.name,
      trainable: model.trainable,
      dtype: 'float32',
      layers: [
        ...(shape ? [inputLayer(shape)] : []),
        ...model.layers.map((layer) =>
          isModel(layer) ? describeModel(layer, names) : describeLayer(layer, names),
        ),
      ],
      ...(shape ? { build_input_shape: shape } : {}),
    },
    registered_name: null,
    ...(shape ? { build_config: { input_shape: shape } } : {}),
  };
}

const isModel = (layer: Layer): layer is Model => layer.className === 'Sequential';

function describeLayer(layer: Layer, names: OwnNames): object {
  // The model's input layer says the shape.
  const { batchInputShape: _, ...config } = layer.getConfig();
  const { builtFor, className, name } = layer;
  return {
    ...(isKnownLayer(layer)
      ? described('keras.layers', className, config, names, name)
      : names.byClass(layer, className, ownConfig(config, names, name), name)),
    ...(builtFor ? { build_config: { input_shape: builtFor } } : {}),
  };
}

/** The user's options keep their spelling: whoever reads them back is the user's too. */
const ownConfig = (config: object, names: OwnNames, where: string): object =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, kerasValue(value, key, names, `${where}.${key}`)]),
  );
