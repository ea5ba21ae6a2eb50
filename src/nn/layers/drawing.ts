/** What layers that draw random numbers in training have in common. */
import { add } from '../../ops/binary.ts';
import type { uniform } from '../../ops/random.ts';
import type { Shape } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { wholeFrom } from '../check.ts';
import { option, orNull } from '../options.ts';
import { placeOutside, seedInUse, streams } from '../seeds.ts';
import { type BatchShape, Layer } from './layer.ts';

/** Default null: the engine's seed. */
export const seedRow = option(null as number | null, orNull(wholeFrom(0)));

/**
 * What is drawn is a function of the layer's seed (or the engine's and the layer's place in its model), the count of training
 * calls and the position of the value: a replayed step draws new numbers, a repeated run the same.
 *
 * `steps`: the layer's count of training calls, which goes on. `own`: the layer's seed, or null.
 */
export function drawnFor(
  layer: Layer,
  steps: Variable,
  distribution: typeof uniform,
  shape: Shape,
  own: number | null,
): Tensor {
  layer.place ??= placeOutside();
  const [seed, place] = own === null ? [layer.randomSeed ?? seedInUse(), layer.place] : [own, 0];
  const numbers = distribution(shape, { seed, stream: streams.dropout + place, counter: steps });
  void steps.assign(add(steps, 1));
  return numbers;
}

/** A layer that draws in training, and whose outputs have the shape of its inputs. */
export abstract class Drawing extends Layer {
  /** Training calls so far. */
  readonly steps = this.addState('steps');

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  /** Numbers for this training call. */
  protected drawn(distribution: typeof uniform, shape: Shape, own: number | null): Tensor {
    return drawnFor(this, this.steps, distribution, shape, own);
  }
}
