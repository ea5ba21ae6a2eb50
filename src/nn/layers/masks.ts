/**
 * Masks: which steps of a sequence count. A mask, [samples, steps] of bool, goes along with a tensor from the layer that
 * makes it to the layers, the loss and the metrics that heed it, as in Keras. A page without such a layer has none of this.
 */

import { div, maximum } from '../../ops/binary.ts';
import { ones } from '../../ops/constant.ts';
import { concat } from '../../ops/movement.ts';
import { cast, logicalOr } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { type CallContext, type Layer, masking } from './layer.ts';

/** A mask for each result of a layer; null where all steps count. */
export type Masks = Tensor | null | readonly (Tensor | null)[];

/** Layers after which each step is what it was: their results have the mask of what went in. */
const KEEPERS = new Set(
  'Activation,ActivityRegularization,AlphaDropout,BatchNormalization,Dense,Dropout,ELU,GaussianDropout,GaussianNoise,GroupNormalization,Identity,Lambda,LayerNormalization,LeakyReLU,Normalization,PReLU,ReLU,Rescaling,Softmax,SpatialDropout1D,SpatialDropout2D,SpatialDropout3D,TimeDistributed,UnitNormalization'.split(
    ',',
  ),
);

/** Merging layers: a step counts where it counts in any input, unless an input has no mask. */
const MERGERS = new Set('Add,Average,Maximum,Minimum,Multiply,Subtract'.split(','));

const masks = new WeakMap<Tensor, Tensor>();
const warned = new WeakSet<Layer>();

/** From now on, results of layers take their masks along. */
export function carryMasks(): void {
  masking.carry = carry;
  masking.of = maskOf;
  masking.weights = weightsOf;
}

/** The mask that came with a tensor, or null. */
export const maskOf = (x: Tensor): Tensor | null => masks.get(x) ?? null;

/** Gives a tensor its mask. */
export function setMask(x: Tensor, mask: Tensor): void {
  masks.set(x, mask);
}

/** As Keras weighs masked predictions: a loss is the mean over the steps that count. */
function weightsOf(predictions: Tensor, evened: boolean): Tensor | null {
  const mask = maskOf(predictions);
  if (!mask) return null;
  const counts = cast(mask, 'f32');
  return evened ? counts.mul(div(mask.size, maximum(counts.sum(), 1))) : counts;
}

function carry(
  layer: Layer,
  x: Tensor | readonly Tensor[],
  y: Tensor | readonly Tensor[],
  context: CallContext,
): void {
  const inputs = [x].flat() as Tensor[];
  const outputs = [y].flat() as Tensor[];
  const came = context.mask ? [context.mask] : inputs.map(maskOf);
  const found = layer.computeMask
    ? layer.computeMask(x, came.length === 1 ? came[0] : came)
    : usual(layer, inputs, came);
  const list = [found].flat() as (Tensor | null)[];
  outputs.forEach((output, i) => {
    const mask = list[i];
    if (mask && !masks.has(output)) masks.set(output, mask);
  });
}

function usual(layer: Layer, inputs: readonly Tensor[], came: readonly (Tensor | null)[]): Tensor | null {
  const { className } = layer;
  const present = came.filter((mask) => mask !== null);
  if (present.length === 0) return null;
  if (KEEPERS.has(className) || layer.supportsMasking) return came[0];
  if (MERGERS.has(className))
    return present.length < came.length ? null : present.reduce((a, b) => logicalOr(a, b));
  if (className === 'Concatenate') {
    const { axis } = layer as unknown as { axis: number };
    const along = axis < 0 ? axis + inputs[0].rank : axis;
    // Along the features a step counts where it counts in any, as in Keras 3.15; before, where it did in all.
    const all = came.map((mask, i) => mask ?? ones(inputs[i].shape.slice(0, 2), 'bool'));
    if (along === 1 && inputs[0].rank > 2) return concat(all, 1);
    return all.reduce((a, b) => a.logicalOr(b));
  }
  // A model's own layers have seen to it.
  if (layer.layers.length === 0 && !warned.has(layer)) {
    warned.add(layer);
    console.warn(
      `${layer.name}: ${className} does not keep masks, and its input came with one: what follows counts every step. A layer of your own that works step by step can say supportsMasking = true.`,
    );
  }
  return null;
}
