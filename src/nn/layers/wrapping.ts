/** Layers around other layers: one for every step of a sequence, one in each direction of time. */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import { flip } from '../../ops/arrange.ts';
import { concat, reshape, slice, stack } from '../../ops/movement.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { PLACES } from '../seeds.ts';
import { layerOf, type OptionsOf } from './define.ts';
import { type BatchShape, type CallContext, type InputShape, Layer, showBatch } from './layer.ts';
import { carryMasks, type Masks } from './masks.ts';
import { isList } from './symbolic.ts';

function aLayer(given: unknown, operation: string, name: string): Layer {
  if (given instanceof Layer) return given;
  throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected a layer.`);
}

/** The layers inside take part in the seed of the one around them, each at a place of its own. */
function settle(outer: Layer, inner: readonly Layer[]): void {
  inner.forEach((layer, i) => {
    layer.place ??= (outer.place ?? 0) * PLACES + i + 1;
    layer.randomSeed ??= outer.randomSeed;
  });
}

const inWords = (layer: Layer | null): unknown =>
  layer && { className: layer.className, config: layer.getConfig() };

const timeRows = {
  /** The layer for each step. */
  layer: needed<Layer>(aLayer, inWords),
};

export type TimeDistributedOptions = OptionsOf<typeof timeRows>;

/** Does a sample's result depend on the other samples? */
const mixesSamples = (layer: Layer): boolean =>
  layer.className === 'BatchNormalization' || layer.layers.some(mixesSamples);

/**
 * A layer at every step: y[:, t] = layer(x[:, t])
 *
 * x: [samples, steps, ...] → [samples, steps, ...]. All steps are samples of one call, but for batch normalization,
 * whose steps come one after the other, each with its own statistics.
 */
export class TimeDistributed extends layerOf('TimeDistributed', timeRows) {
  override readonly innerPaths = ['layer'];

  private step(shape: BatchShape): BatchShape {
    if (shape.length < 3)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(shape)}; expected [samples, steps, ...] of three sizes or more.`,
      );
    return [shape[0], ...shape.slice(2)];
  }

  override build(inputShape: BatchShape): void {
    settle(this, [this.layer]);
    carryMasks();
    this.layer.buildFor(this.step(inputShape));
  }

  protected override checkInput(inputShape: BatchShape): void {
    this.layer.buildFor(this.step(inputShape));
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const [samples, ...sizes] = this.layer.computeOutputShape(this.step(inputShape));
    return [samples, inputShape[1], ...sizes];
  }

  override get finalActivation(): string | null {
    return this.layer.finalActivation;
  }

  override call(x: Tensor, context: CallContext): Tensor {
    const inner = { ...context, training: context.training && this.trainable, mask: null };
    const [samples, steps, ...sizes] = x.shape;
    if (context.training && mixesSamples(this.layer)) {
      const at = (t: number): Tensor =>
        reshape(slice(x, [0, t, ...sizes.map(() => 0)], [samples, 1, ...sizes]), [samples, ...sizes]);
      return stack(
        Array.from({ length: steps }, (_, t) => this.layer.apply(at(t), inner)),
        1,
      );
    }
    const y = this.layer.apply(reshape(x, [samples * steps, ...sizes]), inner);
    return reshape(y, [samples, steps, ...y.shape.slice(1)]);
  }
}

/** One layer for every step of a sequence: x: [samples, steps, ...] → [samples, steps, ...]. */
export function timeDistributed(
  layer: Layer | TimeDistributedOptions,
  options: Omit<TimeDistributedOptions, 'layer'> = {},
): TimeDistributed {
  return new TimeDistributed(layer instanceof Layer ? { ...options, layer } : layer);
}

const modes = ['concat', 'sum', 'mul', 'ave', null] as const;
type MergeMode = (typeof modes)[number];

const bothRows = {
  /** The recurrent layer; it is made anew, once for each direction. */
  layer: needed<Layer>(aLayer, inWords),
  /** How the two results become one: 'concat' (default), 'sum', 'mul', 'ave', or null for both. */
  mergeMode: option<MergeMode>('concat', (given, operation, name) => {
    if (modes.includes(given as MergeMode)) return given as MergeMode;
    throw new ConfigError(
      `${operation}: ${name} is ${describe(given)}; expected 'concat', 'sum', 'mul', 'ave' or null.`,
    );
  }),
  /** Another layer for the way back, which goes backwards; default: the first one's like. */
  backwardLayer: option<Layer | null, Layer | null>(null, orNull(aLayer), inWords),
};

export type BidirectionalOptions = OptionsOf<typeof bothRows>;

/** What both directions have in common. */
interface Direction extends Layer {
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  readonly stateful: boolean;
  zeroOutputForMask?: boolean;
  resetStates?(): Promise<void>;
}

/** A layer of the same options. */
const like = (layer: Layer, changes: object): Layer =>
  new (layer.constructor as new (options: object) => Layer)({ ...layer.getConfig(), ...changes });

/**
 * A recurrent layer that goes through a sequence from both ends (Schuster and Paliwal 1997).
 *
 * x: [samples, steps, features] → [samples, 2 · units] with 'concat', else [samples, units]; with returnSequences the
 * results of one step stand beside each other. With returnState the states of both follow, forward first; so do initial
 * states in the input, [x, ...forward, ...backward]. ConfigError where the two directions do not match.
 */
export class Bidirectional extends layerOf('Bidirectional', bothRows) {
  readonly forwardLayer: Direction;

  constructor(options: BidirectionalOptions) {
    super(options);
    const given = this.layer as Direction;
    const named = (prefix: string): { name: string } => ({
      name: `${prefix}${given.name.replace(new RegExp(`^${prefix}`), '')}`,
    });
    const forward = like(given, named('forward_')) as Direction;
    const backward = (this.backwardLayer ??
      like(given, { ...named('backward_'), goBackwards: true })) as Direction;
    if (forward.goBackwards === backward.goBackwards)
      throw new ConfigError(
        `${this.name}: both layers go ${forward.goBackwards ? 'backwards' : 'forwards'}. Give the second goBackwards: ${!forward.goBackwards}.`,
      );
    for (const option of ['returnSequences', 'returnState', 'stateful'] as const)
      if (forward[option] !== backward[option])
        throw new ConfigError(
          `${this.name}: ${option} is ${forward[option]} of the forward layer and ${backward[option]} of the backward layer; expected the same.`,
        );
    // What is masked must not come in from the other end.
    for (const one of [forward, backward])
      if (one.zeroOutputForMask !== undefined) one.zeroOutputForMask = one.returnSequences;
    this.forwardLayer = forward;
    Object.assign(this, { layer: forward, backwardLayer: backward });
  }

  override readonly innerPaths = ['forward_layer', 'backward_layer'];

  private get directions(): readonly [Direction, Direction] {
    return [this.forwardLayer, this.backwardLayer as Direction];
  }

  override build(inputShape: InputShape): void {
    settle(this, this.directions);
    this.checkInput(inputShape);
  }

  protected override checkInput(inputShape: InputShape): void {
    for (const one of this.directions) one.buildFor(isList(inputShape) ? inputShape[0] : inputShape);
  }

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const sequence = isList(inputShape) ? inputShape[0] : inputShape;
    const shape: InputShape = this.forwardLayer.computeOutputShape(sequence);
    const [output, ...states] = isList(shape) ? shape : [shape];
    const last = output.at(-1)!;
    const merged = this.mergeMode === 'concat' ? [...output.slice(0, -1), 2 * last] : output;
    const outputs = this.mergeMode === null ? [output, output] : [merged];
    const all = [...outputs, ...states, ...states];
    return (all.length === 1 ? all[0] : all) as BatchShape;
  }

  override computeMask(_x: unknown, mask: Masks): Masks {
    const first = [mask].flat()[0] as Tensor | null;
    const own = this.forwardLayer.returnSequences ? first : null;
    return this.mergeMode === null ? [own, own] : [own];
  }

  /** Forgets where both directions are. */
  async resetStates(): Promise<void> {
    await Promise.all(this.directions.map((one) => one.resetStates?.()));
  }

  override call(given: Tensor | readonly Tensor[], context: CallContext): Tensor {
    const [x, ...listed] = [given].flat() as Tensor[];
    const states = listed.length > 0 ? listed : (context.initialState ?? []);
    const training = context.training && this.trainable;
    const results = this.directions.map((one, i) => {
      const half = states.slice((i * states.length) / 2, ((i + 1) * states.length) / 2);
      const made = one.apply(x, { ...context, training, initialState: half });
      return [made].flat() as Tensor[];
    });
    const [[there, ...statesThere], [back, ...statesBack]] = results;
    const y = this.forwardLayer.returnSequences ? flip(back, 1) : back;
    const all = [...merge(there, y, this.mergeMode), ...statesThere, ...statesBack];
    return (all.length === 1 ? all[0] : all) as Tensor;
  }
}

function merge(a: Tensor, b: Tensor, mode: MergeMode): Tensor[] {
  if (mode === 'concat') return [concat([a, b], -1)];
  if (mode === 'sum') return [a.add(b)];
  if (mode === 'mul') return [a.mul(b)];
  return mode === 'ave' ? [a.add(b).div(2)] : [a, b];
}

/** A recurrent layer in both directions of time. x: [samples, steps, features] → [samples, 2 · units] by default. */
export function bidirectional(
  layer: Layer | BidirectionalOptions,
  options: Omit<BidirectionalOptions, 'layer'> = {},
): Bidirectional {
  return new Bidirectional(layer instanceof Layer ? { ...options, layer } : layer);
}
