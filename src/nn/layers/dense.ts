import { ConfigError, ShapeError } from '../../base/errors.ts';
import { add } from '../../ops/binary.ts';
import { matmul } from '../../ops/matmul.ts';
import { reshape } from '../../ops/movement.ts';
import { sizeOf } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import {
  type Activation,
  type ActivationLike,
  describeActivation,
  knownActivation,
  resolveActivation,
} from '../activations.ts';
import { flag, wholeNumber } from '../check.ts';
import { describeInitializer, type Initializer } from '../initializers/initializer.ts';
import { type InitializerLike, resolveInitializer } from '../initializers/resolve.ts';
import { describe, readOptions, withMain } from '../names.ts';
import { resolveConstraint } from '../weights/constraints.ts';
import { resolveRegularizer } from '../weights/regularizers.ts';
import { describeRule, type WeightRule, type WeightRuleLike } from '../weights/rule.ts';
import {
  type BatchShape,
  type CallContext,
  knownSizes,
  Layer,
  type LayerOptions,
  layerDefaults,
  showBatch,
} from './layer.ts';

export interface DenseOptions extends LayerOptions {
  /** Number of outputs. */
  units: number;
  /** Function of the outputs; default null: none. */
  activation?: ActivationLike;
  /** Whether a bias is added; default true. */
  useBias?: boolean;
  /** Default 'glorotUniform'. */
  kernelInitializer?: InitializerLike;
  /** Default 'zeros'. */
  biasInitializer?: InitializerLike;
  /** What the kernel adds to the loss; default null: nothing. */
  kernelRegularizer?: WeightRuleLike;
  /** What the bias adds to the loss; default null. */
  biasRegularizer?: WeightRuleLike;
  /** What each update makes of the kernel; default null: nothing. */
  kernelConstraint?: WeightRuleLike;
  /** What each update makes of the bias; default null. */
  biasConstraint?: WeightRuleLike;
  /** Number of inputs, for the first layer; the same as inputShape: [inputDim]. */
  inputDim?: number | null;
}

/**
 * y = f(x · W + b)
 *
 * x: [..., in] → y: [..., units]; W: [in, units], b: [units]. Leading axes are samples.
 */
export class Dense extends Layer {
  readonly units: number;
  readonly activation: Activation;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
  readonly kernelRegularizer: WeightRule | null;
  readonly biasRegularizer: WeightRule | null;
  readonly kernelConstraint: WeightRule | null;
  readonly biasConstraint: WeightRule | null;
  kernel: Variable | null = null;
  bias: Variable | null = null;

  constructor(options: DenseOptions) {
    const given = readOptions('dense', options, {
      ...layerDefaults,
      units: null as unknown as number,
      activation: null as ActivationLike,
      useBias: true,
      kernelInitializer: 'glorotUniform' as InitializerLike,
      biasInitializer: 'zeros' as InitializerLike,
      inputDim: null as number | null,
      kernelRegularizer: null as WeightRuleLike,
      biasRegularizer: null as WeightRuleLike,
      activityRegularizer: null as null,
      kernelConstraint: null as WeightRuleLike,
      biasConstraint: null as WeightRuleLike,
    });
    if (given.activityRegularizer !== null)
      throw new ConfigError(
        `dense: activityRegularizer is ${describe(given.activityRegularizer)}; only null is offered.`,
      );
    const units = wholeNumber(given.units, 'dense', 'units');
    const activation = resolveActivation(given.activation, 'dense');
    const kernelInitializer = resolveInitializer(given.kernelInitializer, 'dense');
    const biasInitializer = resolveInitializer(given.biasInitializer, 'dense');
    const kernelRegularizer = resolveRegularizer(given.kernelRegularizer, 'dense: kernelRegularizer');
    const biasRegularizer = resolveRegularizer(given.biasRegularizer, 'dense: biasRegularizer');
    const kernelConstraint = resolveConstraint(given.kernelConstraint, 'dense: kernelConstraint');
    const biasConstraint = resolveConstraint(given.biasConstraint, 'dense: biasConstraint');
    super({ ...given, inputShape: given.inputDim === null ? given.inputShape : [given.inputDim] }, 'Dense');
    this.units = units;
    this.activation = activation;
    this.useBias = flag(given.useBias, this.name, 'useBias');
    this.kernelInitializer = kernelInitializer;
    this.biasInitializer = biasInitializer;
    this.kernelRegularizer = kernelRegularizer;
    this.biasRegularizer = biasRegularizer;
    this.kernelConstraint = kernelConstraint;
    this.biasConstraint = biasConstraint;
  }

  override build(inputShape: BatchShape): void {
    if (inputShape.length < 2)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(inputShape)}; expected [samples, ..., inputs].`,
      );
    const [inputs] = knownSizes(inputShape.slice(-1), this.name);
    this.kernel = this.addWeight('kernel', [inputs, this.units], this.kernelInitializer, {
      regularizer: this.kernelRegularizer,
      constraint: this.kernelConstraint,
    });
    if (this.useBias)
      this.bias = this.addWeight('bias', [this.units], this.biasInitializer, {
        regularizer: this.biasRegularizer,
        constraint: this.biasConstraint,
      });
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    if (inputShape.length < 2 || inputShape.at(-1) !== builtFor.at(-1))
      throw this.unfit(inputShape, [...inputShape.slice(0, -1), builtFor.at(-1) ?? null]);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units];
  }

  override get finalActivation(): string | null {
    return knownActivation(this.activation);
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

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: describeActivation(this.activation),
      useBias: this.useBias,
      kernelInitializer: describeInitializer(this.kernelInitializer),
      biasInitializer: describeInitializer(this.biasInitializer),
      kernelRegularizer: describeRule(this.kernelRegularizer),
      biasRegularizer: describeRule(this.biasRegularizer),
      kernelConstraint: describeRule(this.kernelConstraint),
      biasConstraint: describeRule(this.biasConstraint),
    };
  }
}

/** y = f(x · W + b). x: [..., in] → [..., units]; glorot uniform kernel, zero bias. */
export const dense = (units: number | DenseOptions, options?: Omit<DenseOptions, 'units'>): Dense =>
  new Dense(withMain<DenseOptions>('units', units, options));
