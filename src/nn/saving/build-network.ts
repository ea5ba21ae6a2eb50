/** The network that a file describes, in any of the forms of describe-network.ts. */
import { FormatError } from '../../base/errors.ts';
import { InputLayer } from '../layers/input.ts';
import type { Layer } from '../layers/layer.ts';
import { Functional, type Values } from '../models/functional.ts';
import type { Symbolic } from '../models/network.ts';
import { camelCase, describe } from '../names.ts';
import { CALL_OPTIONS } from './describe-network.ts';
import { isObject, type JsonObject, listAt, objectAt, textAt } from './json.ts';

/** A value by the use of a layer that gives it. */
interface Name {
  readonly layer: string;
  readonly use: number;
  readonly index: number;
}

/** One use of a layer: what goes in, and whether it is a list. */
interface Node {
  readonly names: readonly Name[];
  readonly listed: boolean;
  /** Options of the layer that the call says. */
  readonly options: readonly string[];
}

function readName(value: unknown, where: string): Name {
  const [layer, use, index] = listAt(value, where);
  if (typeof layer === 'string' && isIndex(use) && isIndex(index)) return { layer, use, index };
  throw new FormatError(`${where}: is ${describe(value)}; expected [layer, use, value].`);
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Layers that make masks, which come with their results here, and ops of Keras's that they and merging layers use for it. */
const MASKERS = ['Embedding', 'Masking'];
const MASK_OPS = 'NotEqual,Any,ConvertToTensor,LogicalOr,Concatenate,ExpandDims'.split(',');
/** Ops that look at a value's shape alone. */
const SHAPE_OPS = ['OnesLike', 'ZerosLike'];

/**
 * Masks that Keras writes down as ops: those that layers made of their own inputs. They are read as no layers, and calls
 * that name them need not. A mask of any other kind is refused where a call names it.
 */
class WrittenMasks {
  private readonly layers: readonly JsonObject[];

  constructor(layers: readonly unknown[]) {
    this.layers = layers.filter(isObject);
  }

  isOp = ({ class_name: className, module }: JsonObject): boolean =>
    [...MASK_OPS, ...SHAPE_OPS].includes(className as string) && `${module}`.startsWith('keras.src.ops');

  /** Does the tensor that is written so come from such an op? */
  has(tensor: unknown): boolean {
    const name = historyOf(tensor)?.[0];
    const op = this.layers.find((one) => one.name === name && this.isOp(one));
    if (!op) return false;
    if (SHAPE_OPS.includes(op.class_name as string)) return true;
    const given = argumentsOf(op).flat().filter(historyOf);
    if (given.every((one) => this.has(one))) return true;
    const source = JSON.stringify(historyOf(given[0]));
    return this.layers.some(
      (one) =>
        MASKERS.includes(one.class_name as string) &&
        JSON.stringify(historyOf(argumentsOf(one)[0])) === source,
    );
  }
}

const historyOf = (tensor: unknown): unknown[] | null => {
  const config = isObject(tensor) ? tensor.config : null;
  return isObject(config) && Array.isArray(config.keras_history) ? config.keras_history : null;
};

const argumentsOf = ({ inbound_nodes: nodes }: JsonObject): unknown[] => {
  const [node] = Array.isArray(nodes) ? nodes : [];
  return isObject(node) && Array.isArray(node.args) ? node.args : [];
};

function readNode(node: unknown, where: string, masks: WrittenMasks): Node {
  if (!isObject(node)) {
    const names = listAt(node, where).map((name, i) => {
      const at = `${where}[${i}]`;
      refuseArguments(listAt(name, at)[3], at);
      return readName(name, at);
    });
    return { names, listed: names.length > 1, options: [] };
  }
  // Keras 3 notes a layer's default for training, and says it anew to every layer whenever the model runs.
  const { initial_state: states, training: _, ...given } = objectAt(node.kwargs ?? {}, `${where}.kwargs`);
  const isRead = ([name, value]: [string, unknown]): boolean =>
    (CALL_OPTIONS.includes(name) && typeof value === 'boolean') ||
    (name.endsWith('mask') && [value].flat().every((one) => one === null || masks.has(one)));
  refuseArguments(Object.fromEntries(Object.entries(given).filter((entry) => !isRead(entry))), where);
  const options = CALL_OPTIONS.filter((key) => given[key] === true).map((key) => camelCase(key));
  const [first, ...rest] = listAt(node.args, `${where}.args`);
  const others = [...rest, ...(states ? listAt(states, `${where}.kwargs.initial_state`) : [])];
  const listed = Array.isArray(first);
  const named = (value: unknown): Name => {
    const config = isObject(value) ? value.config : null;
    return readName(isObject(config) ? config.keras_history : value, where);
  };
  // A layer of the user's may take values one after the other; here they are a list.
  if (others.length > 0) return { names: [first, ...others].flat().map(named), listed: true, options };
  return { names: listed ? first.map(named) : [named(first)], listed, options };
}

/** Arguments beside the values would change what a layer does: only empty ones are read. */
function refuseArguments(kwargs: unknown, where: string): void {
  const given = isObject(kwargs)
    ? Object.entries(kwargs).filter(
        ([name, value]) => value !== null && !(name === 'training' && value === false),
      )
    : [];
  if (given.length > 0)
    throw new FormatError(
      `${where}: the layer is called with ${given.map(([name]) => name).join(', ')}, which is not read.`,
    );
}

/** Inputs or outputs: one name, a list of them, or a record. */
function readEnds(ends: unknown, where: string): Values<Name> {
  if (isObject(ends))
    return Object.fromEntries(
      Object.entries(ends).map(([key, one]) => [key, readName(one, `${where}.${key}`)]),
    );
  const list = listAt(ends, where);
  return typeof list[0] === 'string'
    ? readName(list, where)
    : list.map((one, i) => readName(one, `${where}[${i}]`));
}

/** The model that a functional config describes; `build` makes each layer. */
export function buildNetwork(
  config: JsonObject,
  place: string,
  build: (one: JsonObject, at: string) => Layer,
  /** A class of the user's, where it is one. */
  Class = Functional,
): Functional {
  const layers = new Map<string, Layer>();
  const masks = new WrittenMasks(listAt(config.layers, `${place}.layers`));
  const waiting: { name: string; use: number; node: Node; at: string }[] = [];
  for (const [i, one] of listAt(config.layers, `${place}.layers`).entries()) {
    const at = `${place}.layers[${i}]`;
    const description = objectAt(one, at);
    if (masks.isOp(description)) continue;
    const layer = build(description, at);
    const name = textAt(description.name ?? layer.name, `${at}.name`);
    if (layers.has(name)) throw new FormatError(`${at}: a second layer is called ${JSON.stringify(name)}.`);
    layers.set(name, layer);
    const nodes = listAt(description.inbound_nodes ?? [], `${at}.inbound_nodes`);
    if (layer instanceof InputLayer) continue;
    for (const [use, node] of nodes.entries()) {
      const where = `${at}.inbound_nodes[${use}]`;
      waiting.push({ name, use, node: readNode(node, where, masks), at: where });
    }
  }
  const values = new Map<string, readonly Symbolic[]>();
  for (const [name, layer] of layers)
    if (layer instanceof InputLayer) values.set(`${name}:0`, layer.calls[0].outputs);
  const find = ({ layer, use, index }: Name): Symbolic | undefined => values.get(`${layer}:${use}`)?.[index];
  // Uses in the order in which their values are there; those of one layer keep their own.
  for (let left = waiting; left.length > 0; ) {
    const later: typeof waiting = [];
    for (const one of left) {
      const { name, use, node, at } = one;
      const inputs = node.names.map(find);
      const isNext = use === 0 || values.has(`${name}:${use - 1}`);
      if (!isNext || inputs.includes(undefined)) {
        later.push(one);
        continue;
      }
      const layer = layers.get(name)!;
      try {
        for (const option of node.options) Object.assign(layer, { [option]: true });
        layer.apply(node.listed ? (inputs as Symbolic[]) : inputs[0]!);
      } catch (error) {
        throw new FormatError(`${at}: ${(error as Error).message}`, { cause: error });
      }
      values.set(`${name}:${use}`, layer.calls.at(-1)!.outputs);
    }
    if (later.length === left.length) {
      const [{ at, node }] = later;
      throw new FormatError(
        `${at}: no layer gives ${node.names
          .filter((name) => !find(name))
          .map(({ layer, use, index }) => `${layer}[${use}][${index}]`)
          .join(', ')}.`,
      );
    }
    left = later;
  }
  const end = (key: 'input_layers' | 'output_layers'): Values<Symbolic> => {
    const where = `${place}.${key}`;
    const one = (name: Name): Symbolic => {
      const value = find(name);
      if (value) return value;
      throw new FormatError(`${where}: no layer gives ${name.layer}[${name.use}][${name.index}].`);
    };
    const ends = readEnds(config[key], where);
    if (Array.isArray(ends)) return ends.map(one);
    return typeof (ends as Name).layer === 'string' && isIndex((ends as Name).use)
      ? one(ends as Name)
      : Object.fromEntries(
          Object.entries(ends as Record<string, Name>).map(([key, name]) => [key, one(name)]),
        );
  };
  return new Class({
    inputs: end('input_layers'),
    outputs: end('output_layers'),
    ...(typeof config.name === 'string' ? { name: config.name } : {}),
    ...(typeof config.trainable === 'boolean' ? { trainable: config.trainable } : {}),
  });
}
