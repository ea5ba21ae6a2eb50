import { ShapeError } from '../../base/errors.ts';
import { type DType, parseDType } from '../../ops/dtype.ts';
import { wholeNumber } from '../check.ts';
import { readOptions, withMain } from '../names.ts';
import { type BatchShape, Layer, type LayerOptions, layerDefaults, SymbolicTensor } from './layer.ts';

export interface InputOptions extends Omit<LayerOptions, 'dtype'> {
  /** Sizes of one sample: [784]. */
  shape?: readonly (number | null)[] | null;
  /** What the model computes with, whatever the data come as; default 'float32'. */
  dtype?: string;
  /** Samples in a batch, where only this number will do; default null. */
  batchSize?: number | null;
}

/**
 * The input of a model: a first layer of `sequential`, or what stands for the data in a network of layers. It
 * computes nothing.
 */
export class InputLayer extends Layer {
  static readonly rows = {};
  /** The dtype that data are brought to. */
  readonly dataType: DType;

  constructor(options?: InputOptions) {
    const { shape, batchSize, dtype, inputShape, batchInputShape, batchShape, ...rest } = readOptions(
      'input',
      options,
      {
        ...layerDefaults,
        shape: null as readonly (number | null)[] | null,
        dtype: 'float32',
        batchSize: null as number | null,
      },
    );
    const sample = shape ?? inputShape;
    const samples = batchSize === null ? null : wholeNumber(batchSize, 'input', 'batchSize');
    const whole = batchInputShape ?? batchShape ?? (sample ? [samples, ...sample] : null);
    super({ ...rest, ...(sample ? { inputShape: sample } : {}), batchInputShape: whole }, 'InputLayer');
    if (this.batchInputShape === null)
      throw new ShapeError('input: shape is missing. Give the sizes of one sample: input({ shape: [784] }).');
    this.dataType = parseDType(dtype, 'input');
    this.builtFor = this.batchInputShape;
    const [, ...sizes] = this.batchInputShape;
    this.calls.push(SymbolicTensor.from<Layer>(this, [], [[samples, ...sizes]], { dtype: this.dataType }));
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape;
  }

  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), dtype: kerasDType[this.dataType] };
  }
}

const kerasDType = { f32: 'float32', i32: 'int32', u32: 'uint32', u8: 'uint8', bool: 'bool' } as const;

/**
 * The input of a model: `input([28, 28])` or `input({ shape: [28, 28] })`. An element of `sequential([…])`, and what
 * `layer.apply` and `model` take.
 *
 * ```ts
 * const x = layers.input([784]);
 * const y = layers.dense(10).apply(x);
 * const net = model({ inputs: x, outputs: y });
 * ```
 */
export const input = (shape: readonly (number | null)[] | InputOptions, options?: InputOptions): Layer =>
  new InputLayer(withMain<InputOptions>('shape', shape, options));
