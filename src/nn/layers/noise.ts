/** Layers that add or multiply noise in training. */
import { normal } from '../../ops/random.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { between } from '../check.ts';
import { needed } from '../options.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import { Drawing, seedRow } from './drawing.ts';
import type { CallContext } from './layer.ts';

const noiseRows = {
  /** Standard deviation. */
  stddev: needed(between(0)),
  /** Default null: the engine's seed. */
  seed: seedRow,
};

export type GaussianNoiseOptions = OptionsOf<typeof noiseRows>;

/** In training y = x + σ n, with normal n; otherwise y = x. */
export class GaussianNoise extends layerOf('GaussianNoise', noiseRows, Drawing) {
  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.stddev === 0) return x;
    return x.add(this.drawn(normal, x.shape, this.seed).mul(this.stddev));
  }
}

/** Adds normal noise in training. */
export const gaussianNoise = factory(GaussianNoise, 'stddev');

const dropoutRows = {
  /** From 0 to below 1: the noise has the variance rate / (1 − rate) that dropout has. */
  rate: needed(between(0, 1 - 2 ** -24)),
  /** Default null: the engine's seed. */
  seed: seedRow,
};

export type GaussianDropoutOptions = OptionsOf<typeof dropoutRows>;

/** In training y = x (1 + √(rate / (1 − rate)) n), with normal n; otherwise y = x (Srivastava et al. 2014). */
export class GaussianDropout extends layerOf('GaussianDropout', dropoutRows, Drawing) {
  override call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x;
    const deviation = Math.sqrt(this.rate / (1 - this.rate));
    return x.mul(this.drawn(normal, x.shape, this.seed).mul(deviation).add(1));
  }
}

/** Multiplies with normal noise around 1 in training. */
export const gaussianDropout = factory(GaussianDropout, 'rate');
