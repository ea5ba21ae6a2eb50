/** A model's architecture as Keras 3 describes it. */
import type { BatchShape, Layer } from '../layers/layer.ts';
import type { Model } from '../models/model.ts';
import { described } from './keras-names.ts';

const inputLayer = (shape: BatchShape): object => ({
  module: 'keras.layers',
  class_name: 'InputLayer',
  config: { batch_shape: shape, dtype: 'float32', sparse: false, ragged: false, name: 'input_layer' },
  registered_name: null,
});

/** The model as Keras 3's `config.json` has it, without how it was compiled. */
export function describeModel(model: Model): Record<string, unknown> {
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
        ...model.layers.map((layer) => (isModel(layer) ? describeModel(layer) : describeLayer(layer))),
      ],
      ...(shape ? { build_input_shape: shape } : {}),
    },
    registered_name: null,
    ...(shape ? { build_config: { input_shape: shape } } : {}),
  };
}

const isModel = (layer: Layer): layer is Model => layer.className === 'Sequential';

function describeLayer(layer: Layer): object {
  // The model's input layer says the shape.
  const { batchInputShape: _, ...config } = layer.getConfig();
  const { builtFor } = layer;
  return {
    ...described('keras.layers', layer.className, config),
    ...(builtFor ? { build_config: { input_shape: builtFor } } : {}),
  };
}
