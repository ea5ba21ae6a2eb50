/** The mean of values that a step of one's own hands over. */
import { type TensorLike, toTensor } from '../../ops/constant.ts';
import { cast } from '../../ops/select.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { weighted } from '../losses/loss.ts';
import { readOptions } from '../names.ts';
import { perSample } from '../targets.ts';
import { divide, Metric, type MetricUpdate } from './metric.ts';

export class Mean extends Metric {
  constructor(options?: { name?: string | null }) {
    const { name } = readOptions('mean', options, { name: null as string | null });
    super(
      name ?? 'mean',
      (values, _, weight) => meanColumns(values, weight),
      ([total, count]) => divide(total, count),
      { className: 'Mean', config: { name: name ?? 'mean' } },
    );
  }

  /** Values of a batch: [N, …], or one number, which counts once. `sampleWeight`: what each of them counts. */
  override updateState(values: TensorLike, sampleWeight: TensorLike | null = null): MetricUpdate {
    const weight = sampleWeight === null ? null : cast(toTensor(sampleWeight), 'f32');
    return { metric: this, columns: meanColumns(cast(toTensor(values), 'f32'), weight) };
  }
}

function meanColumns(values: Tensor, weight: Tensor | null): Tensor[] {
  const counts = weight ?? values.mul(0).add(1);
  return (weight ? [weighted(values, weight), counts] : [values, counts]).map(perSample);
}

/**
 * The mean over what `updateState` is given: (Σ weight · value) / Σ weight. A batch's one number counts once for the batch,
 * values [N, …] once each. For a `trainStep` of one's own.
 *
 * ```ts
 * class Distances extends Model {
 *   distance = metrics.mean({ name: 'distance' });
 *   trainStep({ x }) { return { distance: this.distance.updateState(x.square().sum(-1).sqrt()) }; }
 * }
 * ```
 */
export const mean = (options?: { name?: string | null }): Mean => new Mean(options);
