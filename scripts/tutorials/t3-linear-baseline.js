#!/usr/bin/env node
/** T3. The baseline: scikit-learn's linear classifier and its five-fold cross-validation. */
import { crossValidate, datasets, sgdClassifier, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, epochs }) => {
  const fashion = await datasets.fashionMnist(source);
  const train = quick ? first(fashion.train, 1000) : fashion.train;

  // Bytes → 0 … 1, one row of 784 numbers for each image. Nothing is computed yet.
  const scaled = tensor(train.images)
    .reshape([-1, 28 * 28])
    .cast('float32')
    .div(255);
  console.log(`(${scaled.shape.join(', ')})`);

  // Ten classes times five folds: fifty classifiers, which learn side by side.
  const sc = sgdClassifier({ loss: 'log_loss', maxIter: epochs(5, 5), randomState: 42 });
  const scores = await crossValidate(sc, scaled, train.labels);

  console.log(`test scores: ${scores.testScore.map((score) => score.toFixed(4)).join(' ')}`);
  const mean = scores.testScore.reduce((sum, score) => sum + score) / scores.testScore.length;
  console.log(`mean test score: ${mean.toFixed(4)}`);
  const seconds = scores.fitTime.reduce((sum, time) => sum + time);
  console.log(`training all folds: ${seconds.toFixed(1)} s`);
});
