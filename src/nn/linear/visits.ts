/** In which order scikit-learn visits samples: its seeds and its own small generator. */
import { counting } from '../../base/counting.ts';
import { RandomState } from '../../data/random-state.ts';

const INT_MAX = 2 ** 31 - 1;

/** The seeds of as many one-against-the-rest problems; a problem alone takes the seed as it is. */
export function problemSeeds(randomState: number, problems: number): number[] {
  const random = new RandomState(randomState);
  return problems === 1 ? [randomState] : Array.from({ length: problems }, () => random.randint(0, INT_MAX));
}

/** The samples of one problem, shuffled anew for each epoch. Source: sklearn/utils/_seq_dataset.pyx, _random.pxd. */
export class Visits {
  /** 0 … n − 1 in the order of the latest epoch. */
  readonly order: Uint32Array;
  readonly #seed: number;

  constructor(count: number, seed: number) {
    this.order = counting(count);
    const random = new RandomState(seed);
    random.randint(1, INT_MAX); // scikit-learn draws a seed here that it does not use
    this.#seed = random.randint(0, INT_MAX);
  }

  /** Shuffles the order as the last epoch left it, with the same xorshift numbers in every epoch. */
  shuffle(): void {
    const { order } = this;
    let x = this.#seed || 1;
    for (let i = 0; i < order.length - 1; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      const j = i + (((x >>> 0) % 2 ** 31) % (order.length - i));
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
  }
}
