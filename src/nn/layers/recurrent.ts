/**
 * Recurrent layers: a state that goes from step to step of a sequence. A whole sequence is one product with the kernel and one
 * dispatch (ops/recurrence.ts); what the kernels of that do not know, other activations or very many units, is
 * composed step by step (recurrent-steps.ts), to the same numbers.
 */
import { ConfigError, ShapeError } from '../../base/errors.ts';
import { isSketching } from '../../graph/capture.ts';
import { flip } from '../../ops/arrange.ts';
import { add, mul } from '../../ops/binary.ts';
import { variable, zeros } from '../../ops/constant.ts';
import { matmul } from '../../ops/matmul.ts';
import { concat, reshape, slice, stack } from '../../ops/movement.ts';
import { uniform } from '../../ops/random.ts';
import {
  CELL_ACTIVATIONS,
  type Cell,
  type CellActivation,
  cells,
  hasRoom,
} from '../../ops/recurrence/cells.ts';
import { recurrence } from '../../ops/recurrence.ts';
import { cast, greaterEqual, where } from '../../ops/select.ts';
import { show } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import {
  type Activation,
  type ActivationLike,
  describeActivation,
  knownActivation,
  resolveActivation,
} from '../activations.ts';
import { between, flag, wholeNumber } from '../check.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { describe } from '../names.ts';
import { needed, option, type Values } from '../options.ts';
import { activationRow, activityRow, factory, layerOf, type OptionsOf, weightRows } from './define.ts';
import { Drawing, seedRow } from './drawing.ts';
import {
  type BatchShape,
  type CallContext,
  type InputShape,
  knownSizes,
  masking,
  showBatch,
} from './layer.ts';
import { carryMasks, type Masks } from './masks.ts';
import { stepwise } from './recurrent-steps.ts';
import { isList } from './symbolic.ts';

/** What says how a sequence is walked changes nothing here: it is read, and not kept. */
const accepted = <T>(values: readonly T[]) => ({
  ...option<T>(values[0], (given, operation, name) => {
    if (values.includes(given as T)) return given as T;
    throw new ConfigError(
      `${operation}: ${name} is ${describe(given)}; expected ${values.map((value) => describe(value)).join(' or ')}.`,
    );
  }),
  config: () => undefined,
});

const activationAs = (otherwise: string) =>
  option<ActivationLike, Activation>(
    otherwise,
    (given, ...where) => resolveActivation(given, where.join(': ')),
    describeActivation,
  );

const common = {
  /** Number of units: the length of the state. */
  units: needed<number>(wholeNumber),
  /** Of what is new in a state; default 'tanh'. */
  activation: { ...activationRow, default: 'tanh' as ActivationLike },
  /** Whether a bias is added; default true. */
  useBias: option(true, flag),
  ...weightRows({ kernel: 'glorotUniform', recurrent: 'orthogonal', bias: 'zeros' }),
  activityRegularizer: activityRow,
  /** Share of the inputs that is dropped in training, the same at all steps; default 0. */
  dropout: option(0, between(0, 1)),
  /** Share of the state that is dropped on its way into each gate, the same at all steps; default 0. */
  recurrentDropout: option(0, between(0, 1)),
  /** For what is dropped; default null: the engine's seed. */
  seed: seedRow,
  /** Whether the state of every step comes out, or that of the last; default false. */
  returnSequences: option(false, flag),
  /** Whether the last state comes out as well: [output, h], of an LSTM [output, h, c]. Default false. */
  returnState: option(false, flag),
  /** Whether the sequence is walked from its end; what comes out begins with that. Default false. */
  goBackwards: option(false, flag),
  /** Whether each batch begins where the one before it ended, sample by sample; see resetStates. Default false. */
  stateful: option(false, flag),
  /** Accepted: a sequence is one dispatch either way. */
  unroll: option(false, flag),
  /** Whether a masked step gives zeros rather than the state so far; default false. */
  zeroOutputForMask: option(false, flag),
  /** Accepted: there is one implementation. */
  useCudnn: accepted<unknown>(['auto', true, false]),
  /** Accepted, as useCudnn. */
  implementation: accepted<unknown>([2, 1, 0]),
};

const gated = {
  ...common,
  /** Of the gates; default 'sigmoid'. */
  recurrentActivation: activationAs('sigmoid'),
};

/** The shape of the sequence, and those of initial states. */
const apart = (shape: InputShape): readonly BatchShape[] => (isList(shape) ? shape : [shape]);

/** What all recurrent layers do; a subclass says which cell it walks. */
abstract class Recurrent extends Drawing {
  declare readonly units: number;
  declare readonly activation: Activation;
  declare readonly useBias: boolean;
  declare readonly recurrentInitializer: Initializer;
  declare readonly biasInitializer: Initializer;
  declare readonly dropout: number;
  declare readonly recurrentDropout: number;
  declare readonly seed: number | null;
  declare readonly returnSequences: boolean;
  declare readonly returnState: boolean;
  declare readonly goBackwards: boolean;
  declare readonly stateful: boolean;
  declare readonly zeroOutputForMask: boolean;
  declare readonly recurrentRegularizer: Values<typeof common>['recurrentRegularizer'];
  declare readonly recurrentConstraint: Values<typeof common>['recurrentConstraint'];

  kernel: Variable | null = null;
  recurrentKernel: Variable | null = null;
  bias: Variable | null = null;
  /** Where a stateful layer is: [samples, units] for each part of the state; none before its first batch. */
  memory: Variable[] = [];

  protected abstract get cell(): Cell;

  /** The activation of the gates. */
  protected abstract get ofGates(): Activation;

  /** Files keep weights as those of the cell. */
  override readonly weightsIn = 'cell';

  /** Tensors of the state. */
  private get parts(): number {
    return cells[this.cell].states;
  }

  override build(inputShape: InputShape): void {
    const [shape, ...states] = apart(inputShape);
    if (shape.length !== 3)
      throw new ShapeError(
        `${this.name}: input has shape ${showBatch(shape)}; expected [samples, steps, features].`,
      );
    this.checkStates(states);
    carryMasks();
    const [features] = knownSizes(shape.slice(-1), this.name);
    const width = cells[this.cell].gates * this.units;
    this.kernel = this.addWeight('kernel', [features, width]);
    this.recurrentKernel = this.addWeight(
      'recurrent_kernel',
      [this.units, width],
      this.recurrentInitializer,
      {
        regularizer: this.recurrentRegularizer,
        constraint: this.recurrentConstraint,
      },
    );
    if (this.useBias) this.bias = this.addBias(width);
    if (this.stateful && typeof shape[0] === 'number') this.remember(shape[0]);
  }

  protected addBias(width: number): Variable {
    return this.addWeight('bias', [width]);
  }

  private checkStates(shapes: readonly BatchShape[]): void {
    if (shapes.length === 0) return;
    if (shapes.length !== this.parts || shapes.some((shape) => shape.length !== 2 || shape[1] !== this.units))
      throw new ShapeError(
        `${this.name}: initial states have shapes ${shapes.map(showBatch).join(', ')}; expected ${this.parts} of [samples, ${this.units}].`,
      );
  }

  protected override checkInput(inputShape: InputShape, builtFor: InputShape): void {
    const [shape, ...states] = apart(inputShape);
    const [built] = apart(builtFor);
    if (shape.length !== 3 || shape[2] !== built[2]) throw this.unfit(shape, [null, null, built[2]]);
    this.checkStates(states);
  }

  override computeOutputShape(inputShape: InputShape): BatchShape {
    const [[samples, steps]] = apart(inputShape);
    const output = this.returnSequences ? [samples, steps, this.units] : [samples, this.units];
    if (!this.returnState) return output;
    const states = Array.from({ length: this.parts }, () => [samples, this.units]);
    return [output, ...states] as object as BatchShape;
  }

  override computeMask(_x: unknown, mask: Masks): Masks {
    const first = [mask].flat()[0] as Tensor | null;
    const own = this.returnSequences ? first : null;
    return this.returnState ? [own, ...Array(this.parts).fill(null)] : own;
  }

  /** Forgets where it is: the next batch begins with zeros. Resolves when that has happened. */
  async resetStates(): Promise<void> {
    await Promise.all(this.memory.map((one) => one.assign(zeros(one.shape))));
  }

  /** Keras 3's name for resetStates. */
  resetState(): Promise<void> {
    return this.resetStates();
  }

  private remember(samples: number): void {
    this.memory = Array.from({ length: this.parts }, () =>
      variable(new Float32Array(samples * this.units), {
        shape: [samples, this.units],
        name: 'rnn_state',
        trainable: false,
      }),
    );
  }

  /** The state to begin with: what is given, what is remembered, or null for zeros. */
  private begin(samples: number, given: readonly Tensor[]): Tensor | null {
    let parts = given;
    // A sketch is of as many samples as it likes.
    if (parts.length === 0 && this.stateful && !isSketching()) {
      if (this.memory.length === 0) this.remember(samples);
      const [size] = this.memory[0].shape;
      if (size !== samples)
        throw new ShapeError(
          `${this.name}: a batch of ${samples} came to a stateful layer whose state is that of ${size} samples. Give batches of ${size}; of data, a multiple of it.`,
        );
      parts = this.memory;
    }
    if (parts.length === 0) return null;
    this.checkStates(parts.map(({ shape }) => shape));
    if (parts.some(({ shape }) => shape[0] !== samples))
      throw new ShapeError(
        `${this.name}: initial states of shape ${show(parts[0].shape)} came with ${samples} samples.`,
      );
    return parts.length === 1 ? reshape(parts[0], [1, ...parts[0].shape]) : stack(parts);
  }

  /** 0 for what is dropped, 1 / (1 − rate) elsewhere. */
  private dropped(rate: number, samples: number, copies: number, size: number): Tensor {
    const drawn = this.drawn(uniform, [samples, copies, size], this.seed);
    return where(greaterEqual(drawn, rate), rate < 1 ? 1 / (1 - rate) : 0, 0);
  }

  /** x · W + b of all steps; with masks for each gate, gate by gate. */
  private projected(x: Tensor, drop: Tensor | null, bias: Tensor | null): Tensor {
    const [samples, steps, features] = x.shape;
    const { gates } = cells[this.cell];
    const storage = this.dtype === 'mixed_float16' ? 'f16' : 'f32';
    const product = (input: Tensor, kernel: Tensor): Tensor =>
      matmul(reshape(input, [samples * steps, features]), kernel, { storage });
    const copies = drop?.shape[1] ?? 1;
    const of = (copy: number): Tensor =>
      drop ? mul(x, slice(drop, [0, copy, 0], [samples, 1, features])) : x;
    const kernel = this.kernel!;
    const flat =
      copies === 1
        ? product(of(0), kernel)
        : concat(
            Array.from({ length: gates }, (_, g) =>
              product(of(g), slice(kernel, [0, g * this.units], [features, this.units])),
            ),
            1,
          );
    return reshape(bias ? add(flat, bias) : flat, [samples, steps, gates * this.units]);
  }

  /** The bias of the inputs, and, in a GRU, that of the state. */
  protected get biases(): readonly [Tensor | null, Tensor | null] {
    return [this.bias, null];
  }

  override call(given: Tensor | readonly Tensor[], context: CallContext): Tensor {
    const listed = Array.isArray(given);
    const came = cast(listed ? given[0] : (given as Tensor), 'f32');
    const states = listed ? given.slice(1) : (context.initialState ?? []);
    const [samples, steps, features] = came.shape;
    if (steps === 0) throw new ShapeError(`${this.name}: a sequence has no steps.`);
    const mask = context.mask ?? masking.of(listed ? given[0] : (given as Tensor));
    if (mask && (mask.rank !== 2 || mask.shape[0] !== samples || mask.shape[1] !== steps))
      throw new ShapeError(
        `${this.name}: a mask of shape ${show(mask.shape)} came with an input of shape ${show(came.shape)}; expected [${samples}, ${steps}].`,
      );
    const inOrder = (x: Tensor): Tensor => (this.goBackwards ? flip(x, 1) : x);
    const x = inOrder(came);
    const on = mask && inOrder(cast(mask, 'i32'));

    const { gates } = cells[this.cell];
    const training = context.training;
    const isDropped = training && this.recurrentDropout > 0;
    const copies = isDropped && gates > 1 ? gates : 1;
    const dropInput =
      training && this.dropout > 0 ? this.dropped(this.dropout, samples, copies, features) : null;
    const drop = isDropped ? this.dropped(this.recurrentDropout, samples, copies, this.units) : null;
    const [inputBias, stateBias] = this.biases;
    const state = this.begin(samples, states);
    const { cell } = this;
    const known = (activation: Activation): activation is Activation & { name: CellActivation } =>
      (CELL_ACTIVATIONS as readonly (string | null)[]).includes(knownActivation(activation));
    const { activation, ofGates: recurrentActivation } = this;
    const projected = this.projected(x, dropInput, inputBias);
    const rest = { cell, bias: stateBias, state, on, drop };
    const all =
      known(activation) && known(recurrentActivation) && hasRoom(cell, this.units, copies)
        ? recurrence(projected, this.recurrentKernel!, {
            ...rest,
            activation: activation.name,
            recurrentActivation: recurrentActivation.name,
          })
        : stepwise(projected, this.recurrentKernel!, {
            ...rest,
            activation: activation.of,
            recurrentActivation: recurrentActivation.of,
          });

    const at = (step: number): Tensor =>
      reshape(slice(all, [0, step, 0], [samples, 1, this.units]), [samples, this.units]);
    const last = [at(steps - 1), ...(this.parts > 1 ? [at(steps)] : [])];
    if (this.stateful && !isSketching()) this.memory.forEach((one, i) => void one.assign(last[i]));
    let output = last[0];
    if (this.returnSequences)
      output = this.parts > 1 ? slice(all, [0, 0, 0], [samples, steps, this.units]) : all;
    if (on && this.zeroOutputForMask) {
      const counts = this.returnSequences
        ? reshape(on, [samples, steps, 1])
        : slice(on, [0, steps - 1], [samples, 1]);
      output = where(cast(counts, 'bool'), output, 0);
    }
    return (this.returnState ? [output, ...last] : output) as Tensor;
  }
}

export type SimpleRNNOptions = OptionsOf<typeof common>;

/**
 * h' = a(x · W + h · U + b), from step to step (Elman 1990).
 *
 * x: [samples, steps, features] → the last h, [samples, units], or with returnSequences all of them,
 * [samples, steps, units]. W glorot uniform, U orthogonal, b zeros. ShapeError for other inputs, masks and states.
 */
export class SimpleRNN extends layerOf('SimpleRNN', common, Recurrent) {
  protected get cell(): Cell {
    return 'simple';
  }

  protected get ofGates(): Activation {
    return this.activation;
  }
}

const lstmRows = {
  ...gated,
  /** Whether the forget gate's bias begins at 1 (Jozefowicz et al. 2015); default true. */
  unitForgetBias: option(true, flag),
};

export type LSTMOptions = OptionsOf<typeof lstmRows>;

/**
 * i, f, o = s(x · W + h · U + b), c' = f c + i a(x · W + h · U + b), h' = o a(c') (Hochreiter and Schmidhuber 1997)
 *
 * x: [samples, steps, features] → as of simpleRNN. Kernels have the gates side by side in the order i, f, c, o.
 */
export class LSTM extends layerOf('LSTM', lstmRows, Recurrent) {
  protected get cell(): Cell {
    return 'lstm';
  }

  protected get ofGates(): Activation {
    return this.recurrentActivation;
  }

  protected override addBias(width: number): Variable {
    if (!this.unitForgetBias) return super.addBias(width);
    const { units } = this;
    // Of the same numbers as Keras's: zeros, ones, zeros by default.
    const start = (shape: readonly number[]): Float32Array => {
      const values = this.biasInitializer.values(
        shape,
        this.place ?? undefined,
        2,
        this.randomSeed ?? undefined,
      );
      return values.fill(1, units, 2 * units);
    };
    return this.addWeight('bias', [width], start);
  }
}

const gruRows = {
  ...gated,
  /** Whether the reset gate takes hold after the product with the state, as cuDNN has it, or before; default true. */
  resetAfter: option(true, flag),
};

export type GRUOptions = OptionsOf<typeof gruRows>;

/**
 * z, r = s(x · W + h · U + b), n = a(x · W + r (h · U + b)), h' = z h + (1 − z) n (Cho et al. 2014)
 *
 * x: [samples, steps, features] → as of simpleRNN. Kernels have the gates side by side in the order z, r, h; the bias is
 * [2, 3 · units], of the inputs and of the state. With resetAfter: false n = a(x · W + (r h) · U + b), bias [3 · units].
 */
export class GRU extends layerOf('GRU', gruRows, Recurrent) {
  protected get cell(): Cell {
    return this.resetAfter ? 'gru' : 'gruResetBefore';
  }

  protected get ofGates(): Activation {
    return this.recurrentActivation;
  }

  protected override addBias(width: number): Variable {
    return this.resetAfter ? this.addWeight('bias', [2, width]) : super.addBias(width);
  }

  protected override get biases(): readonly [Tensor | null, Tensor | null] {
    const { bias } = this;
    if (!bias || !this.resetAfter) return [bias, null];
    const width = bias.shape[1];
    const row = (i: number): Tensor => reshape(slice(bias, [i, 0], [1, width]), [width]);
    return [row(0), row(1)];
  }
}

/** A state that each step makes anew: h' = a(x · W + h · U + b). x: [samples, steps, features] → [samples, units]. */
export const simpleRNN = factory(SimpleRNN, 'units');
/** A long short-term memory. x: [samples, steps, features] → [samples, units]. */
export const lstm = factory(LSTM, 'units');
/** A gated recurrent unit. x: [samples, steps, features] → [samples, units]. */
export const gru = factory(GRU, 'units');
