import { ShapeError } from '../../base/errors.ts';
import { add } from '../../ops/binary.ts';
import { matmul } from '../../ops/matmul.ts';
import { reshape } from '../../ops/movement.ts';
import { sizeOf } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { knownActivation } from '../activations.ts';
import { flag, wholeNumber } from '../check.ts';
import { needed, option } from '../options.ts';
import {
  activationRow,
  activityRow,
  factory,
  inputDimRow,
  layerOf,
  type OptionsOf,
  weightRows,
} from './define.ts';
import { type BatchShape, type CallContext, knownSizes, showBatch } from './layer.ts';

const rows = {
  /** Number of outputs. */
  units: needed<number>(wholeNumber),
  /** Function of the outputs; default null: none. */
  activation: activationRow,
  /** Whether a bias is added; default true. */
  useBias: option(true, flag),
  ...weightRows({ kernel: 'glorotUniform', bias: 'zeros' }),
  /** What the outputs add to the loss; default null: nothing. */
  activityRegularizer: activityRow,
  /** Number of inputs, for the first layer; the same as inputShape: [inputDim]. */
  inputDim: inputDimRow,
};

export type DenseOptions = OptionsOf<typeof rows>;

/**
 * y = f(x · W + b)
 *
 * x: [..., in] → y: [..., units]; W: [in, units], b: [units]. Leading axes are samples.
 */
export class Dense extends layerOf('Dense', rows) {
  kernel: Variable | null = null;
  bias: Variable | null = null;

  override build(inputShape: BatchShape): void {
    if (inputShape.length < 2)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(inputShape)}; expected [samples, ..., inputs].`,
      );
    const [inputs] = knownSizes(inputShape.slice(-1), this.name);
    this.kernel = this.addWeight('kernel', [inputs, this.units]);
    if (this.useBias) this.bias = this.addWeight('bias', [this.units]);
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    if (inputShape.length < 2 || inputShape.at(-1) !== builtFor.at(-1))
      throw this.unfit(inputShape, [...inputShape.slice(0, -1), builtFor.at(-1) ?? null]);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units];
  }

  override get finalActivation(): string | null {
    // A regularizer of the outputs wants them as they are.
    return this.activityRegularizer ? null : knownActivation(this.activation);
  }

  override call(x: Tensor, { logits }: CallContext): Tensor {
    const lead = x.shape.slice(0, -1);
    const rows = x.rank === 2 ? x : reshape(x, [sizeOf(lead), x.shape[x.rank - 1]]);
    const storage = this.dtype === 'mixed_float16' ? 'f16' : 'f32';
    let y = matmul(rows, this.kernel!, { storage });
    if (this.bias) y = add(y, this.bias);
    if (x.rank !== 2) y = reshape(y, [...lead, this.units]);
    return logits ? y : this.activation.of(y);
  }
}

/** y = f(x · W + b). x: [..., in] → [..., units]; glorot uniform kernel, zero bias. */
export const dense = factory(Dense, 'units');
