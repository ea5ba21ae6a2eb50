/** The walk itself: against the twins of the registry, against finite differences, and whether it can fail. */
import { describe, expect, test } from 'vitest';
import * as W from '../../src/index.ts';
import type { ProvenOp } from '../../src/ops/define.ts';
import { registry } from '../../src/ops/registry.ts';
import { generator } from '../reference/random.ts';
import { draw, themes } from './draw.ts';
import { differentiate, num } from './number.ts';
import { ops, uncalled, written } from './ops.ts';
import { type Program, Walk } from './program.ts';
import { isSense, shrink, smallerPrograms } from './shrink.ts';
import { Misfit, type Value } from './value.ts';

test('every op that users can call is called by random programs, or it is said why not', () => {
  const covered = new Set(Object.values(ops).flatMap(({ covers }) => covers));
  const missing = [...registry.values()].filter(
    ({ name }) => name in W && !covered.has(name) && !(name in uncalled),
  );
  // No twin tells how an op with attributes is called, or one of no operands: it waits for a row in ops.ts.
  const waiting = missing.filter(({ cases }) =>
    cases.some(({ attributes, shapes }) => attributes || shapes.length !== 1),
  );
  if (waiting.length > 0) console.log(`without a row yet: ${waiting.map(({ name }) => name).join(', ')}`);
  expect(missing.filter((one) => !waiting.includes(one)).map(({ name }) => name)).toEqual([]);
  expect([...covered].filter((name) => !registry.has(name))).toEqual([]);
});

describe('F55 an op means to the walk what its twin says', () => {
  const names = written.filter(
    (name) => ops[name].covers[0] === name && !['where', 'cast', 'fill', 'iota'].includes(name),
  );
  test.each(names)('%s', (name) => {
    const entry = registry.get(name)!;
    let asked = 0;
    for (const one of entry.cases) {
      const { shapes, dtypes, range = [-2, 2], attributes = {} } = one;
      if (shapes.length === 0 || shapes.some((shape) => shape.reduce((a, b) => a * b, 1) > 700)) continue;
      const random = generator(7 + asked);
      const inputs = shapes.map((shape, i): Value => {
        const dtype = dtypes?.[i] ?? 'f32';
        const size = shape.reduce((a, b) => a * b, 1);
        const values = Array.from({ length: size }, () => {
          const x = random.between(...range);
          return dtype === 'f32' ? x : dtype === 'bool' ? Number(x > 0) : Math.floor(x);
        });
        return { shape, dtype, data: values.map(num) };
      });
      if (typeof attributes.ord === 'number') continue;
      // Reductions and positions are told axes in another way.
      const { axes, ...rest } = attributes as { axes?: number[] };
      const told = axes
        ? { ...rest, axis: axes }
        : 'axis' in rest || !['softmax', 'logSoftmax'].includes(name)
          ? rest
          : { ...rest, axis: -1 };
      if (
        name.endsWith('rossentropy') &&
        (attributes.labelSmoothing || (name === 'categoricalCrossentropy') === !!attributes.fromLogits)
      )
        continue;
      if (
        (name === 'binaryCrossentropy' || name === 'sparseCategoricalCrossentropy') &&
        !attributes.fromLogits
      )
        continue;
      let got: Value;
      try {
        got = ops[name].walk(inputs, told);
      } catch (error) {
        if (error instanceof Misfit) continue;
        throw error;
      }
      const arrays = inputs.map(({ shape, data }) => ({
        shape,
        data: Float64Array.from(data, ({ v }) => v),
      }));
      const exact = (entry as ProvenOp).reference(arrays, attributes);
      expect(got.shape).toEqual(exact.shape);
      // Rounded to f16 by the one, told as an error by the other.
      const off = name === 'half' ? 1e-3 : 1e-9;
      got.data.forEach(({ v }, i) => {
        expect(
          Math.abs(v - exact.data[i]),
          `${name} of ${shapes.map(String)}, element ${i}`,
        ).toBeLessThanOrEqual(off * (1 + Math.abs(exact.data[i])));
      });
      asked++;
    }
    expect(asked).toBeGreaterThan(0);
  });
});

test('gradients of gradients agree with finite differences', () => {
  const f = (values: readonly number[]) => {
    const x: Value = { shape: [2, 2], dtype: 'f32', data: values.map(num) };
    const y = ops.softmax.walk([ops.mul.walk([x, ops.tanh.walk([x], {})], {})], { axis: -1 });
    const z = ops.matmul.walk([y, x], {});
    return { x, loss: z.data };
  };
  const slope = (values: readonly number[]): number[] => {
    const { x, loss } = f(values);
    return differentiate(
      loss,
      loss.map(() => num(1)),
      [x.data],
    )[0]!.map(({ v }) => v);
  };
  const at = [0.3, -0.7, 1.1, 0.4];
  const h = 1e-5;
  const moved = (i: number, by: number) => at.map((v, k) => (k === i ? v + by : v));
  const total = (values: readonly number[]) => f(values).loss.reduce((so, { v }) => so + v, 0);
  slope(at).forEach((g, i) => {
    expect(g).toBeCloseTo((total(moved(i, h)) - total(moved(i, -h))) / (2 * h), 7);
  });
  const { x, loss } = f(at);
  const [first] = differentiate(
    loss,
    loss.map(() => num(1)),
    [x.data],
  );
  const [twice] = differentiate(first!, [num(1), num(0), num(0), num(0)], [x.data]);
  twice!.forEach(({ v }, i) => {
    expect(v).toBeCloseTo((slope(moved(i, h))[0] - slope(moved(i, -h))[0]) / (2 * h), 6);
  });
});

test('a seed draws the same program for ever, and each theme draws programs that read something', () => {
  for (const theme of themes) {
    const [one, two] = [draw(5, { theme }), draw(5, { theme })];
    expect(one).toEqual(two);
    expect(new Walk().run(one.statements).readings.length).toBeGreaterThan(0);
  }
});

test('a failing program shrinks to what makes it fail', async () => {
  const holds = ({ statements }: Program, op: string): boolean =>
    statements.some(
      (s) =>
        (s.do === 'op' && s.op === op) || (s.do === 'step' && holds({ seed: 0, statements: s.body }, op)),
    );
  const seed = Array.from({ length: 200 }, (_, i) => i).find((one) =>
    holds(draw(one, { theme: 'training' }), 'softmax'),
  )!;
  const failure = { kind: 'wrong', message: 'softmax is there' } as const;
  const { program } = await shrink(
    draw(seed, { theme: 'training' }),
    failure,
    function* (one) {
      for (const next of smallerPrograms(one)) if (isSense(next)) yield next;
    },
    async (one) => (holds(one, 'softmax') ? failure : null),
    10_000,
  );
  expect(holds(program, 'softmax')).toBe(true);
  expect(program.statements.length).toBeLessThanOrEqual(5);
});
