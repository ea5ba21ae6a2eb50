/** One rule for numbers that an integer dtype does not hold, by whatever way they come: they saturate, NaN is 0. */
import { expect, test } from 'vitest';
import { capture, fill, type Tensor, tensor, ValueError, variable } from '../../src/index.ts';

type Whole = 'i32' | 'u32' | 'u8' | 'bool';

const floats = [
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  -3e9,
  -300,
  -5,
  -0.9,
  0,
  2.9,
  255.5,
  300,
  5e9,
  Number.POSITIVE_INFINITY,
];
const fromFloats: Record<Whole, number[]> = {
  i32: [0, -2147483648, -2147483648, -300, -5, 0, 0, 2, 255, 300, 2147483520, 2147483520],
  u32: [0, 0, 0, 0, 0, 0, 0, 2, 255, 300, 4294967040, 4294967040],
  u8: [0, 0, 0, 0, 0, 0, 0, 2, 255, 255, 255, 255],
  bool: [1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
};
const signed = [-2147483648, -300, -1, 0, 1, 255, 256, 2147483647];
const fromSigned: Record<Whole, number[]> = {
  i32: signed,
  u32: [0, 0, 0, 0, 1, 255, 256, 2147483647],
  u8: [0, 0, 0, 0, 1, 255, 255, 255],
  bool: [1, 1, 1, 0, 1, 1, 1, 1],
};
const unsigned = [0, 1, 255, 256, 2147483648, 4294967295];
const fromUnsigned: Record<Whole, number[]> = {
  i32: [0, 1, 255, 256, 2147483647, 2147483647],
  u32: unsigned,
  u8: [0, 1, 255, 255, 255, 255],
  bool: [0, 1, 1, 1, 1, 1],
};
const sources: [string, number[], Record<Whole, number[]>][] = [
  ['f32', floats, fromFloats],
  ['i32', signed, fromSigned],
  ['u32', unsigned, fromUnsigned],
];

const cases = sources.flatMap(([from, values, wanted]) =>
  (Object.keys(wanted) as Whole[]).map((to) => [from, to, values, wanted[to]] as const),
);

test.each(cases)(
  '%s to %s saturates: stored, inside other work, in a step, in a variable',
  async (from, to, values, wanted) => {
    const x = () => tensor(values, { dtype: from });
    const exact = wanted.map(Math.fround);
    expect([...(await x().cast(to).data())]).toEqual(wanted);
    expect([...(await x().cast(to).cast('f32').data())]).toEqual(exact);
    const stored = x().cast(to);
    await stored.data();
    expect([...(await stored.cast('f32').data())]).toEqual(exact);
    const whole = await capture((t: Tensor) => t.cast(to))(x());
    const back = await capture((t: Tensor) => t.cast(to).cast('f32'))(x());
    expect([[...(await whole.data())], [...(await back.data())]]).toEqual([wanted, exact]);
    expect([...(await variable(x().cast(to)).data())]).toEqual(wanted);
  },
);

test('numbers from the host that a dtype does not hold are refused, by tensor and by fill', () => {
  for (const [dtype, value] of [
    ['u8', 300],
    ['u8', -1],
    ['i32', 2 ** 31],
    ['u32', -1],
    ['i32', 0.5],
    ['u8', Number.NaN],
  ] as const) {
    expect(() => tensor([value], { dtype })).toThrow(ValueError);
    expect(() => fill([2], value, dtype)).toThrow(/^fill: element 0 is .* cannot hold/);
  }
});

test('bounds beyond the integers clip nothing', async () => {
  const x = tensor([-5, 7], { dtype: 'i32' });
  expect([...(await x.clip(-3e9, 3e9).data())]).toEqual([-5, 7]);
});
