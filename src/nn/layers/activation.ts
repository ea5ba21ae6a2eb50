import type { Tensor } from '../../ops/tensor.ts';
import {
  type ActivationLike,
  describeActivation,
  type Activation as Known,
  knownActivation,
  resolveActivation,
} from '../activations.ts';
import { needed } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import type { BatchShape, CallContext } from './layer.ts';

const rows = {
  /** A name, or a function of a tensor. */
  activation: needed<ActivationLike, Known>(resolveActivation, describeActivation),
};

export type ActivationOptions = OptionsOf<typeof rows>;

/** y = f(x) */
export class Activation extends layerOf('Activation', rows) {
  override get finalActivation(): string | null {
    return knownActivation(this.activation);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor, { logits }: CallContext): Tensor {
    return logits ? x : this.activation.of(x);
  }
}

/** y = f(x) */
export const activation = factory(Activation, 'activation');
