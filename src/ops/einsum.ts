/** Products of tensors along named axes. Each becomes matrix products, with the axes in the order that these want. */
import { ConfigError, ShapeError } from '../base/errors.ts';
import { mul } from './binary.ts';
import { type TensorLike, toTensor } from './constant.ts';
import { diagonalOf } from './create.ts';
import type { Case, Composite } from './define.ts';
import { matmul } from './matmul.ts';
import { reshape, transpose } from './movement.ts';
import { sum } from './reduce.ts';
import { at, build, type NdArray } from './reference.ts';
import { normalizeAxis, type Shape, show, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * Σ a · b over pairs of axes: the last `axes` of a with the first of b, or those that two lists name.
 *
 * a, b → the other axes of a, then those of b. Throws ShapeError when paired axes differ in size.
 *
 * ```ts
 * tensordot(a, b, 1)                  // for matrices their product
 * tensordot(a, b, [[0, 2], [1, 0]])   // Σᵢⱼ a[i, m, j] b[j, i, n] → [m, n]
 * ```
 */
export function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly [number | readonly number[], number | readonly number[]] = 2,
): Tensor {
  const [x, y] = [toTensor(a), toTensor(b)];
  const pairs = typeof axes === 'number' ? counted(x, y, axes) : axes.map((one) => [one].flat() as number[]);
  const [own, others] = [x, y].map(({ rank }, i) =>
    pairs[i].map((axis) => normalizeAxis(axis, rank, 'tensordot')),
  );
  const fit = own.length === others.length && own.every((axis, i) => x.shape[axis] === y.shape[others[i]]);
  const once = new Set(own).size === own.length && new Set(others).size === others.length;
  if (!fit || !once)
    throw new ShapeError(
      `tensordot: axes ${show(own)} of ${show(x.shape)} and ${show(others)} of ${show(y.shape)} do not pair up; ` +
        'expected as many, each once, of equal sizes.',
    );
  const [left, right] = [rest(x, own), rest(y, others)];
  const inner = sizeOf(own.map((axis) => x.shape[axis]));
  const [rows, columns] = [left.map((axis) => x.shape[axis]), right.map((axis) => y.shape[axis])];
  const product = matmul(
    reshape(transpose(x, [...left, ...own]), [sizeOf(rows), inner]),
    reshape(transpose(y, [...others, ...right]), [inner, sizeOf(columns)]),
  );
  return reshape(product, [...rows, ...columns]);
}

function counted(x: Tensor, y: Tensor, axes: number): number[][] {
  if (!Number.isInteger(axes) || axes < 0 || axes > x.rank || axes > y.rank)
    throw new ShapeError(
      `tensordot: axes is ${String(axes)}; expected a number of axes that ${show(x.shape)} and ${show(y.shape)} have, or two lists.`,
    );
  const first = Array.from({ length: axes }, (_, i) => i);
  return [first.map((i) => x.rank - axes + i), first];
}

const rest = ({ shape }: Tensor, axes: readonly number[]): number[] =>
  shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));

/**
 * NumPy's dot: Σ over the last axis of a and the last but one of b, or the only one; with a scalar the product.
 *
 * ```ts
 * dot([1, 2], [3, 4])   // 11
 * dot(matrix, vector)   // a vector
 * ```
 */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [toTensor(a), toTensor(b)];
  if (x.rank === 0 || y.rank === 0) return mul(x, y);
  const along = Math.max(0, y.rank - 2);
  if (x.shape[x.rank - 1] !== y.shape[along])
    throw new ShapeError(
      `dot: the last axis of ${show(x.shape)} and axis ${along} of ${show(y.shape)} differ in size; they must be equal.`,
    );
  return tensordot(x, y, [x.rank - 1, along]);
}

/** A tensor and the name of each of its axes. */
interface Named {
  readonly x: Tensor;
  readonly names: readonly string[];
}

/**
 * Einstein's summation: each letter of `subscripts` names an axis; what the result does not name is summed over.
 *
 * A letter twice in one operand is its diagonal, `...` stands for any axes, which broadcast, and without `->` the
 * result has the letters that occur once, in the order of the alphabet. Operands are multiplied from left to right.
 * Throws ConfigError for subscripts that do not parse and ShapeError for sizes that differ.
 *
 * ```ts
 * einsum('ij,jk->ik', a, b)          // the product of matrices
 * einsum('bhqd,bhkd->bhqk', q, k)    // the scores of an attention
 * einsum('ii->', a)                  // the trace
 * ```
 */
export function einsum(subscripts: string, ...operands: readonly TensorLike[]): Tensor {
  const { terms, result, size } = parse(
    subscripts,
    operands.map((x) => toTensor(x).shape),
  );
  const parts = operands.map((x, i) => prepared(toTensor(x), terms[i], size));
  let product: Named | null = null;
  for (const [i, part] of parts.entries()) {
    const needed = new Set([...result, ...parts.slice(i + 1).flatMap(({ names }) => names)]);
    const others = new Set(product?.names ?? []);
    const own = summed(part, (name) => needed.has(name) || others.has(name));
    const before: Named | null =
      product && summed(product, (name) => needed.has(name) || own.names.includes(name));
    product = before ? multiplied(before, own, needed) : summed(own, (name) => needed.has(name));
  }
  const { x, names } = product!;
  return transpose(
    x,
    result.map((name) => names.indexOf(name)),
  );
}

/** The names of the operands' and the result's axes, and the size behind each name. */
function parse(subscripts: unknown, shapes: readonly Shape[]) {
  const refuse = (why: string): never => {
    throw new ConfigError(`einsum: subscripts are ${JSON.stringify(subscripts)}: ${why}.`);
  };
  const text = typeof subscripts === 'string' ? subscripts.replaceAll(' ', '') : '';
  if (!/^([a-zA-Z]|\.\.\.|,)*(->([a-zA-Z]|\.\.\.)*)?$/.test(text) || typeof subscripts !== 'string')
    refuse("expected letters and ... for each operand between commas, as in 'ij,jk->ik'");
  const [left, right] = text.split('->');
  const lists = left.split(',');
  if (lists.length !== shapes.length || shapes.length === 0)
    refuse(`they name ${lists.length} operands, but ${shapes.length} came`);
  const size = new Map<string, number>();
  const terms = lists.map((list, i) => {
    const shape = shapes[i];
    const letters = list.replace('...', '').length;
    if (list.includes('...') ? letters > shape.length : letters !== shape.length)
      refuse(`'${list}' does not name the axes of operand ${i}, ${show(shape)}`);
    const names = named(list, shape.length - letters);
    for (const [axis, name] of names.entries()) {
      const [so, own] = [size.get(name) ?? 1, shape[axis]];
      const broadcasts = name.startsWith('.') && (so === 1 || own === 1);
      if (size.has(name) && so !== own && !broadcasts)
        throw new ShapeError(
          `einsum: axis ${axis} of operand ${i}, ${show(shape)}, has size ${own}, but '${name}' has ${so} before.`,
        );
      size.set(name, so === 1 ? own : so);
    }
    return names;
  });
  const all = terms.flat();
  const dots = [...size.keys()].filter((name) => name.startsWith('.')).length;
  const once = [...size.keys()].filter(
    (name) => !name.startsWith('.') && all.indexOf(name) === all.lastIndexOf(name),
  );
  const result = right === undefined ? [...named('...', dots), ...once.sort()] : named(right, dots);
  if (new Set(result).size !== result.length) refuse('the result names an axis twice');
  for (const name of result) if (!size.has(name)) refuse(`no operand has the axis '${name}' of the result`);
  return { terms, result, size };
}

/** Axis by axis; those behind the dots are counted from the last. */
const named = (list: string, dots: number): string[] =>
  [...list.replace('...', '.')].flatMap((letter) =>
    letter === '.' ? Array.from({ length: dots }, (_, i) => `.${dots - i}`) : [letter],
  );

/** The operand with each name once: its diagonal where one comes twice, and without axes that broadcast. */
function prepared(x: Tensor, names: readonly string[], size: ReadonlyMap<string, number>): Named {
  const kept = names.flatMap((name, i) => (x.shape[i] === size.get(name) ? [i] : []));
  let made: Named = {
    x: reshape(
      x,
      kept.map((i) => x.shape[i]),
    ),
    names: kept.map((i) => names[i]),
  };
  for (;;) {
    const { names } = made;
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice === undefined) return made;
    const [first, second] = [names.indexOf(twice), names.lastIndexOf(twice)];
    const others = names.flatMap((_, i) => (i === first || i === second ? [] : [i]));
    made = {
      x: diagonalOf(transpose(made.x, [...others, first, second])),
      names: [...others.map((i) => names[i]), twice],
    };
  }
}

/** Summed over the axes that nobody needs. */
function summed({ x, names }: Named, isNeeded: (name: string) => boolean): Named {
  const axes = names.flatMap((name, i) => (isNeeded(name) ? [] : [i]));
  return axes.length === 0 ? { x, names } : { x: sum(x, axes), names: names.filter(isNeeded) };
}

/** The product of two, summed over the names that both have and nobody needs. */
function multiplied(a: Named, b: Named, needed: ReadonlySet<string>): Named {
  const shared = a.names.filter((name) => b.names.includes(name));
  const batch = shared.filter((name) => needed.has(name));
  const inner = shared.filter((name) => !needed.has(name));
  const left = a.names.filter((name) => !shared.includes(name));
  const right = b.names.filter((name) => !shared.includes(name));
  const names = [...batch, ...left, ...right];
  const sizes = ({ x, names }: Named, of: readonly string[]) =>
    of.map((name) => x.shape[names.indexOf(name)]);
  const ordered = ({ x, names }: Named, order: readonly string[]) =>
    transpose(
      x,
      order.map((name) => names.indexOf(name)),
    );
  const outer = sizes(a, batch);
  const [rows, columns] = [sizes(a, left), sizes(b, right)];
  if (inner.length === 0)
    return {
      x: mul(
        reshape(ordered(a, [...batch, ...left]), [...outer, ...rows, ...columns.map(() => 1)]),
        reshape(ordered(b, [...batch, ...right]), [...outer, ...rows.map(() => 1), ...columns]),
      ),
      names,
    };
  const k = sizeOf(sizes(a, inner));
  const product = matmul(
    reshape(ordered(a, [...batch, ...left, ...inner]), [...outer, sizeOf(rows), k]),
    reshape(ordered(b, [...batch, ...inner, ...right]), [...outer, k, sizeOf(columns)]),
  );
  return { x: reshape(product, [...outer, ...rows, ...columns]), names };
}

// ---- the twins

/** Σ of the products over all that the result does not name, one after the other. */
function einsum64(subscripts: string, operands: readonly NdArray[]): NdArray {
  const { terms, result, size } = parse(
    subscripts,
    operands.map(({ shape }) => shape),
  );
  const inner = [...size.keys()].filter((name) => !result.includes(name));
  const places = build(
    inner.map((name) => size.get(name)!),
    () => 0,
  );
  return build(
    result.map((name) => size.get(name)!),
    (index) => {
      let total = 0;
      for (let l = 0; l < places.data.length; l++) {
        let left = l;
        const at_ = new Map(result.map((name, i) => [name, index[i]]));
        for (const name of [...inner].reverse()) {
          at_.set(name, left % size.get(name)!);
          left = Math.floor(left / size.get(name)!);
        }
        total += operands.reduce(
          (product, x, i) =>
            product *
            at(
              x,
              terms[i].map((name, axis) => (x.shape[axis] === 1 ? 0 : at_.get(name)!)),
            ),
          1,
        );
      }
      return total;
    },
  );
}

const tolerance = { relative: 1e-5, absolute: 1e-5 };

const einsumTwin = (): Composite => ({
  name: 'einsum',
  compute: (operands, { subscripts }) => einsum(subscripts as string, ...operands),
  reference: (operands, { subscripts }) => einsum64(subscripts as string, operands),
  tolerance,
  terms: (shapes) => Math.max(1, ...shapes.flat()) ** 2,
  cases: (
    [
      ['ij,jk->ik', [3, 5], [5, 4]],
      ['bhqd,bhkd->bhqk', [2, 3, 4, 5], [2, 3, 2, 5]],
      ['ii->', [4, 4]],
      ['iji->j', [3, 2, 3]],
      ['...ij,...j', [2, 1, 3, 4], [5, 4]],
      ['i,j,k->kij', [2], [3], [4]],
      ['ab,bc,cd->ad', [2, 3], [3, 4], [4, 2]],
    ] as [string, ...Shape[]][]
  ).map(([subscripts, ...shapes]): Case => ({ shapes, attributes: { subscripts } })),
});

const asEinsum =
  (name: string, compute: (a: Tensor, b: Tensor) => Tensor, cases: readonly [string, Shape, Shape][]) => () =>
    ({
      name,
      compute: ([a, b]) => compute(a, b),
      reference: (operands, { subscripts }) => einsum64(subscripts as string, operands),
      tolerance,
      terms: (shapes) => Math.max(1, ...shapes.flat()) ** 2,
      cases: cases.map(([subscripts, ...shapes]) => ({ shapes, attributes: { subscripts } })),
    }) satisfies Composite;

/** For the registry. */
export const twins = [
  einsumTwin,
  asEinsum('dot', dot, [
    ['i,i->', [7], [7]],
    ['ij,j->i', [3, 5], [5]],
    ['aij,bjk->aibk', [2, 3, 4], [2, 4, 3]],
  ]),
  asEinsum('tensordot', (a, b) => tensordot(a, b, 2), [
    ['kij,ijl->kl', [2, 3, 4], [3, 4, 5]],
    ['ij,ij->', [3, 4], [3, 4]],
  ]),
];
