import { asIndices, checkIndices, gather } from '../../ops/movement.ts';
import { takeRows } from '../../ops/scatter-nd.ts';
import { greaterEqual, less, logicalAnd, notEqual, where } from '../../ops/select.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { flag, wholeNumber } from '../check.ts';
import { needed, option, orNull } from '../options.ts';
import { activityRow, layerOf, type OptionsOf, weightRows } from './define.ts';
import type { BatchShape } from './layer.ts';
import { carryMasks } from './masks.ts';

const rows = {
  /** Size of the vocabulary: ids go from 0 to inputDim − 1. */
  inputDim: needed<number>(wholeNumber),
  /** Length of a row. */
  outputDim: needed<number>(wholeNumber),
  ...weightRows({ embeddings: 'uniform' }),
  activityRegularizer: activityRow,
  /** Whether id 0 is no word but a place to be skipped; then a mask goes along with the rows. Default false. */
  maskZero: option(false, flag),
  /** Ids in a sample, for the first layer of a model; Keras 2's name for inputShape: [inputLength]. Default null: any. */
  inputLength: {
    default: null as number | null,
    read: orNull(wholeNumber),
    config: () => undefined,
    layer: (length: number | null) => (length === null ? {} : { inputShape: [length] }),
  },
};

/**
 * For the gradient each row of a vocabulary looks through all ids of the batch, one dispatch, as long as they make no more
 * pairs than this; beyond, the ids are sorted, some ten dispatches.
 */
const MOST_COMPARED = 2 ** 24;

export type EmbeddingOptions = OptionsOf<typeof rows>;

/**
 * y[..., :] = E[id, :]
 *
 * ids: [..., ] whole numbers from 0 to inputDim − 1 → [..., outputDim]; E: [inputDim, outputDim], uniform in ±0.05.
 * The gradient adds up the rows of each id in their order. An id outside is a ValueError where it is known on the host,
 * as are the samples of `fit`, `evaluate` and `predict`; of one that the GPU computes, the row is NaN.
 */
export class Embedding extends layerOf('Embedding', rows) {
  embeddings: Variable | null = null;

  override readonly idCount: number = this.inputDim;

  override build(): void {
    if (this.maskZero) carryMasks();
    this.embeddings = this.addWeight('embeddings', [this.inputDim, this.outputDim]);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape, this.outputDim];
  }

  override call(x: Tensor): Tensor {
    checkIndices(x, this.inputDim, this.name);
    const ids = asIndices(x, this.name);
    const known = logicalAnd(greaterEqual(ids, 0), less(ids, this.inputDim));
    const { shape, size } = ids;
    const rows =
      this.inputDim * size > MOST_COMPARED
        ? takeRows(this.embeddings!, ids.reshape([size])).reshape([...shape, this.outputDim])
        : gather(this.embeddings!, ids);
    return where(known.reshape([...shape, 1]), rows, Number.NaN);
  }

  override computeMask(x: Tensor): Tensor | null {
    return this.maskZero ? notEqual(x, 0) : null;
  }
}

/** A row of numbers for each of `inputDim` ids. ids: [...] → [..., outputDim]. */
export function embedding(options: EmbeddingOptions): Embedding;
export function embedding(
  inputDim: number,
  outputDim: number,
  options?: Omit<EmbeddingOptions, 'inputDim' | 'outputDim'>,
): Embedding;
export function embedding(
  first: number | EmbeddingOptions,
  outputDim?: number,
  options: object = {},
): Embedding {
  return new Embedding(
    typeof first === 'number' ? ({ ...options, inputDim: first, outputDim } as EmbeddingOptions) : first,
  );
}
