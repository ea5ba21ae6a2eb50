/** Layers by function: the main option may stand in front. */
import type { ActivationLike } from '../activations.ts';
import {
  Activation,
  type ActivationOptions,
  Flatten,
  InputLayer,
  type InputOptions,
  Rescaling,
  type RescalingOptions,
  Reshape,
  type ReshapeOptions,
} from './core.ts';
import { Custom, type LayerDefinition } from './custom.ts';
import { Dense, type DenseOptions } from './dense.ts';
import { Dropout, type DropoutOptions } from './dropout.ts';
import type { Layer, LayerOptions } from './layer.ts';

/** The main option may stand alone in front, as in Keras. */
const merged = <T extends object>(main: keyof T, first: unknown, rest: object | undefined): T =>
  (typeof first === 'object' && first !== null && !Array.isArray(first)
    ? first
    : { ...rest, [main]: first }) as T;

/** The shape of a model's input: `input([28, 28])` or `input({ shape: [28, 28] })`. */
export const input = (shape: readonly (number | null)[] | InputOptions, options?: InputOptions): Layer =>
  new InputLayer(merged<InputOptions>('shape', shape, options));

/** y = f(x · W + b). x: [..., in] → [..., units]; glorot uniform kernel, zero bias. */
export const dense = (units: number | DenseOptions, options?: Omit<DenseOptions, 'units'>): Dense =>
  new Dense(merged<DenseOptions>('units', units, options));

/** [N, a, b, …] → [N, a · b · …] */
export const flatten = (options?: LayerOptions): Layer => new Flatten(options);

/** [N, …] → [N, ...targetShape]; one size may be -1. */
export const reshape = (
  targetShape: readonly number[] | ReshapeOptions,
  options?: Omit<ReshapeOptions, 'targetShape'>,
): Layer => new Reshape(merged<ReshapeOptions>('targetShape', targetShape, options));

/** y = f(x) */
export const activation = (
  f: ActivationLike | ActivationOptions,
  options?: Omit<ActivationOptions, 'activation'>,
): Layer => new Activation(merged<ActivationOptions>('activation', f, options));

/** Drops a share `rate` of the values in training and scales the others up. */
export const dropout = (rate: number | DropoutOptions, options?: Omit<DropoutOptions, 'rate'>): Layer =>
  new Dropout(merged<DropoutOptions>('rate', rate, options));

/** y = x · scale + offset; `rescaling(1 / 255)` brings bytes to 0 … 1. */
export const rescaling = (
  scale: number | RescalingOptions,
  options?: Omit<RescalingOptions, 'scale'>,
): Layer => new Rescaling(merged<RescalingOptions>('scale', scale, options));

/** A layer of one's own from an object with `call` and perhaps `build`; see {@link LayerDefinition}. */
export const custom = (definition: LayerDefinition & LayerOptions & ThisType<Layer>): Layer =>
  new Custom(definition);
