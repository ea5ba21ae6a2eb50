/** A model in words, as Keras 3 has them: its architecture and how it was compiled. */
import { ConfigError } from '../../base/errors.ts';
import { InputLayer } from '../layers/input.ts';
import type { BatchShape, Layer } from '../layers/layer.ts';
import { isKnownLayer } from '../layers/resolve.ts';
import type { Trainable } from '../training/trainable.ts';
import { describeCompiled } from './compile-config.ts';
import { type DescribedNetwork, describeNetwork } from './describe-network.ts';
import type { JsonObject } from './json.ts';
import { described, kerasValue } from './keras-names.ts';
import { OwnNames } from './own.ts';

/** What files ask of a model beside what training does. */
export interface Savable extends Trainable {
  /** As what files describe it: layers in a row, or a network. Null: they can hold its weights alone. */
  readonly fileForm: 'row' | 'network' | null;
}

export interface Description {
  readonly model: JsonObject;
  readonly compiled: Record<string, unknown> | null;
}

/**
 * The words for a whole model. ConfigError for what loadModel could not make again; a warning, once for each name, for
 * what it has to be given.
 */
export function describeWhole(model: Savable): Description {
  const names = new OwnNames();
  const description = { model: describeModel(model, names), compiled: describeCompiled(model, names) };
  names.tell();
  return description;
}

const inputLayer = (shape: BatchShape, name = 'input_layer', dtype = 'float32'): object => ({
  module: 'keras.layers',
  class_name: 'InputLayer',
  config: { batch_shape: shape, dtype, sparse: false, ragged: false, name },
  registered_name: null,
});

/** The model as Keras 3's `config.json` has it, without how it was compiled. */
function describeModel(model: Savable, names: OwnNames): Record<string, unknown> {
  if (model.fileForm === 'network') {
    const config = {
      name: model.name,
      trainable: model.trainable,
      ...describeNetwork(model as Savable & DescribedNetwork, (layer) => describeInner(layer, names)),
    };
    if (model.className !== 'Functional')
      return names.byClass(model, model.className, config, model.name) as Record<string, unknown>;
    return {
      module: 'keras.src.models.functional',
      class_name: model.className,
      config,
      registered_name: 'Functional',
      build_config: { input_shape: null },
    };
  }
  if (model.fileForm === null)
    throw new ConfigError(
      `save: ${model.name} is of class ${model.constructor.name}; files describe models made by sequential and model. Use saveWeights.`,
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
        ...model.layers.map((layer) => describeInner(layer, names)),
      ],
      ...(shape ? { build_input_shape: shape } : {}),
    },
    registered_name: null,
    ...(shape ? { build_config: { input_shape: shape } } : {}),
  };
}

/** A layer, or a model that is one. */
function describeInner(layer: Layer, names: OwnNames): object {
  if (layer instanceof InputLayer)
    return inputLayer(layer.batchInputShape!, layer.name, layer.getConfig().dtype as string);
  return 'fileForm' in layer ? describeModel(layer as Savable, names) : describeLayer(layer, names);
}

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
