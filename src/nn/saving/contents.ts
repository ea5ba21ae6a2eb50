/** What all formats hold: gathered from a model before it is written, and put into one after it was read. */
import { FormatError, ShapeError } from '../../base/errors.ts';
import { assignAll } from '../../graph/variables.ts';
import { tensor } from '../../ops/constant.ts';
import { sameShape, show } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Model } from '../models/model.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { seedInUse } from '../seeds.ts';
import { objectAt } from './json.ts';
import { dropoutPlaces } from './places.ts';
import type { Values } from './values.ts';

/** What training goes on from and Keras has no place for: where our random numbers stand. */
export interface RandomState {
  readonly seed: number;
  /** Training calls of each dropout layer, by its path. */
  readonly dropout: Readonly<Record<string, number>>;
}

/** A model's numbers at one moment. */
export interface Contents {
  readonly model: Model;
  readonly weights: ReadonlyMap<Variable, Values>;
  /** In Keras's order; null where the model is not compiled. */
  readonly optimizer: { readonly of: Optimizer; readonly values: readonly Values[] } | null;
  readonly random: RandomState;
}

/** Reads everything off the GPU. */
export async function gather(model: Model, withOptimizer: boolean): Promise<Contents> {
  const read = async (one: Variable): Promise<Values> => ({
    shape: one.shape,
    data: (await one.data()) as Float32Array | Int32Array,
  });
  const optimizer = withOptimizer && model.compileOptions ? model.optimizer : null;
  const places = dropoutPlaces(model);
  const [weights, state, steps] = await Promise.all([
    Promise.all(model.weights.map(read)),
    Promise.all((optimizer ? storedVariables(optimizer) : []).map(read)),
    Promise.all(places.map(({ layer }) => layer.steps.item())),
  ]);
  const engine = model.weights.find((weight) => weight.engine)?.engine;
  return {
    model,
    weights: new Map(model.weights.map((weight, i) => [weight, weights[i]])),
    optimizer: optimizer && { of: optimizer, values: state },
    random: {
      seed: model.randomSeed ?? engine?.seed ?? seedInUse(),
      dropout: Object.fromEntries(places.map(({ path }, i) => [path, steps[i]])),
    },
  };
}

/** What a file has for a model, each value in the place where the model looks for it. */
export interface Found {
  readonly weights: readonly (readonly [Variable, Values])[];
  readonly optimizer: readonly Values[] | null;
  readonly random: RandomState | null;
}

/**
 * Puts it all into the model. Everything is checked before the first value changes.
 *
 * `strict`: an optimizer's state that does not fit is an error; otherwise it is left aside with a warning, as
 * Keras does.
 */
export async function restore(
  model: Model,
  found: Found,
  where: string,
  { strict }: { strict: boolean },
): Promise<void> {
  const assignments: [Variable, Tensor][] = found.weights.map(([weight, values]) => [
    weight,
    asTensor(values),
  ]);
  let optimizer = found.optimizer && model.compileOptions ? model.optimizer : null;
  const misfit = optimizer && whyNot(optimizer, found.optimizer!, model.trainableWeights);
  if (misfit) {
    if (strict) throw new ShapeError(`${where}: ${misfit}`);
    console.warn(`${where}: ${misfit} The optimizer starts anew.`);
    optimizer = null;
  }
  const drops = found.random ? dropoutPlaces(model) : [];
  for (const { layer, path } of drops) {
    const steps = found.random!.dropout[path];
    if (steps !== undefined) assignments.push([layer.steps, tensor(steps, { dtype: 'i32' })]);
  }
  if (found.random) setSeed(model, found.random.seed);
  await Promise.all([assignAll(assignments), optimizer?.setWeights(stateFor(optimizer, found.optimizer!))]);
}

const asTensor = ({ shape, data }: Values): Tensor =>
  tensor(data instanceof Float32Array ? data : Float32Array.from(data), { shape: [...shape] });

/** Where the learning rate is among an optimizer's variables. */
const RATE = 1;

/** An optimizer's state as Keras keeps it: under a schedule the learning rate is no part of it. */
export const storedVariables = ({ variables, learningRate }: Optimizer): Variable[] =>
  variables.filter((_, i) => i !== RATE || !Number.isNaN(learningRate));

/** Why an optimizer cannot take up a state, or null. */
function whyNot(
  optimizer: Optimizer,
  values: readonly Values[],
  trained: readonly Variable[],
): string | null {
  // One that has not trained yet has nothing beside the variables.
  if (values.length > storedVariables(optimizer).length) optimizer.build(trained);
  const variables = storedVariables(optimizer);
  if (values.length !== variables.length)
    return `optimizer ${optimizer.name} expects ${variables.length} variables; found ${values.length}.`;
  const i = variables.findIndex((one, j) => !sameShape(one.shape, values[j].shape));
  if (i < 0) return null;
  return `optimizer ${optimizer.name} expects ${variables[i].name} ${show(variables[i].shape)}; found ${show(values[i].shape)}.`;
}

/** Values for all of an optimizer's variables. */
function stateFor({ variables }: Optimizer, values: readonly Values[]): Tensor[] {
  const tensors = values.map(({ shape, data }) => tensor(data, { shape: [...shape] }));
  if (tensors.length < variables.length) tensors.splice(RATE, 0, tensor(Number.NaN));
  return tensors;
}

/** Random numbers of the model and the layers inside come from this seed from now on. */
function setSeed(layer: Layer, seed: number): void {
  layer.randomSeed = seed;
  for (const inner of layer.layers) setSeed(inner, seed);
}

// ---- the state as text

export const randomStateText = (state: RandomState): string => JSON.stringify({ format: 1, ...state });

/** The state from a file; FormatError for anything else. */
export function readRandomState(given: unknown, where: string): RandomState {
  const { seed, dropout } = objectAt(given, where);
  const counter = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!counter(seed)) throw new FormatError(`${where}: seed is ${String(seed)}; expected a whole number.`);
  const steps = Object.entries(objectAt(dropout ?? {}, where));
  for (const [path, count] of steps)
    if (!counter(count) || count >= 2 ** 31)
      throw new FormatError(`${where}: count of ${path} is ${String(count)}; expected a whole number.`);
  return { seed, dropout: Object.fromEntries(steps) as Record<string, number> };
}
