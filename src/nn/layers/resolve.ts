/** Layers from what files hold. */
import { type Maker, Makers } from '../names.ts';
import * as all from './all.ts';
import type { Layer } from './layer.ts';

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
  makers.make(description, 'layers.fromConfig');
