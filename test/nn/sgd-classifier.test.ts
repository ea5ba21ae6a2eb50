/** The linear classifier against scikit-learn's own numbers (fixtures/record_linear.py), and its refusals. */
import { describe, expect, test } from 'vitest';
import {
  crossValidate,
  data,
  type SgdClassifierOptions,
  ShapeError,
  StateError,
  sgdClassifier,
  tensor,
  ValueError,
} from '../../src/index.ts';
import recorded from './fixtures/sgd-classifier.json';

/** |got − expected| in units of f32's rounding over a few hundred steps. */
function expectClose(got: unknown, expected: readonly number[] | readonly (readonly number[])[]): void {
  const [a, b] = [got as number[][], expected].map((list) => list.flat());
  expect(a).toHaveLength(b.length);
  a.forEach((one, i) => {
    expect(Math.abs((one as number) - (b[i] as number))).toBeLessThan(2e-4 * (1 + Math.abs(b[i] as number)));
  });
}

describe('as in scikit-learn', () => {
  recorded.forEach((one, i) => {
    const options = one.options as SgdClassifierOptions;

    test(`are weights, epochs and predictions of case ${i}: ${JSON.stringify(options)}`, async () => {
      const model = await sgdClassifier(options).fit(one.x, one.y);
      expectClose(await model.coef.array(), one.coef);
      expectClose(await model.intercept.array(), one.intercept);
      expect(model.nIter).toBe(one.nIter);
      expect(await model.predict(one.x)).toEqual(one.predicted);
      if (one.probabilities)
        expectClose(await model.predictProba(one.x.slice(0, 3)).array(), one.probabilities);
      const right = one.y.filter((label, row) => label === one.predicted[row]).length;
      expect(await model.score(one.x, one.y)).toBeCloseTo(right / one.y.length, 12);
    });

    test(`are the scores of the folds of case ${i}`, async () => {
      const { testScore, fitTime, scoreTime } = await crossValidate(sgdClassifier(options), one.x, one.y);
      expectClose(testScore, one.testScore);
      expect([fitTime.length, scoreTime.length]).toEqual([5, 5]);
    });
  });
});

const x = [[0], [0.1], [0.2], [0.8], [0.9], [1]];

describe('sgdClassifier', () => {
  test('learns words, from bytes that are scaled on the way', async () => {
    const bytes = tensor(Uint8Array.of(0, 25, 51, 204, 230, 255), { shape: [6, 1] });
    const y = ['low', 'low', 'low', 'high', 'high', 'high'];
    const model = await sgdClassifier({ loss: 'log_loss', maxIter: 50, randomState: 1 }).fit(
      bytes.cast('f32').div(255),
      y,
    );
    expect(model.classes).toEqual(['high', 'low']);
    expect(await model.predict(x)).toEqual(y);
    expect(await model.clone().fit(x, y)).toBeTruthy();
  });

  test('is the same with the same seed, whichever problems are trained beside it', async () => {
    const [{ x: samples, y }] = recorded;
    const model = sgdClassifier({ loss: 'log_loss', maxIter: 5, randomState: 42 });
    const all = Uint32Array.from(y.keys());
    const [first, , third] = await model.fitEach(samples, y, [all, all.subarray(0, 20), all]);
    expect(await first.coef.array()).toEqual(await third.coef.array());
    expect(await first.coef.array()).toEqual(await (await model.fit(samples, y)).coef.array());
  });

  test('walks more samples than fit into one dispatch', async () => {
    const count = 5000;
    const values = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % count) / count);
    const y = Array.from(values, (value) => Number(value > 0.5));
    const model = await sgdClassifier({ loss: 'log_loss', maxIter: 3, tol: null, randomState: 0 }).fit(
      tensor(values, { shape: [count, 1] }),
      y,
    );
    expect(model.nIter).toBe(3);
    expect(await model.score(tensor(values, { shape: [count, 1] }), y)).toBeGreaterThan(0.97);
  });

  test('refuses what it cannot learn from', async () => {
    const model = sgdClassifier();
    expect(() => model.coef).toThrow(StateError);
    await expect(model.predict(x)).rejects.toThrow(StateError);
    await expect(model.fit(x, [0, 1])).rejects.toThrow(ShapeError);
    await expect(model.fit(x, [1, 1, 1, 1, 1, 1])).rejects.toThrow('1 class, expected two or more');
    await expect(model.fit([1, 2, 3], [0, 1, 0])).rejects.toThrow('expected [samples, features]');
    await expect(model.fitEach(x, [0, 0, 0, 1, 1, 1], [[0, 5, 6]])).rejects.toThrow('row 6 at position 2');
    const infinite = [[0], [1], [Number.NaN]];
    await expect(sgdClassifier({ maxIter: 2 }).fit(infinite, [0, 1, 1])).rejects.toThrow('no longer finite');
    expect(() => sgdClassifier({ alpha: 0 })).toThrow(ValueError);
    expect(() => sgdClassifier({ maxIter: 0 })).toThrow(ValueError);
    await model.fit(x, [0, 0, 0, 1, 1, 1]);
    expect(() => model.predictProba(x)).toThrow("Use 'log_loss'");
    expect(() => model.decisionFunction([[1, 2]])).toThrow(ShapeError);
  });
});

describe('crossValidate', () => {
  test('takes a splitter, and scores the training rows when asked', async () => {
    const [{ x: samples, y }] = recorded;
    const model = sgdClassifier({ loss: 'log_loss', alpha: 0.1, maxIter: 5, randomState: 42 });
    const cv = new data.KFold({ nSplits: 3, shuffle: true, randomState: 0 });
    const { testScore, trainScore } = await crossValidate(model, samples, y, { cv, returnTrainScore: true });
    expect(testScore).toHaveLength(3);
    expect(trainScore).toHaveLength(3);
    expect(Math.min(...trainScore!)).toBeGreaterThan(0.5);
  });

  test('refuses what cannot be trained', async () => {
    await expect(crossValidate({} as never, x, [0, 0, 0, 1, 1, 1])).rejects.toThrow('fitEach and score');
  });
});
