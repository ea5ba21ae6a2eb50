/** Activation functions: a row each, with Keras's constants. */
import { ConfigError } from '../base/errors.ts';
import { add, div, mul } from '../ops/binary.ts';
import * as select from '../ops/select.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import type { Tensor } from '../ops/tensor.ts';
import * as unary from '../ops/unary.ts';
import { tensorFrom } from './check.ts';
import { describe, Names } from './names.ts';

type ActivationFunction = (x: Tensor) => Tensor;

/** Leak of the function 'leakyRelu' (the layer of that name has 0.3). */
const LEAK = 0.2;

/** clip(x / 6 + 1/2, 0, 1) */
const hardSigmoid = (x: Tensor): Tensor => select.clip(add(div(x, 6), 0.5), 0, 1);

const table = {
  /** x */
  linear: (x) => x,
  /** max(x, 0) */
  relu: unary.relu,
  /** min(max(x, 0), 6) */
  relu6: unary.relu6,
  /** x above 0, 0.2 x below */
  leakyRelu: (x) => select.where(select.greater(x, 0), x, mul(x, LEAK)),
  elu: unary.elu,
  selu: unary.selu,
  sigmoid: unary.sigmoid,
  logSigmoid: unary.logSigmoid,
  /** As in Keras 3; Keras 2 and TensorFlow.js have x / 5 + 1/2. */
  hardSigmoid,
  tanh: unary.tanh,
  hardTanh: (x) => select.clip(x, -1, 1),
  softplus: unary.softplus,
  softsign: unary.softsign,
  /** Over the last axis. */
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
  /** x · sigmoid(x), also called swish */
  silu: (x) => mul(x, unary.sigmoid(x)),
  /** x · clip(x / 6 + 1/2, 0, 1) */
  hardSilu: (x) => mul(x, hardSigmoid(x)),
  /** x · Φ(x), with the normal distribution function itself and no approximation */
  gelu: (x) => mul(mul(x, 0.5), add(unary.erf(mul(x, Math.SQRT1_2)), 1)),
  /** x · tanh(softplus(x)) */
  mish: (x) => mul(x, unary.tanh(unary.softplus(x))),
  exponential: unary.exp,
} satisfies Record<string, ActivationFunction>;

type ActivationName = keyof typeof table;

/** A named function of a tensor. */
export interface Activation {
  readonly name: string;
  readonly of: ActivationFunction;
  /** The function, where it is the user's: it may be called like one of ours and is another. */
  readonly own?: ActivationFunction;
}

/** What makes such an activation again: its name, or the user's function. */
export const describeActivation = ({ name, own }: Activation): string | ActivationFunction => own ?? name;

/** The activation that a loss may know by its name; null for the user's own. */
export const knownActivation = ({ name, own }: Activation): string | null => (own ? null : name);

const rows = Object.fromEntries(
  Object.entries(table).map(([name, of]) => [name, { name, of } satisfies Activation]),
) as Record<ActivationName, Activation>;

const names = new Names<Activation>('activation', rows, {
  swish: 'silu',
  hardSwish: 'hardSilu',
  exp: 'exponential',
});

/** What a layer takes for an activation: a name, null for none, or a function of a tensor. */
export type ActivationLike = string | null | undefined | ActivationFunction;

/** The activation that an argument means. */
export function resolveActivation(given: unknown, operation: string): Activation {
  if (given === null || given === undefined) return rows.linear;
  if (typeof given === 'string') return names.get(given, operation);
  if (typeof given === 'function') {
    const ours = Object.values<Activation>(rows).find(({ of }) => of === given);
    if (ours) return ours;
    const own = given as ActivationFunction;
    const name = own.name || 'custom';
    return { name, of: (x) => tensorFrom(own(x), `${operation}: activation ${name}`), own };
  }
  throw new ConfigError(
    `${operation}: activation is ${describe(given)}; expected a name, null or a function.`,
  );
}

/** The functions themselves: `activations.gelu(x)`. */
export const activations: Readonly<Record<ActivationName, ActivationFunction>> = table;
