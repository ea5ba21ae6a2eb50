/**
 * Ten kinds of garments drawn at 28 × 28, for when there is no Fashion-MNIST at hand.
 *
 * The same ten classes, format and difficulty: a linear model confuses shirts, T-shirts, pullovers and
 * coats, and sandals, sneakers and boots; a hidden layer does clearly better. They are drawings, not
 * Fashion-MNIST, and no accuracy reached on them says anything about it: the data set says
 * `synthetic: true`.
 */

import { ValueError } from '../../base/errors.ts';
import { knownOptions } from '../../base/options.ts';
import { RandomSequence } from '../../base/random.ts';
import { FASHION_CLASSES } from '../classes.ts';
import type { ImageDataset, LabelledImages } from '../labelled-images.ts';
import { drawBag } from './bag.ts';
import { Canvas, PIXELS, SIZE } from './canvas.ts';
import { COAT, DRESS, PULLOVER, SHIRT, TSHIRT } from './cuts.ts';
import { develop } from './fabric.ts';
import { drawBoot, drawSandal, drawSneaker } from './shoes.ts';
import { drawTop } from './tops.ts';
import { drawTrouser } from './trouser.ts';

/** How each class is drawn, in the order of `FASHION_CLASSES`. */
const DRAWINGS: readonly ((canvas: Canvas, random: RandomSequence) => void)[] = [
  (canvas, random) => drawTop(canvas, random, TSHIRT),
  drawTrouser,
  (canvas, random) => drawTop(canvas, random, PULLOVER),
  (canvas, random) => drawTop(canvas, random, DRESS),
  (canvas, random) => drawTop(canvas, random, COAT),
  drawSandal,
  (canvas, random) => drawTop(canvas, random, SHIRT),
  drawSneaker,
  drawBag,
  drawBoot,
];

/** Philox streams: training and test pictures never share a random number. */
const TRAIN_STREAM = 0x67_61_72_00;
const TEST_STREAM = 0x67_61_72_01;

export interface GarmentsOptions {
  /** Number of training pictures; 60,000 unless given. */
  readonly train?: number;
  /** Number of test pictures; 10,000 unless given. */
  readonly test?: number;
  /** Any integer; the same seed draws the same bytes everywhere. 0 unless given. */
  readonly seed?: number;
}

/**
 * Draws a data set of garments in Fashion-MNIST's classes and format.
 *
 * images: [count, 28, 28] u8, 0 is background; labels: [count] u8, each class once in every ten pictures.
 * Picture i depends on the seed and i alone, so a smaller set is the beginning of a larger one.
 *
 * ```ts
 * const { train, test } = datasets.garments({ train: 6000, test: 1000, seed: 7 });
 * ```
 */
export function garments(options?: GarmentsOptions): ImageDataset {
  const known = ['train', 'test', 'seed'] as const;
  const {
    train = 60_000,
    test = 10_000,
    seed = 0,
  } = knownOptions<GarmentsOptions>('garments', options, known);
  if (!Number.isSafeInteger(seed)) {
    throw new ValueError(`garments: seed is ${seed}, expected an integer.`);
  }
  return {
    name: 'synthetic garments',
    train: draw(count('train', train), seed, TRAIN_STREAM),
    test: draw(count('test', test), seed, TEST_STREAM),
    classNames: FASHION_CLASSES,
    source: `built-in generator, seed ${seed}`,
    synthetic: true,
  };
}

function count(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000) {
    throw new ValueError(
      `garments: ${name} is ${value}, expected a whole number of pictures from 1 to 1,000,000.`,
    );
  }
  return value;
}

function draw(count: number, seed: number, stream: number): LabelledImages {
  const pixels = new Uint8ClampedArray(count * PIXELS);
  const labels = new Uint8Array(count);
  const canvas = new Canvas();
  const random = new RandomSequence(seed, stream);
  for (let i = 0; i < count; i++) {
    labels[i] = labelOf(i, random);
    random.restart(2 * i + 1);
    canvas.clear({
      x: random.between(-1, 1),
      y: random.between(-1.6, 1.6),
      scaleX: random.between(0.9, 1.14) * (random.chance(0.12) ? -1 : 1),
      scaleY: random.between(0.88, 1.08),
      lean: random.between(-0.05, 0.05),
    });
    DRAWINGS[labels[i]](canvas, random);
    develop(canvas, random, pixels, i * PIXELS);
  }
  return { images: new Uint8Array(pixels.buffer), labels, count, height: SIZE, width: SIZE };
}

const order = new Uint8Array(10);

/** The labels of pictures 10k … 10k + 9 are a shuffle of the ten classes. */
function labelOf(i: number, random: RandomSequence): number {
  if (i % 10 === 0) {
    random.restart(2 * i);
    for (let k = 0; k < 10; k++) order[k] = k;
    for (let k = 9; k > 0; k--) {
      const other = random.below(k + 1);
      [order[k], order[other]] = [order[other], order[k]];
    }
  }
  return order[i % 10];
}
