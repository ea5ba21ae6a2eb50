import { ShapeError } from '../../base/errors.ts';
import { readOptions, withMain } from '../names.ts';
import { type BatchShape, Layer, type LayerOptions, layerDefaults } from './layer.ts';

export interface InputOptions extends LayerOptions {
  /** Sizes of one sample: [784]. */
  shape?: readonly (number | null)[] | null;
}

/** The shape of a model's input, as a first layer. It computes nothing and summaries leave it out. */
export class InputLayer extends Layer {
  constructor(options?: InputOptions) {
    const { shape, ...rest } = readOptions('input', options, {
      ...layerDefaults,
      shape: null as readonly (number | null)[] | null,
    });
    super({ ...rest, inputShape: shape ?? rest.inputShape }, 'InputLayer');
    if (this.batchInputShape === null)
      throw new ShapeError('input: shape is missing. Give the sizes of one sample: input({ shape: [784] }).');
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }
}

/** The shape of a model's input: `input([28, 28])` or `input({ shape: [28, 28] })`. */
export const input = (shape: readonly (number | null)[] | InputOptions, options?: InputOptions): Layer =>
  new InputLayer(withMain<InputOptions>('shape', shape, options));
