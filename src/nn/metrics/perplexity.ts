/** How many words a language model hesitates between. */
import { cast } from '../../ops/select.ts';
import { wholeNumber } from '../check.ts';
import { sparseCategoricalCrossentropy } from '../losses/index.ts';
import { weighted } from '../losses/loss.ts';
import { type MetricFactory, meanOf, metricOf } from './metric.ts';

export interface PerplexityOptions {
  /** Whether predictions are logits; default false: probabilities. */
  fromLogits?: boolean;
  /** Places with this token do not count; default null: all do. Masks leave places out too. */
  maskTokenId?: number | null;
}

/**
 * e to the mean cross-entropy of the tokens y, as in KerasHub: [N, T] and predictions [N, T, tokens]. 1 is perfect; as many as there
 * are tokens is a guess.
 *
 * ```ts
 * model.compile({ loss: 'sparseCategoricalCrossentropy', metrics: ['perplexity'] });
 * ```
 */
export const perplexity: MetricFactory<PerplexityOptions> = metricOf<Required<PerplexityOptions>>(
  'perplexity',
  { fromLogits: false, maskTokenId: null },
  ({ fromLogits, maskTokenId }) => {
    if (maskTokenId !== null) wholeNumber(maskTokenId, 'perplexity', 'maskTokenId', 0);
    const loss = sparseCategoricalCrossentropy({ fromLogits });
    const { columns, result } = meanOf((yTrue, yPred) => loss.values(yTrue, yPred), 'perplexity');
    return {
      direction: 'down',
      columns(yTrue, yPred, weight) {
        if (maskTokenId === null) return columns(yTrue, yPred, weight);
        const counts = cast(yTrue.notEqual(maskTokenId), 'f32').reshape(yPred.shape.slice(0, -1));
        return columns(yTrue, yPred, weight ? weighted(counts, weight) : counts);
      },
      result: (sums, samples) => Math.exp(result(sums, samples)),
    };
  },
);
