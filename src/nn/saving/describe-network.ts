/**
 * Networks in words, as Keras has them. Each layer lists its uses (`inbound_nodes`), and each use names what goes in as
 * [layer, number of its use, number of the value]. Keras 3 wraps such a name as a `__keras_tensor__`; Keras 2 and
 * TensorFlow.js write a bare list of names. Read by build-network.ts.
 */
import { ConfigError } from '../../base/errors.ts';
import type { Layer } from '../layers/layer.ts';
import type { LayerCall } from '../layers/symbolic.ts';
import type { Network, Symbolic } from '../models/network.ts';
import type { Form } from '../models/ports.ts';
import { isObject, type JsonObject } from './json.ts';

type Call = LayerCall<Layer>;

/** A network, and how its inputs and outputs are given. */
export interface DescribedNetwork {
  readonly name: string;
  readonly network: Network;
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  readonly inputForm: Form;
  readonly outputForm: Form;
}

/** Layers that take a sequence, and beside it where to begin: what stands here as one list. */
const isRecurrent = ({ className }: Layer): boolean =>
  ['SimpleRNN', 'LSTM', 'GRU', 'RNN', 'Bidirectional'].includes(className);

/** What Keras has as arguments of a layer's call, and we as its options. */
export const CALL_OPTIONS = ['use_causal_mask', 'return_attention_scores'];

/** The network of a model as Keras 3's config has it; `describeLayer` gives each layer's own words. */
export function describeNetwork(
  model: DescribedNetwork,
  describeLayer: (layer: Layer) => object,
): JsonObject {
  const { network } = model;
  // Uses are counted within this network.
  const numbers = new Map<Call, number>();
  const uses = new Map<Layer, Call[]>();
  for (const { call } of network.inputs) {
    if (call.inputs.length > 0)
      throw new ConfigError(
        `save: input ${call.layer.name} of ${model.name} is a value inside another network; files describe models that begin with layers.input. Use saveWeights.`,
      );
    numbers.set(call, 0);
  }
  const own = new Set(network.calls);
  for (const layer of network.layers) {
    const calls = layer.calls.filter((call) => own.has(call));
    uses.set(layer, calls);
    for (const [i, call] of calls.entries()) numbers.set(call, i);
  }
  const history = ({ call, index }: Symbolic): unknown[] => [call.layer.name, numbers.get(call)!, index];
  const tensor = (value: Symbolic): JsonObject => ({
    class_name: '__keras_tensor__',
    config: { shape: value.shape, dtype: 'float32', keras_history: history(value) },
  });
  const formed = (form: Form, values: readonly Symbolic[]): unknown => {
    const all = values.map(history);
    if (form === 'one') return all[0];
    return form === 'list' ? all : Object.fromEntries(form.map((name, i) => [name, all[i]]));
  };
  return {
    layers: network.layers.map((layer) => {
      const { config, ...words } = describeLayer(layer) as JsonObject & { config: JsonObject };
      const isCall = ([key]: [string, unknown]): boolean => CALL_OPTIONS.includes(key);
      const call = Object.fromEntries(Object.entries(config).filter(isCall));
      return {
        ...words,
        config: Object.fromEntries(Object.entries(config).filter((entry) => !isCall(entry))),
        name: layer.name,
        inbound_nodes: uses.get(layer)!.map(({ inputs, listed }) => {
          const all = inputs.map(tensor);
          if (listed && isRecurrent(layer))
            return { args: [all[0]], kwargs: { initial_state: all.slice(1) } };
          // Query and value, which one tensor may be.
          if (['MultiHeadAttention', 'GroupQueryAttention'].includes(layer.className))
            return { args: all.length === 1 ? [all[0], all[0]] : all, kwargs: call };
          return { args: [listed ? all : all[0]], kwargs: call };
        }),
      };
    }),
    input_layers: formed(model.inputForm, model.inputs),
    output_layers: formed(model.outputForm, model.outputs),
  };
}

/** The same for Keras 2: uses as lists of names, inputs and outputs as lists. */
export function olderNodes(nodes: unknown): unknown {
  const names = (value: unknown): unknown[] =>
    isObject(value)
      ? [[...((value.config as JsonObject).keras_history as unknown[]), {}]]
      : (value as unknown[]).flatMap(names);
  return (nodes as { args: unknown[]; kwargs: JsonObject }[]).map(({ args, kwargs }) => [
    ...names(args),
    ...names(kwargs.initial_state ?? []),
  ]);
}

/** `asLists`: TensorFlow.js knows no records. */
export function olderEnds(ends: unknown, asLists: boolean): unknown {
  if (isObject(ends)) return asLists ? Object.values(ends) : ends;
  return typeof (ends as unknown[])[0] === 'string' ? [ends] : ends;
}
