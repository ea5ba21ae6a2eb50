/** Attention whose heads share keys and values. */
import { ConfigError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import { flag, wholeNumber } from '../check.ts';
import { needed, option } from '../options.ts';
import { InHeads, inHeads } from './attention.ts';
import { factory, layerOf, type OptionsOf } from './define.ts';
import type { BatchShape, CallContext } from './layer.ts';

const groups = {
  /** Length of a head's queries, keys and values. */
  headDim: needed<number>(wholeNumber),
  /** Number of heads that ask. */
  numQueryHeads: needed<number>(wholeNumber),
  /** Number of heads of keys and values; it divides the other. */
  numKeyValueHeads: needed<number>(wholeNumber),
  /** Whether sigmoid(query · a weight) multiplies what the heads give (Qiu et al. 2025); default false. */
  useGate: option(false, flag),
  ...inHeads,
};

export type GroupQueryAttentionOptions = OptionsOf<typeof groups>;

/**
 * Attention in heads of which numQueryHeads / numKeyValueHeads neighbours share keys and values (Ainslie et al. 2023). Inputs, masks
 * and options are those of multiHeadAttention; the result is as long as the query.
 *
 * [query, value] or [query, value, key], or one tensor for all; query: [samples, T, a], value and key: [samples, S, …] →
 * [samples, T, a]. ConfigError where the heads cannot be shared alike.
 */
export class GroupQueryAttention extends layerOf('GroupQueryAttention', groups, InHeads) {
  override readonly innerPaths = [
    'query_dense',
    'key_dense',
    ...(this.useGate ? ['gate_dense'] : []),
    'value_dense',
    'output_dense',
  ];

  protected override get headCount(): number {
    return this.numQueryHeads;
  }

  protected override lengthAfter(query: number): number {
    return query;
  }

  protected override buildInner(query: BatchShape, value: BatchShape, key: BatchShape): void {
    const { headDim, numQueryHeads, numKeyValueHeads } = this;
    if (numQueryHeads % numKeyValueHeads !== 0)
      throw new ConfigError(
        `${this.name}: numQueryHeads is ${numQueryHeads} and numKeyValueHeads ${numKeyValueHeads}; expected a multiple of it.`,
      );
    const within = (name: string, shape: BatchShape, count: number, further = {}) =>
      this.project(name, shape, 'abc,cde->abde', [null, count, headDim], 'de', further);
    this.queryDense = within('query', query, numQueryHeads);
    this.keyDense = within('key', key, numKeyValueHeads);
    if (this.useGate) this.gateDense = within('gate', query, numQueryHeads, { activation: 'sigmoid' });
    this.valueDense = within('value', value, numKeyValueHeads);
    this.outputDense = this.project(
      'attention_output',
      [query[0], query[1], numQueryHeads, headDim],
      'abcd,cde->abe',
      [null, query[2]],
      'e',
    );
  }

  /** [N, S, groups, length] → [N, S, heads, length] */
  protected override perHead(x: Tensor): Tensor {
    const [N, S, count, length] = x.shape;
    const each = this.numQueryHeads / count;
    return x
      .expandDims(3)
      .broadcastTo([N, S, count, each, length])
      .reshape([N, S, count * each, length]);
  }

  protected override passed(made: Tensor, query: Tensor, context: CallContext): Tensor {
    return this.gateDense ? made.mul(this.gateDense.apply(query, context) as Tensor) : made;
  }
}

/** Attention whose heads share keys and values: groupedQueryAttention({ headDim: 64, numQueryHeads: 8, numKeyValueHeads: 2 }). */
export const groupedQueryAttention = factory(GroupQueryAttention, 'headDim');
