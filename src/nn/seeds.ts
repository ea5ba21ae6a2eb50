/**
 * Where random numbers come from. Every use has a stream of its own, so that none disturbs another:
 * more dropout layers do not change the shuffle, another shuffle does not change the weights.
 */
import { counting } from '../base/counting.ts';
import { RandomSequence } from '../base/random.ts';
import { nextOf, seedInUse } from '../base/seed.ts';

export { seedInUse };

/** The golden ratio: seeds of models lie far apart, and none comes twice. */
const MODEL_STEP = 0x9e3779b9;

/** The seed of a model that is made now: that in use for the first one, another for each that follows. */
export const nextModelSeed = (): number => (seedInUse() + Math.imul(nextOf('model'), MODEL_STEP)) >>> 0;

/** Philox streams, the second half of the key beside the seed. A dropout layer adds its place in the model. */
export const streams = { initializer: 1, shuffle: 2, dropout: 1000 } as const;

/** Layers outside any model count from here, far above the places of layers in models. */
const FIRST_PLACE_OUTSIDE = 2 ** 24;
/** Layers inside the layer at place p have the places from p · PLACES on. */
export const PLACES = 64;

/** The place of a layer or weight that belongs to no model: the order in which they were made decides. */
export const placeOutside = (): number => FIRST_PLACE_OUTSIDE + nextOf('layer');

/** At most so many weights of one layer have numbers of their own. */
const WEIGHTS_PER_LAYER = 16;

/** The numbers for weight `index` of the layer at `place` of a model: the generator's step is the weight. */
export const initializerNumbers = (seed: number, place: number, index = 0): RandomSequence =>
  new RandomSequence(seed, streams.initializer, place * WEIGHTS_PER_LAYER + index);

/**
 * The order in which a pass visits `count` samples: a function of the model's seed and of the passes it has made
 * (Fisher and Yates, from the end).
 */
export function shuffledOrder(count: number, seed: number, pass: number): Int32Array {
  const random = new RandomSequence(seed, streams.shuffle, pass);
  const order = new Int32Array(counting(count).buffer);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  return order;
}
