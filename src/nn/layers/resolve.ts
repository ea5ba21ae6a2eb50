/** Layers from what files hold. */
import { camelCase, type Maker, Makers } from '../names.ts';
import * as all from './all.ts';
import { Layer } from './layer.ts';

type LayerClass = new (options?: never) => Layer;

/** Our layers by Keras's names of their classes, which are those of our classes. */
const classes = Object.entries<unknown>({ ...all }).filter(
  (entry): entry is [string, LayerClass] => 'rows' in (entry[1] as object),
);

const makers = new Makers<Layer>(
  'layer',
  Object.fromEntries(
    classes.map(([name, Class]): [string, Maker<Layer>] => [name, (options) => new Class(options as never)]),
  ),
  { input: 'InputLayer' },
);

/** Whether a class of layers, or a layer, is one of ours and not the user's. */
export const isKnownLayer = (one: string | Layer): boolean =>
  typeof one === 'string' ? makers.has(one) : classes.some(([, Class]) => one.constructor === Class);

/** The layer that Keras's { className, config } describes, without weights. */
export const fromConfig = (description: { className: string; config?: object }): Layer =>
  makers.make(withLayers(description), 'layers.fromConfig');

/** Options that are layers themselves, of layers around others. */
const LAYERS = new Set(['layer', 'backwardLayer']);

/** The same with the layers that its options describe. */
function withLayers<D extends { className: string; config?: object }>(description: D): D {
  const config = description?.config;
  const inner = Object.entries(config ?? {}).filter(
    ([key, value]) =>
      LAYERS.has(camelCase(key)) && typeof value === 'object' && value !== null && !(value instanceof Layer),
  );
  if (inner.length === 0) return description;
  const made = inner.map(([key, value]) => [key, fromConfig(value)]);
  return { ...description, config: { ...config, ...Object.fromEntries(made) } };
}
