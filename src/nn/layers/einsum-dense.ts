import { ConfigError, ShapeError } from '../../base/errors.ts';
import { einsum } from '../../ops/einsum.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import { describe } from '../names.ts';
import { needed, option, orNull } from '../options.ts';
import { activationRow, activityRow, layerOf, type OptionsOf, weightRows } from './define.ts';
import { type BatchShape, type CallContext, knownSizes } from './layer.ts';

function text(given: unknown, operation: string, name: string): string {
  if (typeof given === 'string') return given.replaceAll(' ', '');
  throw new ConfigError(
    `${operation}: ${name} is ${describe(given)}; expected letters such as 'abc,cd->abd'.`,
  );
}

function outputSizes(given: unknown, operation: string, name: string): readonly (number | null)[] {
  const list = Array.isArray(given) ? given : [given];
  if (list.every((size) => size === null || (Number.isSafeInteger(size) && size > 0))) return list;
  throw new ConfigError(`${operation}: ${name} is ${describe(given)}; expected sizes such as [null, 64].`);
}

const rows = {
  /** Which axes are multiplied and summed, in the letters of einsum: 'abc,cd->abd'. */
  equation: needed<string>(text),
  /** Sizes of the result without the samples; null where they are those of the input. */
  outputShape: needed<number | readonly (number | null)[], readonly (number | null)[]>(outputSizes),
  /** Function of the outputs; default null: none. */
  activation: activationRow,
  /** The letters of the result along which a bias is added; default null: no bias. */
  biasAxes: option(null as string | null, orNull(text)),
  ...weightRows({ kernel: 'glorotUniform', bias: 'zeros' }),
  activityRegularizer: activityRow,
};

export type EinsumDenseOptions = OptionsOf<typeof rows>;

/** What an equation says of inputs with `rank` axes; `...` becomes letters that it does not use. */
function parsed(equation: string, rank: number, name: string) {
  const parts = /^(?<x>[A-Za-z]*(\.\.\.)?[A-Za-z]*),(?<w>[A-Za-z]+)->(?<y>[A-Za-z]*(\.\.\.)?[A-Za-z]*)$/.exec(
    equation,
  )?.groups;
  if (!parts || parts.x.includes('...') !== parts.y.includes('...'))
    throw new ConfigError(
      `${name}: equation is ${JSON.stringify(equation)}; expected 'input,kernel->output', such as 'abc,cd->abd'.`,
    );
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((letter) => !equation.includes(letter));
  const rest = parts.x.includes('...') ? rank - parts.x.length + 3 : 0;
  const filled = (letters: string): string => letters.replace('...', free.slice(0, rest).join(''));
  const [x, y] = [filled(parts.x), filled(parts.y)];
  if (rest < 0 || x.length !== rank)
    throw new ShapeError(`${name}: input has ${rank} axes; ${JSON.stringify(equation)} takes ${x.length}.`);
  return { x, w: parts.w, y };
}

/**
 * y = f(einsum(equation, x, W) + b)
 *
 * A product along any axes: 'abc,cd->abd' is that of a dense layer, 'abc,cde->abde' makes heads. The kernel has the sizes that
 * its letters have in the input and in outputShape. ShapeError for inputs that the equation does not take.
 */
export class EinsumDense extends layerOf('EinsumDense', rows) {
  kernel: Variable | null = null;
  bias: Variable | null = null;

  /** Sizes of the result, unknown ones as null. */
  private sizes(inputShape: BatchShape, x: string, y: string): (number | null)[] {
    const asked = [...this.outputShape];
    while (asked.length < y.length - 1) asked.unshift(null);
    return [...y].map((letter, i) => {
      const at = x.indexOf(letter);
      return (i > 0 ? asked[i - 1] : null) ?? (at < 0 ? null : inputShape[at]);
    });
  }

  override build(inputShape: BatchShape): void {
    const { x, w, y } = parsed(this.equation, inputShape.length, this.name);
    const sizes = this.sizes(inputShape, x, y);
    const sizeOf = (letter: string): number | null =>
      x.includes(letter)
        ? inputShape[x.indexOf(letter)]
        : y.includes(letter)
          ? sizes[y.indexOf(letter)]
          : null;
    this.kernel = this.addWeight('kernel', knownSizes([...w].map(sizeOf), this.name));
    if (this.biasAxes === null) return;
    const axes = [...this.biasAxes].map((letter) => y.indexOf(letter));
    if (axes.includes(-1) || axes.includes(0))
      throw new ConfigError(
        `${this.name}: biasAxes are '${this.biasAxes}'; expected letters of the result '${y}' behind the first.`,
      );
    const shape = [...y].map((_, i) => (axes.includes(i) ? sizes[i] : 1)).slice(Math.min(...axes));
    this.bias = this.addWeight('bias', knownSizes(shape, this.name));
  }

  protected override checkInput(inputShape: BatchShape, builtFor: BatchShape): void {
    const { x, w } = parsed(this.equation, inputShape.length, this.name);
    const built = parsed(this.equation, builtFor.length, this.name).x;
    for (const letter of w)
      if (x.includes(letter) && inputShape[x.indexOf(letter)] !== builtFor[built.indexOf(letter)])
        throw this.unfit(inputShape, builtFor);
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { x, y } = parsed(this.equation, inputShape.length, this.name);
    return this.sizes(inputShape, x, y);
  }

  override call(input: Tensor, _context: CallContext): Tensor {
    const { x, w, y } = parsed(this.equation, input.rank, this.name);
    const made = einsum(`${x},${w}->${y}`, input, this.kernel!);
    return this.activation.of(this.bias ? made.add(this.bias) : made);
  }
}

/** A product along any axes, such as einsumDense('abc,cd->abd', { outputShape: [null, 64], biasAxes: 'd' }). */
export const einsumDense = (
  equation: string | EinsumDenseOptions,
  options?: Omit<EinsumDenseOptions, 'equation'>,
): EinsumDense => new EinsumDense(typeof equation === 'string' ? { ...options!, equation } : equation);
