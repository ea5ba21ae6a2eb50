/**
 * Layers that prepare data on the host: words and numbers become ids or rows there, before a network sees them. Texts never
 * reach the GPU, so such a layer stands before a model and not in it: applied to arrays it gives an array, which
 * `fit`, `tensor` and a dataset's `map` take.
 */
import { ConfigError, ShapeError, ValueError } from '../../base/errors.ts';
import type { NdArray } from '../../data/nd-array.ts';
import { isNdArray } from '../../data/pipeline/columns.ts';
import { Tensor } from '../../ops/tensor.ts';
import { describe } from '../names.ts';
import { eachPart } from './adapt.ts';
import { type CallContext, Layer } from './layer.ts';
import type { SymbolicTensor } from './symbolic.ts';

/** Text or numbers: one, a list, or lists of lists of equal lengths. */
export type HostValues = string | number | readonly HostValues[] | NdArray;

/** Values in one list, with their shape. */
export interface Listed<T> {
  readonly values: readonly T[];
  readonly shape: readonly number[];
}

export abstract class Preparing extends Layer {
  /** What it makes of values of any shape. */
  protected abstract prepare(given: HostValues): NdArray<Int32Array | Float32Array>;

  override apply(
    x: SymbolicTensor<Layer> | Layer | readonly (SymbolicTensor<Layer> | Layer)[],
  ): SymbolicTensor<Layer>;
  override apply(x: Tensor | readonly Tensor[], context?: Partial<CallContext>): Tensor;
  override apply(x: HostValues): NdArray<Int32Array | Float32Array>;
  override apply(x: unknown): never {
    const first = Array.isArray(x) ? x[0] : x;
    if (
      first instanceof Tensor ||
      first instanceof Layer ||
      (typeof first === 'object' && first !== null && 'layer' in first)
    )
      throw this.misplaced();
    return this.prepare(x as HostValues) as never;
  }

  override call(): never {
    throw this.misplaced();
  }

  private misplaced(): ConfigError {
    return new ConfigError(
      `${this.name}: ${this.className} prepares data on the host and is no part of a network. Apply it to the data before: ` +
        'dataset.map(([x, y]) => [prepare.apply(x), y]), or fit(prepare.apply(x), y).',
    );
  }
}

/** Flattens nested lists; ShapeError for lists of several lengths. */
export function listed<T extends string | number>(
  given: HostValues,
  kind: 'string' | 'number',
  operation: string,
): Listed<T> {
  if (isNdArray(given)) return { values: [...given.data] as T[], shape: given.shape };
  if (ArrayBuffer.isView(given)) {
    const data = given as unknown as ArrayLike<number>;
    return { values: Array.from(data) as T[], shape: [data.length] };
  }
  const shape: number[] = [];
  for (let at: unknown = given; Array.isArray(at); at = at[0]) shape.push(at.length);
  const values: T[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      if (value.length !== shape[depth])
        throw new ShapeError(
          `${operation}: lists of ${shape[depth] ?? 'no'} and of ${value.length} values stand side by side; expected equal lengths. ` +
            'Pad them first: data.padSequences.',
        );
      for (const one of value) walk(one, depth + 1);
      return;
    }
    if (depth !== shape.length)
      throw new ShapeError(
        `${operation}: ${describe(value)} stands beside a list; expected lists of equal depth.`,
      );
    if (typeof value !== kind)
      throw new ValueError(
        `${operation}: got ${describe(value)}; expected ${kind === 'string' ? 'text' : 'numbers'}.`,
      );
    values.push(value as T);
  };
  walk(given, 0);
  return { values, shape };
}

/** As `eachPart`, of values that are here. */
export const eachHostPart = (data: unknown, take: (part: HostValues) => void): Promise<void> =>
  eachPart(data, async (part) =>
    take(part instanceof Tensor ? { data: await part.data(), shape: [...part.shape] } : (part as HostValues)),
  );

/** How ids become rows. */
export type OutputMode = 'int' | 'one_hot' | 'multi_hot' | 'count' | 'tf_idf';

/**
 * Ids as they are, or as rows of `depth`: one for each id (one_hot), or one for all along the last axis: which there are
 * (multi_hot), how often (count), times a weight of each, 0 where there is none (tf_idf). An id below 0 counts for nothing.
 */
export function encoded(
  ids: readonly number[],
  shape: readonly number[],
  mode: OutputMode,
  depth: number,
  weights: ArrayLike<number> | null = null,
): NdArray<Int32Array | Float32Array> {
  if (mode === 'int') return { data: Int32Array.from(ids), shape: [...shape] };
  const whole = shape.length === 0 ? [1] : [...shape];
  if (mode === 'one_hot') {
    const places = whole.length > 1 && whole[whole.length - 1] === 1 ? whole.slice(0, -1) : whole;
    const data = new Float32Array(ids.length * depth);
    for (const [i, id] of ids.entries()) if (id >= 0) data[i * depth + id] = 1;
    return { data, shape: [...places, depth] };
  }
  const length = whole[whole.length - 1];
  const rows = length === 0 ? 0 : ids.length / length;
  const data = new Float32Array(rows * depth);
  for (const [i, id] of ids.entries()) {
    if (id < 0) continue;
    const at = Math.floor(i / length) * depth + id;
    data[at] = mode === 'multi_hot' ? 1 : data[at] + 1;
  }
  if (mode === 'tf_idf') for (let i = 0; i < data.length; i++) data[i] *= weights![i % depth] ?? 0;
  return { data, shape: [...whole.slice(0, -1), depth] };
}
