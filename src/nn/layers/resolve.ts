/** Layers from what models and files hold. */
import { type Maker, Makers } from '../names.ts';
import { Custom, type LayerDefinition } from './custom.ts';
import { activation, dense, dropout, flatten, input, rescaling, reshape } from './factories.ts';
import { Layer } from './layer.ts';

const makers = new Makers<Layer>(
  'layer',
  { input, dense, flatten, reshape, activation, dropout, rescaling } as object as Record<
    string,
    Maker<Layer>
  >,
  { inputLayer: 'input' },
);

/** The layer that Keras's { className, config } describes, without weights. */
export const fromConfig = (description: { className: string; config?: object }): Layer =>
  makers.make(description, 'layers.fromConfig');

/** A layer from what a model was given: a layer, or an object with `call`. */
export function asLayer(given: unknown): Layer | null {
  if (given instanceof Layer) return given;
  const isDefinition =
    typeof given === 'object' && given !== null && typeof (given as LayerDefinition).call === 'function';
  return isDefinition ? new Custom(given as LayerDefinition) : null;
}
