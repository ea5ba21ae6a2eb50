/**
 * Symbolic tensors: what flows through a network before there are numbers.
 *
 * A *symbolic tensor* stands for what a layer will give: a shape, whose number of samples is unknown, and a dtype. A
 * *call* is one use of a layer; the same layer may have several, and shares its weights among them.
 */
import { StateError } from '../../base/errors.ts';
import type { DType } from '../../ops/dtype.ts';

/** Sizes of a batch of samples; null where any size will do, as for the number of samples. */
export type BatchShape = readonly (number | null)[];

/** What goes into a layer: one shape, or a list of them. */
export type InputShape = BatchShape | readonly BatchShape[];

/** `[null, 784]`, as messages print it; of a list, one after the other. */
export const showBatch = (shape: InputShape): string =>
  `[${shape.map((one) => (Array.isArray(one) ? showBatch(one) : String(one))).join(', ')}]`;

/** Is it a list of shapes? */
export const isList = (shape: InputShape): shape is readonly BatchShape[] => Array.isArray(shape[0]);

/** One use of a layer: what went in, and what came out. */
export interface LayerCall<L> {
  readonly layer: L;
  readonly inputs: readonly SymbolicTensor<L>[];
  readonly outputs: readonly SymbolicTensor<L>[];
  /** Whether the layer was given a list, if only of one. */
  readonly listed: boolean;
}

/** See the head of this file. Not a tensor: it has no numbers, and layers alone take it. */
export class SymbolicTensor<L = unknown> {
  readonly shape: BatchShape;
  readonly dtype: DType;
  /** The use of a layer that gives it, and its number among what that gives. */
  readonly call: LayerCall<L>;
  readonly index: number;

  constructor(shape: BatchShape, dtype: DType, call: LayerCall<L>, index: number) {
    this.shape = shape;
    this.dtype = dtype;
    this.call = call;
    this.index = index;
  }

  /** A call, and what it gives; a layer without inputs gives what it declares. */
  static from<L>(
    layer: L,
    inputs: readonly SymbolicTensor<L>[],
    shapes: readonly BatchShape[],
    { dtype = 'f32' as DType, listed = false } = {},
  ): LayerCall<L> {
    const outputs: SymbolicTensor<L>[] = [];
    const call = { layer, inputs, outputs, listed };
    for (const [i, shape] of shapes.entries()) outputs.push(new SymbolicTensor(shape, dtype, call, i));
    return call;
  }

  // Arithmetic waits for numbers: layers merge what stands for them.
  add(): never {
    return this.refuse('add', 'layers.add().apply([a, b])');
  }
  sub(): never {
    return this.refuse('sub', 'layers.subtract().apply([a, b])');
  }
  mul(): never {
    return this.refuse('mul', 'layers.multiply().apply([a, b]), or layers.rescaling(2).apply(a)');
  }
  div(): never {
    return this.refuse('div', 'layers.rescaling(1 / 2).apply(a)');
  }
  maximum(): never {
    return this.refuse('maximum', 'layers.maximum().apply([a, b])');
  }
  minimum(): never {
    return this.refuse('minimum', 'layers.minimum().apply([a, b])');
  }
  concat(): never {
    return this.refuse('concat', 'layers.concatenate().apply([a, b])');
  }

  private refuse(operation: string, instead: string): never {
    throw new StateError(
      `${operation}: ${this.toString()} has no numbers yet. Use a layer, ${instead}, or any function as layers.lambda((x) => …).apply(a).`,
    );
  }

  toString(): string {
    return `SymbolicTensor(${this.dtype} ${showBatch(this.shape)})`;
  }

  /** There is nothing to read before there are data. */
  data(): never {
    throw new StateError(
      `data: ${this.toString()} has no numbers. Make a model of it, model({ inputs, outputs }), and ask predict.`,
    );
  }
}
