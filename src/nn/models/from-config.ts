/** Sequential models from what `getConfig` gave. */
import { layerDefaults } from '../layers/layer.ts';
import { fromConfig as layerFromConfig } from '../layers/resolve.ts';
import { readOptions } from '../names.ts';
import { Sequential as Plain } from './sequential.ts';

/** The model that a config describes, with new weights. Layers of one's own cannot be described. */
function fromConfig(config: object): Plain {
  const { layers, ...options } = readOptions('sequential', config, {
    ...layerDefaults,
    layers: [] as { className: string; config?: object }[],
    buildInputShape: null as unknown,
  });
  const { name, trainable, batchInputShape } = options;
  const inner = layers.map((one) =>
    one.className === 'Sequential' ? fromConfig(one.config ?? {}) : layerFromConfig(one),
  );
  const model = new Plain([], { name, trainable, ...(batchInputShape ? { batchInputShape } : {}) });
  for (const layer of inner) model.add(layer);
  return model;
}

/**
 * The class as users have it. `fromConfig` must know every layer; a page that calls `sequential` need not, and a
 * bundler leaves this constant out there.
 */
export const Sequential = Object.assign(Plain, { fromConfig });
export type Sequential = Plain;
