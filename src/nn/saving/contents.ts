/** What all formats hold: gathered from a model before it is written, and put into one after it was read. */
import { FormatError, ShapeError } from '../../base/errors.ts';
import { assignAll } from '../../graph/variables.ts';
import { tensor } from '../../ops/constant.ts';
import { sameShape, show } from '../../ops/shape.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { Layer } from '../layers/layer.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { seedInUse } from '../seeds.ts';
import type { Trainable } from '../training/trainable.ts';
import { listAt, objectAt, textAt } from './json.ts';
import { statePlaces, unique, weightPaths } from './places.ts';
import type { Values } from './values.ts';

/** What training goes on from and Keras has no place for. */
export interface SavedState {
  /** Where our random numbers come from. */
  readonly seed: number;
  /** What layers count, such as dropout its training calls, by the layer's path. */
  readonly dropout: Readonly<Record<string, number>>;
  /** Of those in models inside, which may have been made before: seed and place, by path. */
  readonly inner?: Readonly<Record<string, readonly [number, number]>>;
  /** Passes over training data, where there were some. */
  readonly passes?: number;
  /** Whose state the optimizer's is: its class, and the weights in the order of their slots, by their paths. */
  readonly optimizer?: { readonly className: string; readonly of: readonly string[] };
}

/** An optimizer's numbers. */
interface OptimizerState {
  /** In Keras's order, for the weights that are trained now: as many as Keras looks for. */
  readonly values: readonly Values[];
  /** What is kept beside weights that were trained before and are frozen now, by their paths. */
  readonly aside: ReadonlyMap<string, readonly Values[]>;
}

/** A model's numbers at one moment. */
export interface Contents {
  readonly model: Trainable;
  readonly weights: ReadonlyMap<Variable, Values>;
  /** Null where the model is not compiled. */
  readonly optimizer: (OptimizerState & { readonly of: Optimizer }) | null;
  readonly state: SavedState;
}

const read = async (one: Variable): Promise<Values> => ({
  shape: one.shape,
  data: (await one.data()) as Float32Array | Int32Array,
});

/** Reads everything off the GPU. */
export async function gather(model: Trainable, withOptimizer: boolean): Promise<Contents> {
  const optimizer = withOptimizer && model.compileOptions ? model.optimizer : null;
  const states = statePlaces(model);
  const paths = weightPaths(model);
  const trained = optimizer?.built ? [...new Set(model.trainableWeights)] : [];
  const [weights, optimizerState, counts] = await Promise.all([
    Promise.all(model.weights.map(read)),
    optimizer && gatherOptimizer(optimizer, trained, paths),
    Promise.all(states.map(({ state }) => state.item())),
  ]);
  // Those of a layer right in a Sequential follow from where it stands, unless it was made elsewhere.
  const follows = ({ place, randomSeed }: Layer, index: number): boolean =>
    place === index + 1 && randomSeed === model.seed;
  const inner = states.filter(
    ({ layer }) => layer.place !== null && !follows(layer, model.layers.indexOf(layer)),
  );
  return {
    model,
    weights: new Map(model.weights.map((weight, i) => [weight, weights[i]])),
    optimizer: optimizer && { of: optimizer, ...optimizerState! },
    state: {
      seed: model.seed,
      dropout: Object.fromEntries(states.map(({ path }, i) => [path, counts[i]])),
      ...(inner.length > 0 && {
        inner: Object.fromEntries(
          inner.map(({ layer, path }) => [path, [layer.randomSeed ?? seedInUse(), layer.place!] as const]),
        ),
      }),
      ...(model.passes > 0 && { passes: model.passes }),
      ...(optimizer && {
        optimizer: { className: optimizer.className, of: trained.map((one) => paths.get(one)!) },
      }),
    },
  };
}

async function gatherOptimizer(
  optimizer: Optimizer,
  trained: readonly Variable[],
  paths: ReadonlyMap<Variable, string>,
): Promise<OptimizerState> {
  const slots = (one: Variable): Promise<Values[]> => Promise.all(optimizer.slotsBeside(one).map(read));
  const frozen = [...paths.keys()].filter(
    (one) => optimizer.slotsBeside(one).length > 0 && !trained.includes(one),
  );
  const [head, further, beside, aside] = await Promise.all([
    Promise.all(headOf(optimizer).map(read)),
    Promise.all(optimizer.further.map(read)),
    // What was not trained yet will begin so.
    Promise.all(
      trained.map((one) =>
        optimizer.slotsBeside(one).length > 0 ? slots(one) : slotsAtStart(optimizer, one),
      ),
    ),
    Promise.all(frozen.map(async (one) => [paths.get(one)!, await slots(one)] as const)),
  ]);
  return { values: [...head, ...optimizer.inOrder(beside), ...further], aside: new Map(aside) };
}

const slotsAtStart = (optimizer: Optimizer, one: Variable): Values[] =>
  optimizer.slotsAtStart(one).map((data) => ({ shape: one.shape, data }));

/** An optimizer's own variables as Keras keeps them: under a schedule the learning rate is no part of it. */
const headOf = ({ variables, learningRate }: Optimizer): Variable[] =>
  variables.slice(0, Number.isNaN(learningRate) ? 1 : 2);

/** Names for what `gatherOptimizer` gathered, as Keras makes them: 'adam/kernel_momentum'. */
export function optimizerNames({ model, optimizer, state }: Contents): string[] {
  const { of, values } = optimizer!;
  const byPath = new Map([...weightPaths(model)].map(([weight, path]) => [path, weight]));
  const slots = state.optimizer!.of.map((path) =>
    of.slotsFor(byPath.get(path)!).map((slot) => `${byPath.get(path)!.name}_${slot}`),
  );
  const names = [
    ...headOf(of).map(({ name }) => name),
    ...of.inOrder(slots),
    ...of.further.map(({ name }) => name),
  ];
  return unique(names.slice(0, values.length).map((name) => `${of.name}/${name}`));
}

/** What a file has for a model, each value in the place where the model looks for it. */
export interface Found {
  readonly weights: readonly (readonly [Variable, Values])[];
  readonly optimizer: OptimizerState | null;
  readonly state: SavedState | null;
}

/**
 * Puts it all into the model. Everything is checked before the first value changes.
 *
 * An optimizer's state that does not fit is left aside with a warning, as Keras does. `strict`: where the file says
 * whose state it is, that is an error.
 */
export async function restore(
  model: Trainable,
  found: Found,
  where: string,
  { strict }: { strict: boolean },
): Promise<void> {
  const assignments: [Variable, Tensor][] = found.weights.map(([weight, values]) => [
    weight,
    asTensor(values),
  ]);
  const optimizer = found.optimizer && model.compileOptions ? model.optimizer : null;
  let state: Map<Variable, Values> | null = null;
  if (optimizer) {
    const fitted = fitState(model, optimizer, found);
    if (typeof fitted !== 'string') state = fitted;
    else if (strict && found.state?.optimizer) throw new ShapeError(`${where}: ${fitted}`);
    else console.warn(`${where}: ${fitted} The optimizer's state in the file is left aside.`);
  }
  const states = found.state ? statePlaces(model) : [];
  for (const { state: counter, path } of states) {
    const count = found.state!.dropout[path];
    if (count !== undefined) assignments.push([counter, tensor(count, { dtype: 'i32' })]);
  }
  if (found.state) {
    const { seed, inner = {}, passes = 0 } = found.state;
    setSeed(model, seed);
    model.passes = passes;
    for (const { layer, path } of states) if (path in inner) [layer.randomSeed, layer.place] = inner[path];
  }
  const tensors = state && [...state].map(([one, values]) => [one, asState(values)] as const);
  await Promise.all([assignAll(assignments), tensors && optimizer!.setState(new Map(tensors))]);
}

const asTensor = ({ shape, data }: Values): Tensor =>
  tensor(data instanceof Float32Array ? data : Float32Array.from(data), { shape: [...shape] });

const asState = ({ shape, data }: Values): Tensor => tensor(data, { shape: [...shape] });

/**
 * The values of an optimizer's variables, or why they do not fit. Slots belong to the weights that the file names; where
 * it is Keras's and names none, to those that are trained now, or to all that ever could be.
 */
function fitState(model: Trainable, optimizer: Optimizer, found: Found): Map<Variable, Values> | string {
  const { values, aside } = found.optimizer!;
  const paths = weightPaths(model);
  const weights = [...paths.keys()];
  const head = headOf(optimizer);
  const fits = (those: readonly Variable[]): boolean => {
    const shapes = [
      ...head.map(({ shape }) => shape),
      ...optimizer.inOrder(those.map((one) => optimizer.slotsFor(one).map(() => one.shape))),
      ...optimizer.further.map(({ shape }) => shape),
    ];
    return shapes.length === values.length && shapes.every((shape, i) => sameShape(shape, values[i].shape));
  };
  const named = found.state?.optimizer;
  if (named && named.className !== optimizer.className)
    return `the state is that of ${named.className}; the model's optimizer is ${optimizer.className}.`;
  const byPath = new Map([...paths].map(([weight, path]) => [path, weight]));
  const stranger = named?.of.find((path) => !byPath.has(path));
  if (stranger !== undefined) return `the state is that of a model with a weight at ${stranger}.`;
  const candidates = named
    ? [named.of.map((path) => byPath.get(path)!)]
    : [[], [...new Set(model.trainableWeights)], weights.filter(({ trainable }) => trainable)];
  const owners = candidates.find(fits);
  if (!owners) {
    const count =
      head.length +
      model.trainableWeights.flatMap((one) => optimizer.slotsFor(one)).length +
      optimizer.further.length;
    return values.length === count
      ? `optimizer ${optimizer.name} expects other shapes; found ${values.map(({ shape }) => show(shape)).join(', ')}.`
      : `optimizer ${optimizer.name} expects ${count} variables; found ${values.length}.`;
  }
  const late = weights.filter((one) => aside.has(paths.get(one)!));
  optimizer.build([...owners, ...late]);
  // What the file does not know of is as it was in the beginning.
  const all = new Map(
    weights.map((one) => [one, slotsAtStart(optimizer, one).slice(0, optimizer.slotsBeside(one).length)]),
  );
  for (const one of late) {
    const slots = aside.get(paths.get(one)!)!;
    const expected = optimizer.slotsBeside(one);
    if (slots.length !== expected.length || slots.some(({ shape }) => !sameShape(shape, one.shape)))
      return `optimizer ${optimizer.name} expects ${expected.length} slots ${show(one.shape)} for ${one.name}; found others.`;
    all.set(one, [...slots]);
  }
  const state = new Map<Variable, Values>();
  for (const [one, slots] of all)
    optimizer.slotsBeside(one).forEach((slot, i) => {
      state.set(slot, slots[i]);
    });
  const own = [
    ...head,
    ...optimizer.inOrder(owners.map((one) => optimizer.slotsBeside(one))),
    ...optimizer.further,
  ];
  own.forEach((one, i) => {
    state.set(one, values[i]);
  });
  return state;
}

/** Random numbers of the model and the layers inside come from this seed from now on. */
function setSeed(layer: Layer, seed: number): void {
  layer.randomSeed = seed;
  for (const inner of layer.layers) setSeed(inner, seed);
}

// ---- the state as text

export const stateText = (state: SavedState): string => JSON.stringify({ format: 1, ...state });

/** The state from a file; FormatError for anything else. */
export function readState(given: unknown, where: string): SavedState {
  const { seed, dropout, inner, passes, optimizer } = objectAt(given, where);
  const counter = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!counter(seed)) throw new FormatError(`${where}: seed is ${String(seed)}; expected a whole number.`);
  const steps = Object.entries(objectAt(dropout ?? {}, where));
  for (const [path, count] of steps)
    if (!counter(count) || count >= 2 ** 31)
      throw new FormatError(`${where}: count of ${path} is ${String(count)}; expected a whole number.`);
  if (passes !== undefined && !counter(passes))
    throw new FormatError(`${where}: passes is ${String(passes)}; expected a whole number.`);
  const places = Object.entries(objectAt(inner ?? {}, where));
  for (const [path, pair] of places)
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(counter))
      throw new FormatError(`${where}: the random numbers of ${path} are not two whole numbers.`);
  const state = {
    seed,
    dropout: Object.fromEntries(steps) as Record<string, number>,
    inner: Object.fromEntries(places) as Record<string, [number, number]>,
    passes,
  };
  if (optimizer === undefined) return state;
  const { className, of } = objectAt(optimizer, `${where}, optimizer`);
  const paths = listAt(of, `${where}, optimizer.of`).map((path) => textAt(path, `${where}, optimizer.of`));
  if (new Set(paths).size < paths.length)
    throw new FormatError(`${where}, optimizer.of: a weight is there twice.`);
  return {
    ...state,
    optimizer: { className: textAt(className, `${where}, optimizer.className`), of: paths },
  };
}
