/**
 * The inputs and outputs of a model: what each is called, and how values for them come: one alone, several as a list, or
 * as a record by their names.
 */
import { ConfigError, ValueError } from '../../base/errors.ts';
import { Tensor } from '../../ops/tensor.ts';
import { isGiven } from '../check.ts';
import type { BatchShape } from '../layers/layer.ts';
import { describe } from '../names.ts';
import { checkNames, isRecord } from '../training/by-output.ts';
import type { Part, Ports } from '../training/feed/samples.ts';

/** How values are given and taken: alone, as a list, or by these names. */
export type Form = 'one' | 'list' | readonly string[];

/** Inputs, or outputs. */
export interface Side {
  readonly form: Form;
  readonly names: readonly string[];
  /** Of each, as far as they are known. */
  readonly shapes: readonly (BatchShape | null)[];
}

/** What was returned or given, as a list, with its form. */
export function spread<T>(given: T | readonly T[] | Readonly<Record<string, T>>): {
  form: Form;
  all: readonly T[];
} {
  if (Array.isArray(given)) return { form: 'list', all: given };
  if (isRecord(given)) return { form: Object.keys(given), all: Object.values(given) as T[] };
  return { form: 'one', all: [given as T] };
}

/** A list in a form. */
export const packed = <T>(all: readonly T[], form: Form): T | readonly T[] | Record<string, T> =>
  form === 'one'
    ? all[0]
    : form === 'list'
      ? [...all]
      : Object.fromEntries(form.map((name, i) => [name, all[i]]));

/** Data for the sides of a model. Sides are asked for late: a model of one's own learns them from its first data. */
export class ModelPorts implements Ports {
  private readonly side: {
    inputs(x: unknown): Side;
    outputs(inputs: readonly Tensor[]): Side;
  };

  constructor(side: ModelPorts['side']) {
    this.side = side;
  }

  inputs(x: unknown, operation: string): readonly Part[] {
    const side = this.side.inputs(x);
    return this.parts(x, 'x', side, operation).map((part, i) => {
      if (part) return { ...part, shape: side.shapes[i] };
      throw new ValueError(`${operation}: x is missing for the input ${side.names[i]}.`);
    });
  }

  targets(
    { y, sampleWeight, classWeight }: Parameters<Ports['targets']>[0],
    inputs: readonly Tensor[],
    operation: string,
  ): readonly (readonly [Part | null, Part | null])[] {
    if (!isGiven(y)) return [[null, null]];
    const side = this.side.outputs(inputs);
    if (isGiven(classWeight) && side.names.length > 1)
      throw new ConfigError(
        `${operation}: classWeight is for models of one output; ${side.names.length} are there. Give sampleWeight for each.`,
      );
    const targets = this.parts(y, 'y', side, operation);
    const forAll = isRecord(sampleWeight) || isListOf(sampleWeight, side.names.length) ? null : sampleWeight;
    const weights = isGiven(forAll)
      ? targets.map(() => ({ name: 'sampleWeight', value: forAll }))
      : isGiven(sampleWeight)
        ? this.parts(sampleWeight, 'sampleWeight', side, operation)
        : [];
    return targets.map((target, i) => [target, (target && weights[i]) ?? null]);
  }

  /** The parts of a value, null for those that are not given. */
  private parts(given: unknown, argument: string, { form, names }: Side, operation: string): (Part | null)[] {
    const what = `${operation}: ${argument}`;
    const part = (value: unknown, name: string): Part | null =>
      isGiven(value) ? { name: `${argument}${name}`, value } : null;
    if (isRecord(given)) {
      checkNames(given, names, what);
      return names.map((name) => part(given[name], `.${name}`));
    }
    // A list of one is unpacked where it cannot be rows.
    if (names.length === 1)
      return [
        part(isListOf(given, 1) && (form !== 'one' || given[0] instanceof Tensor) ? given[0] : given, ''),
      ];
    if (!Array.isArray(given))
      throw new ConfigError(
        `${what} is ${describe(given)}; expected a list or a record for ${names.join(', ')}.`,
      );
    if (given.length !== names.length)
      throw new ConfigError(
        `${what} is a list of ${given.length}; expected ${names.length}, for ${names.join(', ')}.`,
      );
    return given.map((one, i) => part(one, `[${i}]`));
  }
}

/** Whether this is a list of so many arrays or tensors, rather than the rows of one. */
const isListOf = (given: unknown, count: number): given is readonly unknown[] =>
  Array.isArray(given) &&
  given.length === count &&
  given.every((one) => typeof one === 'object' || one === undefined);

/** The form in which x comes to a model of one's own: a list of tensors is several inputs, a list of anything else is rows. */
export const formOfData = (x: unknown): Form =>
  isRecord(x)
    ? Object.keys(x)
    : Array.isArray(x) && x.length > 0 && x.every((one) => one instanceof Tensor || isTable(one))
      ? 'list'
      : 'one';

const isTable = (one: unknown): boolean => typeof one === 'object' && one !== null && 'data' in one;
