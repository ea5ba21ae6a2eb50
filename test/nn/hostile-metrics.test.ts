/** Every loss and metric against its float64 twin on predictions and weights that hurt. */
import { describe, expect, test } from 'vitest';
import { losses, metrics, tensor, ValueError } from '../../src/index.ts';
import { lossTwins, metricTwins } from '../reference/measures.ts';
import { generator } from '../reference/random.ts';

type Rows = readonly (readonly number[])[];
interface Case {
  readonly t: Rows;
  readonly p: Rows;
  readonly weights: readonly number[];
}

const CLASSES = 3;
const random = generator(7);
const rounded = (rows: Rows): Rows => rows.map((row) => row.map(Math.fround));
const rows = (count: number, of: (i: number, j: number) => number): Rows =>
  rounded(Array.from({ length: count }, (_, i) => Array.from({ length: CLASSES }, (_, j) => of(i, j))));
const oneHot = (count: number, label: (i: number) => number): Rows =>
  rows(count, (i, j) => Number(label(i) === j));
const ones = (count: number): number[] => Array(count).fill(1);

const labels = Array.from({ length: 20 }, () => random.below(CLASSES));
const t = oneHot(20, (i) => labels[i]);
const p = rows(20, () => random.between(0.01, 0.99));
const changed = (of: Rows, at: readonly [number, number], value: number): Rows =>
  of.map((row, i) => row.map((x, j) => (i === at[0] && j === at[1] ? value : x)));
const base = { t, p, weights: ones(20) };
const nan = rows(20, () => Number.NaN);

const cases: Record<string, Case> = {
  probabilities: base,
  logits: { ...base, p: rows(20, () => random.between(-40, 40)) },
  'a NaN': { ...base, p: changed(p, [3, t[3].indexOf(1)], Number.NaN) },
  'a NaN beside what is right': { ...base, p: changed(p, [3, (t[3].indexOf(1) + 1) % CLASSES], Number.NaN) },
  'nothing but NaN': { ...base, p: nan },
  '+∞': { ...base, p: changed(p, [2, 1], Number.POSITIVE_INFINITY) },
  '−∞': { ...base, p: changed(p, [2, 1], Number.NEGATIVE_INFINITY) },
  'no samples': { t: [], p: [], weights: [] },
  'one class': { ...base, t: oneHot(20, () => 1) },
  ties: { ...base, p: rows(20, () => 0.5) },
  zeros: { ...base, p: rows(20, () => 0) },
  'huge values': { ...base, p: rows(20, () => random.between(-1e15, 1e15)) },
  'some weights of 0': { ...base, weights: base.weights.map((_, i) => i % 3) },
  'weights of 0 alone': { ...base, weights: base.weights.map(() => 0) },
};
/** For what compares numbers: y and predictions far from 0. */
const far = (offset: number): Case => {
  const y = rows(20, () => offset + random.between(0, 7));
  return { t: y, p: rounded(y.map((row) => row.map((x) => x + random.between(-1, 1)))), weights: ones(20) };
};
const offsets: Record<string, Case> = { 'numbers near 1e5': far(1e5), 'numbers near −1e6': far(-1e6) };

const sparse = (name: string): boolean => name.startsWith('sparse') || name === 'perplexity';
const signed = (name: string): boolean => ['hinge', 'squaredHinge'].includes(name);
const ofNumbers = /^(mean|huber|logCosh|poisson|cosine|root|r2|accuracy)/;

/** Of a name: its cases, y as the twin takes it, tensors as it takes them itself. */
const casesFor = (name: string) =>
  Object.entries(ofNumbers.test(name) ? { ...cases, ...offsets } : cases).map(([what, { t, p, weights }]) => {
    const n = t.length;
    const y = tensor(Float32Array.from(sparse(name) ? t.map((row) => row.indexOf(1)) : t.flat()), {
      shape: sparse(name) ? [n] : [n, CLASSES],
    });
    return {
      what,
      t: signed(name) ? t.map((row) => row.map((x) => 2 * x - 1)) : t,
      p,
      weights,
      given: [
        y,
        tensor(Float32Array.from(p.flat()), { shape: [n, CLASSES] }),
        tensor(Float32Array.from(weights)),
      ] as const,
    };
  });

/** Equal, or both NaN or infinite, within what f32 can hold of numbers of this size. */
function expectClose(got: number, wanted: number, size: number, what: string): void {
  if (!Number.isFinite(wanted)) expect(got, what).toBe(wanted);
  else expect(Math.abs(got - wanted), `${what}: ${got} for ${wanted}`).toBeLessThan(4e-6 * Math.max(1, size));
}

const sizeOf = (values: readonly number[]): number =>
  Math.max(1, ...values.map(Math.abs).filter(Number.isFinite));

describe('losses are those of the twin for predictions that hurt', () => {
  test.each(Object.keys(losses) as (keyof typeof losses)[])('%s', async (name) => {
    for (const { what, t, p, given } of casesFor(name)) {
      const wanted = t.map((row, i) => lossTwins[name](row, p[i]));
      const got = await losses[name](given[0], given[1]).data();
      expect(got).toHaveLength(wanted.length);
      wanted.forEach((value, i) => {
        expectClose(got[i], value, sizeOf([value, ...p[i]]), `${what}, row ${i}`);
      });
    }
  });
});

describe('metrics are those of the twin for predictions and weights that hurt', () => {
  test.each(Object.keys(metricTwins) as (keyof typeof metricTwins)[])('%s', async (name) => {
    const topK = name.toLowerCase().includes('topk');
    const metric = metrics[name](topK ? ({ k: 1 } as object) : {});
    for (const { what, t, p, weights, given } of casesFor(name)) {
      const outside = p.some((row, i) => weights[i] > 0 && row.some((x) => x < 0 || x > 1));
      if (name === 'auc' && outside) {
        await expect(metric.compute(...given), what).rejects.toThrow(ValueError);
        continue;
      }
      const wanted = metricTwins[name](t, p, weights);
      const sizes =
        name in lossTwins ? t.map((row, i) => lossTwins[name as keyof typeof losses](row, p[i])) : [];
      expectClose(await metric.compute(...given), wanted, sizeOf([wanted, ...sizes, ...p.flat()]), what);
    }
  });
});
