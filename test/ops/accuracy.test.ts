/** Functions where plain formulas lose what matters: near 0, far out, and where drivers simplify corrections away. */
import { expect, test } from 'vitest';
import { tensor } from '../../src/index.ts';

/** Numbers of both signs from 1e-30 to 1e-1. */
const small = Float32Array.from({ length: 240 }, (_, i) => (i % 2 ? -1 : 1) * 10 ** (-30 + (29 * i) / 239));

/** Numbers spread over each of some magnitudes, and what lies next to multiples of π. */
const angles = Float32Array.from([
  ...[1, 10, 1e3, 1e5, 1e6, 1e9].flatMap((most) =>
    Array.from({ length: 100 }, (_, i) => most * Math.sin(i * 1.7 + 0.3)),
  ),
  ...Array.from({ length: 64 }, (_, i) => ((i - 32) * Math.PI) / 2),
]);

/** The largest |got − exact| / scale(exact). */
function worst(got: ArrayLike<number>, exact: readonly number[], scale: (exact: number) => number): number {
  return Math.max(...exact.map((x, i) => (got[i] === x ? 0 : Math.abs(got[i] - x) / scale(x))));
}

type Name = 'log1p' | 'expm1' | 'sin' | 'tanh' | 'softsign' | 'selu' | 'elu' | 'erf';
const scale = 1.0507009873554805;
const alpha = 1.6732632423543772;
const selu = (x: number) => scale * (x < 0 ? alpha * Math.expm1(x) : x);
/** Its series. */
const erf = (x: number) => (2 / Math.sqrt(Math.PI)) * (x - x ** 3 / 3 + x ** 5 / 10);

test.each<[Name, (x: number) => number]>([
  ['log1p', Math.log1p],
  ['expm1', Math.expm1],
  ['sin', Math.sin],
  ['tanh', Math.tanh],
  ['softsign', (x) => x / (1 + Math.abs(x))],
  ['elu', (x) => (x < 0 ? Math.expm1(x) : x)],
  ['selu', selu],
  ['erf', erf],
])('%s of a small number is right to six digits', async (name, exact) => {
  const got = await tensor(small)[name]().data();
  expect(worst(got, [...small].map(exact), Math.abs)).toBeLessThan(1e-6);
});

test('softplus and logSigmoid are right to five digits where they are nearly 0', async () => {
  const x = Float32Array.from({ length: 80 }, (_, i) => -1 - i);
  const exact = [...x].map((one) => Math.log1p(Math.exp(one)));
  expect(worst(await tensor(x).softplus().data(), exact, Math.abs)).toBeLessThan(1e-5);
  const log = await tensor(x).neg().logSigmoid().data();
  expect(
    worst(
      log,
      exact.map((one) => -one),
      Math.abs,
    ),
  ).toBeLessThan(1e-5);
});

test.each(['sin', 'cos'] as const)(
  '%s is off by less than 2e-7 for angles up to a milliard',
  async (name) => {
    const got = await tensor(angles)[name]().data();
    expect(worst(got, [...angles].map(Math[name]), () => 1)).toBeLessThan(2e-7);
  },
);

test('sin and cos of 0 are 0 and 1, and NaN of what is no finite number', async () => {
  const x = tensor([0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect([...(await x.sin().data())]).toEqual([0, -0, Number.NaN, Number.NaN, Number.NaN]);
  expect([...(await x.cos().data())]).toEqual([1, 1, Number.NaN, Number.NaN, Number.NaN]);
});
