#!/usr/bin/env node
/** T1. A first neural network: one dense layer tells ten kinds of garments apart. */
import { data, datasets, layers, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, epochs, clock }) => {
  // The data: 60,000 images of 28 × 28 bytes, and their classes.
  const fashion = await datasets.fashionMnist(source);
  const { train: all, classNames } = fashion;
  console.log(`${fashion.name}: ${fashion.source}`);
  console.log(`images (${all.count}, ${all.height}, ${all.width}), labels (${all.labels.length},)`);

  // The first ten.
  await picture('t1-samples.svg', plot.images(all, { count: 10, classNames, colors: 'binary' }));
  console.log(`the first ten labels: ${all.labels.slice(0, 10).join(' ')}`);

  // As many of each class?
  const counts = classNames.map((_, label) => all.labels.filter((one) => one === label).length);
  console.log(`images of each label: ${counts.join(' ')}`);

  // A fifth of the images is for validation; scikit-learn picks the same.
  const [train, validation] = data.trainTestSplit(quick ? first(all, 3200) : all, {
    testSize: 0.2,
    randomState: 42,
  });
  // Bytes → 0 … 1. Nothing is computed yet: the images stay bytes, and the first kernel divides.
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28 * 28] })
      .cast('float32')
      .div(255);
  console.log(`training (${train.count}, 784), validation (${validation.count}, 784)\n`);

  // The model.
  const model = sequential([layers.dense({ units: 10, activation: 'softmax', inputShape: [784] })]);
  model.compile({ optimizer: 'rmsprop', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });

  await model.fit(scaled(train), train.labels, { epochs: epochs(5), callbacks: [clock] });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(scaled(validation), validation.labels);
  console.log(`validation loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);

  // What each class looks like to the model: the weights of its unit, as an image.
  const [kernel] = model.getWeights();
  await picture('t1-weights.svg', plot.weights(await kernel.array(), { labels: classNames }));
});
