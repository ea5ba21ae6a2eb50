/**
 * What a captured step was made from, so that it is not replayed when that has changed.
 *
 * A step is a recording: it goes on with the network that it saw. So between two calls the model is looked through:
 * its layers and theirs, and what each keeps in its properties (flags, sizes, weights, functions, lists of such). A
 * layer's #private fields, what its functions close over and what its `call` sets itself do not count; `compile` drops
 * every step. The model's own seed says in which order passes go, which is no part of a step.
 */
import { Variable } from '../../ops/tensor.ts';
import { Layer } from '../layers/layer.ts';
import { Optimizer } from '../optimizers/optimizer.ts';

/** What a model keeps of its runs, which is no part of the network. */
const OF_RUNS = new Set(
  'settings predicting batchSteps loops history latestFit stopTraining changing readers callbackDepth passes writtenByCall calls'.split(
    ' ',
  ),
);

export class Origin {
  private readonly model: Layer;
  private readonly optimizer: Optimizer | null;
  private seen: readonly unknown[] | null = null;

  /** `optimizer`: of a step that trains. */
  constructor(model: Layer, optimizer: Optimizer | null = null) {
    this.model = model;
    this.optimizer = optimizer;
  }

  /** The end of a trace: what the step saw, and what tracing itself may have changed in a layer. */
  note(): void {
    this.seen = this.look();
  }

  /** Whether the network is as it was. */
  get holds(): boolean {
    const { seen } = this;
    if (seen === null) return true;
    const now = this.look();
    return now.length === seen.length && now.every((part, i) => Object.is(part, seen[i]));
  }

  private look(): unknown[] {
    const parts: unknown[] = [];
    const known = new Set<unknown>();
    const walk = (value: unknown): void => {
      const isList = Array.isArray(value) || value instanceof Set || value instanceof Map;
      const isRecord = isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
      // Lists and records are what is in them, everything else is itself.
      parts.push(isList || isRecord ? '[' : value);
      if (!isObject(value) || known.has(value)) return;
      known.add(value);
      if (value instanceof Variable) parts.push(value.trainable);
      else if (value instanceof Optimizer) {
        // Steps read the rate from memory.
        const { learningRate, ...rule } = value.getConfig();
        walk(rule);
      } else if (value instanceof Layer) {
        for (const [name, own] of Object.entries(value))
          if (
            !(
              OF_RUNS.has(name) ||
              value.writtenByCall.has(name) ||
              (value === this.model && name === 'randomSeed')
            )
          )
            walk(own);
        for (const inner of value.layers) walk(inner);
      } else if (isList) for (const one of value) walk(one);
      else if (isRecord) for (const entry of Object.entries(value)) walk(entry);
    };
    walk(this.model);
    walk(this.optimizer);
    return parts;
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
