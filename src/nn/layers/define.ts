/** A layer from rows of options: `class Dense extends layerOf('Dense', { units: needed(wholeNumber), … })`. */
import { ConfigError } from '../../base/errors.ts';
import { type ActivationLike, describeActivation, resolveActivation } from '../activations.ts';
import { wholeNumber } from '../check.ts';
import { describeInitializer, type Initializer } from '../initializers/initializer.ts';
import { type InitializerLike, resolveInitializer } from '../initializers/resolve.ts';
import { describe, withMain } from '../names.ts';
import {
  configOf,
  type Given,
  option,
  orNull,
  type Row,
  type Rows,
  readRows,
  type Values,
} from '../options.ts';
import { resolveConstraint } from '../weights/constraints.ts';
import { resolveRegularizer } from '../weights/regularizers.ts';
import { describeRule, type WeightRule, type WeightRuleLike } from '../weights/rule.ts';
import { Layer, type LayerOptions, layerDefaults } from './layer.ts';

/** What a layer of these rows takes. */
export type OptionsOf<R extends Rows> = Given<R> & LayerOptions;

/** A class of layers with the options of `rows`, which are properties of each layer. */
export interface LayerClass<R extends Rows, Base extends Layer> {
  new (
    ...options: object extends Given<R> ? [options?: OptionsOf<R>] : [options: OptionsOf<R>]
  ): Base & Values<R>;
  readonly rows: Rows;
}

/**
 * The base class of a layer: its options are read and checked before anything is made, become properties, and make its
 * config.
 * @__NO_SIDE_EFFECTS__
 */
export function layerOf<R extends Rows, Base extends Layer = Layer>(
  className: string,
  rows: R,
  Parent = Layer as unknown as abstract new (
    options?: LayerOptions,
    className?: string,
  ) => Base,
): LayerClass<R, Base> {
  const operation = className.replace(/^./, (letter) => letter.toLowerCase());
  return class extends (Parent as unknown as typeof Layer) {
    static readonly rows = rows;

    constructor(options?: object) {
      const { values, rest } = readRows(operation, options, rows, layerDefaults);
      for (const [key, { layer }] of Object.entries(rows)) if (layer) Object.assign(rest, layer(values[key]));
      super(rest, className);
      Object.assign(this, values);
    }

    override getConfig(): Record<string, unknown> {
      return { ...super.getConfig(), ...configOf(rows, this) };
    }
  } as unknown as LayerClass<R, Base>;
}

type Maker = abstract new (...options: never) => Layer;
type OptionsFor<C extends Maker> = NonNullable<ConstructorParameters<C>[0]>;

/** A layer by function: its main option may stand alone in front, as in Keras. */
export const factory =
  <C extends Maker, Main extends keyof OptionsFor<C>>(Class: C, main: Main) =>
  (first: OptionsFor<C>[Main] | OptionsFor<C>, rest?: Omit<OptionsFor<C>, Main>): InstanceType<C> =>
    new (Class as unknown as new (options: object) => InstanceType<C>)(
      withMain<object>(main as never, first, rest),
    );

/** The same of two: `conv2d(32, 3, { activation: 'relu' })`. What comes second may stand in the options as well. */
export const factoryOfTwo =
  <C extends Maker, Main extends keyof OptionsFor<C>, Second extends keyof OptionsFor<C>>(
    Class: C,
    main: Main,
    second: Second,
  ): FactoryOfTwo<C, Main, Second> =>
  (first: unknown, then?: unknown, rest: object = {}) =>
    factory(Class, main)(
      first as never,
      (then === undefined || isOptions(then) ? then : { ...rest, [second]: then }) as never,
    );

const isOptions = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

export interface FactoryOfTwo<
  C extends Maker,
  Main extends keyof OptionsFor<C>,
  Second extends keyof OptionsFor<C>,
> {
  (
    first: NonNullable<OptionsFor<C>[Main]>,
    second: NonNullable<OptionsFor<C>[Second]>,
    rest?: Omit<OptionsFor<C>, Main | Second>,
  ): InstanceType<C>;
  (first: NonNullable<OptionsFor<C>[Main]>, rest: Omit<OptionsFor<C>, Main>): InstanceType<C>;
  (options: OptionsFor<C>): InstanceType<C>;
}

// ---- rows of several layers

/** A name, or a function of a tensor; default null: none. */
export const activationRow = option(null as ActivationLike, resolveActivation, describeActivation);

/** Keras's shorthand for the shape of one sample: 'input_dim' of the first layer. */
export const inputDimRow: Row<number | null> = {
  default: null,
  read: orNull(wholeNumber),
  config: () => undefined,
  layer: (inputDim) => (inputDim === null ? {} : { inputShape: [inputDim] }),
};

/** An option of Keras's that is not offered: null, its default, changes nothing. */
export const onlyNull: Row<null> = {
  default: null,
  read: (given, operation, name) => {
    if (given === null) return null;
    throw new ConfigError(`${operation}: ${name} is ${describe(given)}; only null is offered.`);
  },
  config: () => undefined,
};

/** How a weight starts: a name, an initializer, or a function of the shape. */
export const initializerRow = (otherwise: string): Row<InitializerLike, Initializer> =>
  option<InitializerLike, Initializer>(
    otherwise,
    (given, ...where) => resolveInitializer(given, where.join(': ')),
    describeInitializer,
  );

/** What an option named …Regularizer takes. */
export const regularizerRow = option<WeightRuleLike, WeightRule | null>(
  null,
  (given, ...where) => resolveRegularizer(given, where.join(': ')),
  describeRule,
);

/** What a layer's outputs add to the loss; default null: nothing, and then files do not speak of it. */
export const activityRow: Row<WeightRuleLike, WeightRule | null> = {
  ...regularizerRow,
  config: (rule) => (rule === null ? undefined : describeRule(rule)),
};

type WeightRows<W extends string> = {
  readonly [K in `${W}Initializer`]: Row<InitializerLike, Initializer>;
} & {
  readonly [K in `${W}Regularizer` | `${W}Constraint`]: Row<WeightRuleLike, WeightRule | null>;
};

/**
 * For each weight how it starts, what it adds to the loss and what each update makes of it, in Keras's order:
 * `{ kernel: 'glorotUniform' }` gives kernelInitializer, kernelRegularizer and kernelConstraint. `addWeight` of that name keeps to them.
 */
export function weightRows<W extends string>(weights: Readonly<Record<W, string>>): WeightRows<W> {
  const kinds = {
    Initializer: initializerRow,
    Regularizer: () => regularizerRow,
    Constraint: () =>
      option(null, (given, ...where) => resolveConstraint(given, where.join(': ')), describeRule),
  };
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, row]) =>
      Object.entries<string>(weights).map(([name, otherwise]) => [`${name}${kind}`, row(otherwise)]),
    ),
  ) as object as WeightRows<W>;
}
