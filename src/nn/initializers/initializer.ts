/** What an initializer is: a rule that fills a shape with numbers that belong to a seed and a place. */
import type { RandomSequence } from '../../base/random.ts';
import { tensor } from '../../ops/constant.ts';
import { type Shape, sizeOf } from '../../ops/shape.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { initializerNumbers, placeOutside, seedInUse } from '../seeds.ts';

type Config = Readonly<Record<string, unknown>>;

/** A rule for starting values, such as `glorotUniform()`. */
export class Initializer {
  /** Keras's class name: 'GlorotUniform'. */
  readonly className: string;
  /** The options in full, as Keras names them in camelCase. */
  readonly config: Config;
  private readonly fill: (shape: Shape, random: RandomSequence) => Float32Array;

  /** The user's function that it was made from, or null. */
  readonly source: unknown;

  constructor(
    className: string,
    config: Config,
    fill: (shape: Shape, random: RandomSequence) => Float32Array,
    source: unknown = null,
  ) {
    this.className = className;
    this.config = config;
    this.fill = fill;
    this.source = source;
  }

  /**
   * The values of a weight: weight `index` of the layer at `place` of a model with this seed. An initializer with a
   * seed of its own gives the same values each time.
   */
  values(shape: Shape, place = placeOutside(), index = 0, seed = seedInUse()): Float32Array {
    const own = this.config.seed as number | null | undefined;
    const random =
      own === null || own === undefined ? initializerNumbers(seed, place, index) : initializerNumbers(own, 0);
    return this.fill(shape, random);
  }

  /** A tensor of such values, for one's own models: `variable(glorotUniform().tensor([784, 10]))`. */
  tensor(shape: Shape): Tensor {
    return tensor(this.values(shape), { shape: [...shape] });
  }
}

/** One of ours, which a class name and options make again. */
export class KnownInitializer extends Initializer {}

/** What makes such an initializer again: class and options for ours, else what the user gave. */
export const describeInitializer = (one: Initializer): unknown =>
  one instanceof KnownInitializer ? { className: one.className, config: one.config } : (one.source ?? one);

/** Numbers of inputs and outputs behind one weight: [in, out], or [...window, in, out] for convolutions. */
export function fans(shape: Shape): [number, number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const window = sizeOf(shape.slice(0, -2));
  return [window * shape[shape.length - 2], window * shape[shape.length - 1]];
}
