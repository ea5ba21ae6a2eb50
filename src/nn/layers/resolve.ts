/** Layers from what files hold. */
import { Makers } from '../names.ts';
import { Activation } from './activation.ts';
import { Dense } from './dense.ts';
import { Dropout } from './dropout.ts';
import { Flatten } from './flatten.ts';
import { InputLayer } from './input.ts';
import type { Layer } from './layer.ts';
import { Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract } from './merging.ts';
import { Rescaling } from './rescaling.ts';
import { Reshape } from './reshape.ts';

/** Our layers by Keras's names of their classes. */
const classes: Readonly<Record<string, new (options: never) => Layer>> = {
  InputLayer,
  Dense,
  Flatten,
  Reshape,
  Activation,
  Dropout,
  Rescaling,
  Add,
  Subtract,
  Multiply,
  Average,
  Maximum,
  Minimum,
  Concatenate,
  Dot,
};

const makers = new Makers<Layer>(
  'layer',
  Object.fromEntries(
    Object.entries(classes).map(([name, Class]) => [name, (options) => new Class(options as never)]),
  ),
  { input: 'InputLayer' },
);

/** Whether a class of layers, or a layer, is one of ours and not the user's. */
export const isKnownLayer = (one: string | Layer): boolean =>
  typeof one === 'string' ? makers.has(one) : Object.values<unknown>(classes).includes(one.constructor);

/** The layer that Keras's { className, config } describes, without weights. */
export const fromConfig = (description: { className: string; config?: object }): Layer =>
  makers.make(description, 'layers.fromConfig');
