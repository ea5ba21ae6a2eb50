/** Ops that make each element of their result from one element of every input; inputs broadcast. */
import type { Op } from './define.ts';
import { broadcastIndex, type Expressions } from './expression.ts';
import { broadcastShapes } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** The functions of shaders/lib/math.wgsl: a formula that calls one pulls in the library. */
const MATH =
  /\b(is_nan|opaque|max_nan|min_nan|exp_kept|log_kept|log1p|expm1|sigmoid|softplus|tanh_safe|floor_div_i32)\(/;

/** The library that a formula calls beside that one, by its name: a plan loads it. */
export const libraryOf = (formula: string): Op['library'] =>
  /\b(sin_kept|cos_kept|power|erf)\(/.test(formula) ? 'special' : undefined;

interface Pointwise extends Omit<Op, 'shape' | 'dtype' | 'expression' | 'pointwise'> {
  /** Default: that of the first input. */
  readonly dtype?: Op['dtype'];
  /** WGSL functions that f calls, beside those of the libraries. */
  readonly functions?: string;
  /** WGSL of an element of the result, in which x, y and z are the elements of the inputs. */
  f(inputs: readonly Tensor[], result: Tensor, e: Expressions): string;
}

export const pointwise = ({ f, functions, ...op }: Pointwise): Op => ({
  pointwise: true,
  shape: ([first, ...others]) => others.reduce((all, one) => broadcastShapes(all, one, op.name), first),
  dtype: ([first]) => first,
  expression(e, inputs, index, result) {
    const values = inputs.map((x) => e.value(x, broadcastIndex(e, index, result.shape, x.shape)));
    const text = f(inputs, result, e);
    if (MATH.test(text)) e.use('math');
    if (op.library) e.use(op.library);
    if (functions) e.use(functions);
    return e.name(text.replace(/\b[xyz]\b/g, (letter) => values['xyz'.indexOf(letter)]));
  },
  ...op,
});
