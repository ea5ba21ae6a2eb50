/** Models made again, with weights of their own. */
import { ConfigError } from '../../base/errors.ts';
import { Custom } from '../layers/custom.ts';
import { InputLayer } from '../layers/input.ts';
import type { Layer } from '../layers/layer.ts';
import { fromConfig, isKnownLayer } from '../layers/resolve.ts';
import { describe, readOptions } from '../names.ts';
import { Functional } from './functional.ts';
import type { Model } from './model.ts';
import type { Symbolic } from './network.ts';
import { packed } from './ports.ts';
import { Sequential } from './sequential.ts';

export interface CloneOptions {
  /** What to put in a layer's place: another layer, or null for one like it. Default: one like it. */
  cloneFunction?: ((layer: Layer) => Layer | null | undefined) | null;
}

/**
 * A model of the same architecture, of layers of the same names and options, with new weights; neither knows the other.
 * What the layers share, their clones share. The model is not compiled.
 *
 * `cloneFunction` may put another layer in a layer's place. Throws ConfigError for a model that says in `call` what it is.
 *
 * ```ts
 * const copy = cloneModel(net);
 * await copy.setWeights(net.getWeights());
 * ```
 */
export function cloneModel<M extends Model>(model: M, options?: CloneOptions): M {
  const { cloneFunction } = readOptions('cloneModel', options, {
    cloneFunction: null as CloneOptions['cloneFunction'],
  });
  if (cloneFunction !== null && typeof cloneFunction !== 'function')
    throw new ConfigError(
      `cloneModel: cloneFunction is ${describe(cloneFunction)}; expected a function of a layer.`,
    );
  const made = new Map<Layer, Layer>();
  const clone = (layer: Layer): Layer => {
    const known = made.get(layer);
    if (known) return known;
    const other = layer instanceof InputLayer ? null : cloneFunction?.(layer);
    const one = other ?? likeIt(layer, clone);
    made.set(layer, one);
    return one;
  };
  return likeIt(model, clone) as M;
}

function likeIt(layer: Layer, clone: (layer: Layer) => Layer): Layer {
  const { name, trainable } = layer;
  if (layer instanceof Sequential) {
    const { inputShape } = layer;
    const shape = inputShape ? { batchInputShape: inputShape } : {};
    const copy = new Sequential([], { name, trainable, ...shape });
    for (const inner of layer.layers) copy.add(clone(inner));
    return copy;
  }
  if (layer instanceof Functional) return networkLike(layer, clone);
  if (layer instanceof Custom) return new Custom({ ...layer.definition, ...layer.getConfig() });
  if (isKnownLayer(layer)) return fromConfig({ className: layer.className, config: layer.getConfig() });
  const Own = layer.constructor as new (config: object) => Layer;
  return new Own(layer.getConfig());
}

function networkLike(model: Functional, clone: (layer: Layer) => Layer): Functional {
  const { network, name, trainable, inputForm, outputForm } = model;
  if (!network)
    throw new ConfigError(
      `cloneModel: ${name} says in its call what it is, not in layers. Make another one with its constructor.`,
    );
  const values = new Map<Symbolic, Symbolic>();
  for (const input of network.inputs) {
    const { layer, inputs } = input.call;
    // A value inside another network becomes an input of its own.
    const source = inputs.length === 0 ? clone(layer) : new InputLayer({ batchShape: input.shape });
    values.set(input, source.calls[0].outputs[0]);
  }
  for (const { layer, inputs, outputs, listed } of network.calls) {
    const given = inputs.map((input) => values.get(input)!);
    const result = [clone(layer).apply(listed ? given : given[0])].flat();
    for (const [i, output] of outputs.entries())
      if (!values.has(output)) values.set(output, result[i] as Symbolic);
  }
  const [inputs, outputs] = [network.inputs, network.outputs].map((all) =>
    all.map((one) => values.get(one)!),
  );
  return new (model.constructor as typeof Functional)({
    inputs: packed(inputs, inputForm),
    outputs: packed(outputs, outputForm),
    name,
    trainable,
  });
}
