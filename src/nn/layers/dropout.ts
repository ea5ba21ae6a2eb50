import { add, div } from '../../ops/binary.ts';
import { variable } from '../../ops/constant.ts';
import { uniform } from '../../ops/random.ts';
import { greaterEqual, where } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { numberBetween, wholeNumber } from '../check.ts';
import { readOptions } from '../names.ts';
import { placeOutside, seedInUse, streams } from '../seeds.ts';
import {
  type BatchShape,
  type CallContext,
  Layer,
  type LayerOptions,
  layerDefaults,
  withMain,
} from './layer.ts';

export interface DropoutOptions extends LayerOptions {
  /** The share of values that is dropped, from 0 to 1. */
  rate: number;
  /** Default null: the engine's seed. */
  seed?: number | null;
}

/**
 * In training, each value is dropped with probability `rate` and the others are divided by 1 − rate;
 * otherwise y = x.
 *
 * Which ones are dropped is a function of the layer's seed (or the engine's and the layer's place in its
 * model), the count of training calls and the position of the value: a replayed step draws new numbers, a
 * repeated run the same.
 */
export class Dropout extends Layer {
  readonly rate: number;
  readonly seed: number | null;
  /** Training calls so far. Not a weight: saved states hold it beside the weights. */
  readonly steps = variable(0, { dtype: 'i32', name: 'dropout_steps', trainable: false });

  constructor(options: DropoutOptions) {
    const { rate, seed, ...rest } = readOptions('dropout', options, {
      ...layerDefaults,
      rate: Number.NaN,
      seed: null as number | null,
      noiseShape: null as null,
    });
    super(rest, 'Dropout');
    this.rate = numberBetween(rate, this.name, 'rate', 0, 1);
    this.seed = seed === null ? null : wholeNumber(seed, this.name, 'seed', 0);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x;
    this.place ??= placeOutside();
    const [seed, place] = this.seed === null ? [this.randomSeed ?? seedInUse(), this.place] : [this.seed, 0];
    const drawn = uniform(x.shape, {
      seed,
      stream: streams.dropout + place,
      counter: this.steps,
    });
    const y = where(greaterEqual(drawn, this.rate), div(x, 1 - this.rate), 0);
    void this.steps.assign(add(this.steps, 1));
    return y;
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }
}

/** Drops a share `rate` of the values in training and scales the others up. */
export const dropout = (rate: number | DropoutOptions, options?: Omit<DropoutOptions, 'rate'>): Layer =>
  new Dropout(withMain<DropoutOptions>('rate', rate, options));
