/** The older dialect, which `.h5` files and TensorFlow.js speak: descriptions without modules. */
import { olderEnds, olderNodes } from './describe-network.ts';
import { isObject, type JsonObject } from './json.ts';
import { isOwn } from './own.ts';

/** Class and options alone; what is the user's own keeps its mark. */
export function bare(value: unknown): unknown {
  if (!isObject(value) || !('class_name' in value) || isOwn(value.module)) return value;
  return { class_name: value.class_name, config: value.config };
}

/** What of the dialect differs. */
export interface Dialect {
  /** What becomes of the options of each layer. */
  options(config: JsonObject): JsonObject;
  /** Whether several inputs or outputs are lists, never records. */
  readonly asLists: boolean;
}

const keras2: Dialect = { options: (config) => config, asLists: false };

/** A model or layer. */
export function olderModel(description: JsonObject, dialect: Dialect = keras2): JsonObject {
  const { options, asLists } = dialect;
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
      ...(Array.isArray(layers) ? { layers: layers.map((layer) => olderModel(layer, dialect)) } : {}),
      ...(inputs
        ? { input_layers: olderEnds(inputs, asLists), output_layers: olderEnds(outputs, asLists) }
        : {}),
    },
  };
}

/**
 * How the model was compiled, the optimizer under its older name. `outputs`: names by which records are told apart, where
 * they become lists.
 */
export function olderTraining(
  { optimizer, ...rest }: Record<string, unknown>,
  outputs: readonly string[] | null = null,
): JsonObject {
  const all = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(all);
    if (!isObject(value) || 'class_name' in value) return bare(value);
    if (outputs) return outputs.map((name) => all(value[name] ?? null));
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, all(one)]));
  };
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, all(value)])),
    optimizer_config: bare(optimizer),
  };
}

/** The names of a network's outputs, where they come as a record. */
export function recordOfOutputs({ config }: JsonObject): readonly string[] | null {
  const ends = isObject(config) ? config.output_layers : null;
  return isObject(ends) ? Object.keys(ends) : null;
}
