/** Cutting, repeating, turning and multiplying named axes: whole numbers, nothing at all, and what is refused. */
import { describe, expect, test } from 'vitest';
import {
  arange,
  ConfigError,
  diag,
  dot,
  einsum,
  eye,
  flip,
  linspace,
  ones,
  repeat,
  roll,
  ShapeError,
  split,
  type Tensor,
  tensor,
  tensordot,
  tile,
  tril,
  triu,
  unstack,
  ValueError,
  zeros,
} from '../../src/index.ts';

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];

test('integers, truth values and bytes keep their dtype', async () => {
  for (const dtype of ['i32', 'u32', 'bool', 'u8']) {
    const x = tensor([1, 0, 1, 1], { dtype });
    const made = { flip: flip(x), tile: tile(x, 2), repeat: repeat(x, 2), roll: roll(x, 1), diag: diag(x) };
    for (const [name, y] of Object.entries(made)) expect(y.dtype, name).toBe(dtype);
    expect(await numbers(made.flip)).toEqual([1, 1, 0, 1]);
    expect(await numbers(made.tile)).toEqual([1, 0, 1, 1, 1, 0, 1, 1]);
    expect(await numbers(made.repeat)).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
    expect(await numbers(made.roll)).toEqual([1, 1, 0, 1]);
    expect(await numbers(diag(made.diag))).toEqual([1, 0, 1, 1]);
    expect(await numbers(tril(tile(x, [2, 1]).slice([0, 0], [2, 2])))).toEqual([1, 0, 1, 0]);
  }
});

test('nothing stays nothing', async () => {
  const none = zeros([0, 3]);
  for (const y of [flip(none), roll(none, 1, 0), tile(none, [2, 1]), repeat(none, 2, 0), tril(none)])
    expect(await numbers(y)).toEqual([]);
  expect(repeat(none, 2, 1).shape).toEqual([0, 6]);
  expect(tile(ones([2]), 0).shape).toEqual([0]);
  expect(unstack(none)).toEqual([]);
  expect(split(none, [0, 0]).map(({ shape }) => shape)).toEqual([
    [0, 3],
    [0, 3],
  ]);
  expect(arange(0).shape).toEqual([0]);
  expect(await numbers(linspace(1, 2, 0))).toEqual([]);
  expect(await numbers(einsum('ij,jk->ik', zeros([2, 0]), zeros([0, 2])))).toEqual([0, 0, 0, 0]);
});

test('split takes a number of pieces, sizes, and one size that is worked out', async () => {
  const x = arange(6);
  expect(await Promise.all(split(x, 3).map(numbers))).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  expect(await Promise.all(split(x, [1, -1, 2]).map(numbers))).toEqual([[0], [1, 2, 3], [4, 5]]);
});

test('counters are whole numbers where all is whole, and end where they should', async () => {
  expect([arange(3).dtype, arange(0, 1, 0.5).dtype, arange(3, 0, -2, 'f32').dtype]).toEqual([
    'i32',
    'f32',
    'f32',
  ]);
  expect(await numbers(arange(5, 0, -2))).toEqual([5, 3, 1]);
  expect((await numbers(linspace(0.1, 0.7, 14))).at(-1)).toBe(Math.fround(0.7));
  expect(await numbers(linspace(3, 9, 1))).toEqual([3]);
  expect(await numbers(linspace(0, 1, 4, { endpoint: false }))).toEqual([0, 0.25, 0.5, 0.75]);
  expect(await numbers(eye(2, 3, { k: -1, dtype: 'i32' }))).toEqual([0, 0, 0, 1, 0, 0]);
});

test('what a triangle or a diagonal leaves out leaves no trace, be it NaN', async () => {
  const x = tensor([
    [1, Number.NaN],
    [3, 4],
  ]);
  expect(await numbers(tril(x))).toEqual([1, 0, 3, 4]);
  expect(await numbers(triu(x, 1))).toEqual([0, Number.NaN, 0, 0]);
  expect(await numbers(diag(x))).toEqual([1, 4]);
});

test('repeat takes a number for each element, roll several axes', async () => {
  expect(await numbers(repeat([1, 2, 3], [0, 2, 1], 0))).toEqual([2, 2, 3]);
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(await numbers(roll(x, [1, 1], [0, 1]))).toEqual([4, 3, 2, 1]);
  expect(await numbers(roll(x, 1))).toEqual([4, 1, 2, 3]);
});

test('einsum sorts implicit results by the alphabet and takes integers', async () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(einsum('ba', x).shape).toEqual([3, 2]);
  expect(await numbers(einsum('ba', x))).toEqual([1, 4, 2, 5, 3, 6]);
  expect(await einsum('ij,ij', x, x).item()).toBe(91);
  const whole = x.cast('i32');
  expect(einsum('ij,kj->ik', whole, whole).dtype).toBe('i32');
  expect(await numbers(einsum('ij,kj->ik', whole, whole))).toEqual([14, 32, 32, 77]);
  expect(await numbers(tensordot([1, 2], [3, 4], 0))).toEqual([3, 4, 6, 8]);
  expect(await dot([1, 2], [3, 4]).item()).toBe(11);
});

describe('refused before anything runs', () => {
  const x = zeros([2, 3]);
  const refused: [string, () => unknown, typeof ShapeError | typeof ConfigError | typeof ValueError][] = [
    ['pieces that do not fit', () => split(x, 2, 1), ShapeError],
    ['sizes that do not add up', () => split(x, [1, 1], 1), ShapeError],
    ['two sizes to be worked out', () => split(x, [-1, -1], 1), ShapeError],
    ['half a repetition', () => tile(x, [1, 0.5]), ValueError],
    ['too few repetitions', () => repeat(x, [1], 0), ShapeError],
    ['a step of 0', () => arange(0, 3, 0), ValueError],
    ['an endless counter', () => arange(0, Number.POSITIVE_INFINITY), ValueError],
    ['a diagonal of a cube', () => diag(zeros([2, 2, 2])), ShapeError],
    ['the triangle of a vector', () => tril([1, 2]), ShapeError],
    ['inner sizes that differ', () => dot(x, x), ShapeError],
    ['axes that do not pair up', () => tensordot(x, x, [[0], [1]]), ShapeError],
    ['a letter with two sizes', () => einsum('ij,jk', x, x), ShapeError],
    ['a letter of the result that nobody has', () => einsum('ij->k', x), ConfigError],
    ['too few operands', () => einsum('ij,jk->ik', x), ConfigError],
    ['subscripts that do not parse', () => einsum('i1->i', x), ConfigError],
    ['a term that names too few axes', () => einsum('i->i', x), ConfigError],
  ];
  test.each(refused)('%s', (_what, call, kind) => {
    expect(call).toThrow(kind);
  });
});
