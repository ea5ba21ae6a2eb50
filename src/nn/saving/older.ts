/** The older dialect, which `.h5` files and TensorFlow.js speak: descriptions without modules. */
import { olderEnds, olderNodes } from './describe-network.ts';
import { isObject, type JsonObject } from './json.ts';
import { isOwn } from './own.ts';

/** Class and options alone; what is the user's own keeps its mark. */
export function bare(value: unknown): unknown {
  if (!isObject(value) || !('class_name' in value) || isOwn(value.module)) return value;
  return { class_name: value.class_name, config: value.config };
}

/** A model or layer. `options`: what becomes of the options of each. */
export function olderModel(
  description: JsonObject,
  options: (config: JsonObject) => JsonObject = (config) => config,
): JsonObject {
  const {
    layers,
    input_layers: inputs,
    output_layers: outputs,
    ...config
  } = description.config as JsonObject;
  const { name, inbound_nodes: nodes } = description;
  return {
    ...(bare(description) as JsonObject),
    ...(nodes ? { name, inbound_nodes: olderNodes(nodes) } : {}),
    config: {
      ...options(config),
      ...(Array.isArray(layers) ? { layers: layers.map((layer) => olderModel(layer, options)) } : {}),
      ...(inputs ? { input_layers: olderEnds(inputs), output_layers: olderEnds(outputs) } : {}),
    },
  };
}

/** How the model was compiled, the optimizer under its older name. */
export const olderTraining = ({ optimizer, ...rest }: Record<string, unknown>): JsonObject =>
  Object.fromEntries([
    ...Object.entries(rest).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(bare) : bare(value),
    ]),
    ['optimizer_config', bare(optimizer)],
  ]);
