/**
 * Layers as a graph: the calls that lead from some symbolic tensors to others, in an order in which each finds what it
 * takes, and their layers in Keras's order.
 */
import { ConfigError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { CallContext, Layer } from '../layers/layer.ts';
import {
  type BatchShape,
  type InputShape,
  isList,
  type LayerCall,
  type SymbolicTensor,
} from '../layers/symbolic.ts';

export type Symbolic = SymbolicTensor<Layer>;
type Call = LayerCall<Layer>;

export class Network {
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  /** Each after those whose results it takes. */
  readonly calls: readonly Call[];
  /** By depth, that is by the longest way to an output, the deepest first; within one depth as they were met. */
  readonly layers: readonly Layer[];
  /** Whether it could be written as layers in a row: nothing parts, meets or is shared. */
  readonly isChain: boolean;

  /** `name`: of the model, for messages. */
  constructor(name: string, inputs: readonly Symbolic[], outputs: readonly Symbolic[]) {
    this.inputs = inputs;
    this.outputs = outputs;
    const given = new Set(inputs);
    const met = new Map<Layer, number>();
    const calls: Call[] = [];
    const seen = new Set<Call>();
    const reached = new Set<Symbolic>();
    // Depth first and without recursion: networks may be a thousand layers deep.
    const stack: { call: Call; next: number }[] = [];
    const enter = (value: Symbolic, from: string): void => {
      const { call } = value;
      if (given.has(value)) {
        reached.add(value);
        if (call.inputs.length === 0 && !met.has(call.layer)) met.set(call.layer, met.size);
        return;
      }
      if (call.inputs.length === 0)
        throw new ConfigError(
          `${name}: ${from} depends on ${call.layer.name}, which is not among the inputs. Add it to inputs.`,
        );
      if (seen.has(call)) return;
      seen.add(call);
      if (!met.has(call.layer)) met.set(call.layer, met.size);
      stack.push({ call, next: 0 });
    };
    for (const [i, output] of outputs.entries()) {
      enter(output, `output ${i}`);
      while (stack.length > 0) {
        const top = stack[stack.length - 1];
        if (top.next < top.call.inputs.length) enter(top.call.inputs[top.next++], `output ${i}`);
        else calls.push(stack.pop()!.call);
      }
    }
    for (const [i, input] of inputs.entries())
      if (!reached.has(input))
        throw new ConfigError(
          `${name}: input ${i} (${input.call.layer.name}) reaches no output. Leave it out, or use it.`,
        );
    this.calls = calls;
    const depths = depthsOf(calls);
    this.layers = ordered(inputs, calls, met, depths);
    const all = [...new Set([...inputs.map(({ call }) => call), ...calls])];
    this.isChain =
      calls.every((call) => call.inputs.length === 1) &&
      new Set(all.map((call) => depths.get(call) ?? 0)).size === all.length &&
      new Set(all.map(({ layer }) => layer)).size === all.length;
    const names = new Set<string>();
    for (const layer of this.layers) {
      if (names.has(layer.name))
        throw new ConfigError(
          `${name}: two layers are called ${JSON.stringify(layer.name)}. Give one another name.`,
        );
      names.add(layer.name);
    }
  }

  /** What the outputs are for these inputs. `context` of a call says whether it makes an output. */
  run(inputs: readonly Tensor[], contextOf: (call: Call) => CallContext): readonly Tensor[] {
    return this.walk(inputs, (call, values) =>
      [call.layer.apply((call.listed ? values : values[0]) as Tensor, contextOf(call))].flat(),
    );
  }

  /** The shapes of the outputs for inputs of these shapes. */
  shapes(inputs: readonly BatchShape[]): readonly BatchShape[] {
    return this.walk(inputs, (call, shapes) => {
      const given: InputShape = call.listed ? shapes : shapes[0];
      const shape: InputShape = call.layer.computeOutputShape(given);
      return isList(shape) ? shape : [shape];
    });
  }

  private walk<T>(inputs: readonly T[], step: (call: Call, values: readonly T[]) => readonly T[]): T[] {
    const known = new Map<Symbolic, T>(this.inputs.map((input, i) => [input, inputs[i]]));
    for (const call of this.calls) {
      const results = step(
        call,
        call.inputs.map((input) => known.get(input)!),
      );
      // An input of the network may be what one of its own layers gives: what was put in counts.
      for (const [i, output] of call.outputs.entries()) if (!known.has(output)) known.set(output, results[i]);
    }
    return this.outputs.map((output) => known.get(output)!);
  }

  /** What goes into the uses of a layer in this network, as `name[use][value]`; null where all are in a row. */
  connectionsOf(layer: Layer): readonly string[] | null {
    if (this.isChain) return null;
    return this.calls
      .filter((call) => call.layer === layer)
      .sort((a, b) => layer.calls.indexOf(a) - layer.calls.indexOf(b))
      .flatMap(({ inputs }) =>
        inputs.map(({ call, index }) => `${call.layer.name}[${call.layer.calls.indexOf(call)}][${index}]`),
      );
  }

  /** What a layer of this network gives at its first call. */
  shapeOf(layer: Layer): BatchShape | null {
    const call = this.calls.find((one) => one.layer === layer);
    return (call?.outputs[0] ?? this.inputs.find((input) => input.call.layer === layer))?.shape ?? null;
  }
}

/** The longest way from each call to an output, in Keras's count: all uses of a layer are as deep as its deepest. */
function depthsOf(calls: readonly Call[]): Map<Call, number> {
  const depths = new Map<Call, number>();
  const ofLayer = new Map<Layer, number>();
  for (const call of [...calls].reverse()) {
    const depth = Math.max(depths.get(call) ?? 0, ofLayer.get(call.layer) ?? 0);
    depths.set(call, depth);
    ofLayer.set(call.layer, depth);
    for (const input of call.inputs) depths.set(input.call, Math.max(depth + 1, depths.get(input.call) ?? 0));
  }
  return depths;
}

/** Layers in the order of Keras's Functional models (`keras/src/ops/function.py`, `map_graph`). */
function ordered(
  inputs: readonly Symbolic[],
  calls: readonly Call[],
  met: ReadonlyMap<Layer, number>,
  depths: ReadonlyMap<Call, number>,
): Layer[] {
  const deepest = new Map<Layer, number>();
  for (const call of [...calls, ...inputs.map((input) => input.call)])
    deepest.set(call.layer, Math.max(depths.get(call) ?? 0, deepest.get(call.layer) ?? 0));
  return [...met.keys()].sort((a, b) => deepest.get(b)! - deepest.get(a)! || met.get(a)! - met.get(b)!);
}
