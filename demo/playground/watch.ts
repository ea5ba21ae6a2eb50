/** What ten probabilities for each of some pictures say: loss, accuracy, confusion, the worst mistakes. */
import { CLASSES, type Mistake, PIXELS } from './protocol.ts';

/** Pictures with their labels: [count, PIXELS] and [count]. */
export interface Watched {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Judgement {
  /** The mean of −log p(label). */
  readonly loss: number;
  readonly accuracy: number;
  /** counts[CLASSES · truth + guess] */
  readonly confusion: Uint32Array;
  /** Rows that were judged wrongly, the least probable right answers first. */
  readonly wrong: readonly { readonly row: number; readonly guess: number }[];
}

/** As in Keras, no single mistake costs more than −log of this. */
const LEAST_PROBABILITY = 1e-7;

/** probabilities: [count, CLASSES]. */
export function judge(probabilities: Float32Array, labels: Uint8Array): Judgement {
  const confusion = new Uint32Array(CLASSES * CLASSES);
  const wrong: { row: number; guess: number; right: number }[] = [];
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = row * CLASSES;
    let guess = 0;
    for (let i = 1; i < CLASSES; i++) if (probabilities[start + i] > probabilities[start + guess]) guess = i;
    const right = probabilities[start + labels[row]];
    // A network that has diverged says NaN, and so does its loss: Math.max keeps it.
    loss -= Math.log(Math.max(right, LEAST_PROBABILITY));
    confusion[CLASSES * labels[row] + guess]++;
    if (guess !== labels[row]) wrong.push({ row, guess, right });
  }
  wrong.sort((a, b) => a.right - b.right);
  return {
    loss: loss / labels.length,
    accuracy: 1 - wrong.length / labels.length,
    confusion,
    wrong,
  };
}

/** The first `most` mistakes with their pictures. */
export function worstMistakes(
  { wrong }: Judgement,
  probabilities: Float32Array,
  { images, labels }: Watched,
  most: number,
): Mistake[] {
  return wrong.slice(0, most).map(({ row, guess }) => ({
    pixels: images.slice(row * PIXELS, (row + 1) * PIXELS),
    label: labels[row],
    guess,
    guessProbability: probabilities[row * CLASSES + guess],
    labelProbability: probabilities[row * CLASSES + labels[row]],
  }));
}
