import { expect, test } from 'vitest';
import { garments } from '../../src/data/garments/index.ts';
import { trainedAccuracy } from './support/small-trainer.ts';

test('a hidden layer learns the garments at least 3 points better than a linear model', () => {
  const { train, test: held } = garments({ train: 10_000, test: 2_000 });
  const linear = trainedAccuracy(train, held, 0, 4);
  const hidden = trainedAccuracy(train, held, 64, 4);
  expect(linear).toBeGreaterThan(0.68);
  expect(linear).toBeLessThan(0.8);
  expect(hidden - linear).toBeGreaterThan(0.03);
});
