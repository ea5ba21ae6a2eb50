import type { Tensor } from '../../ops/tensor.ts';
import {
  type ActivationLike,
  type Activation as ActivationRow,
  describeActivation,
  knownActivation,
  resolveActivation,
} from '../activations.ts';
import { readOptions, withMain } from '../names.ts';
import { type BatchShape, type CallContext, Layer, type LayerOptions, layerDefaults } from './layer.ts';

export interface ActivationOptions extends LayerOptions {
  /** A name, or a function of a tensor. */
  activation: ActivationLike;
}

/** y = f(x) */
export class Activation extends Layer {
  readonly activation: ActivationRow;

  constructor(options: ActivationOptions) {
    const { activation, ...rest } = readOptions('activation', options, {
      ...layerDefaults,
      activation: null as ActivationLike,
    });
    super(rest, 'Activation');
    this.activation = resolveActivation(activation, this.name);
  }

  override get finalActivation(): string | null {
    return knownActivation(this.activation);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor, { logits }: CallContext): Tensor {
    return logits ? x : this.activation.of(x);
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), activation: describeActivation(this.activation) };
  }
}

/** y = f(x) */
export const activation = (
  f: ActivationLike | ActivationOptions,
  options?: Omit<ActivationOptions, 'activation'>,
): Layer => new Activation(withMain<ActivationOptions>('activation', f, options));
