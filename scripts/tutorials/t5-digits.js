#!/usr/bin/env node
/** T5. MNIST: reshape, rescale, one-hot labels, train, evaluate, and look at one prediction. */
import { data, datasets, layers, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, epochs, clock }) => {
  // There are no drawn digits to fall back to.
  const { fallback: _, ...digits } = source;
  const mnist = await datasets.mnist(digits);
  const [train, test] = quick
    ? [first(mnist.train, 2560), first(mnist.test, 640)]
    : [mnist.train, mnist.test];

  // (60000, 28, 28) bytes → (60000, 784) numbers from 0 to 1; labels → rows with a one.
  const trainImages = tensor(train.images)
    .reshape([-1, 28 * 28])
    .cast('float32')
    .div(255);
  const testImages = tensor(test.images)
    .reshape([-1, 28 * 28])
    .cast('float32')
    .div(255);
  const oneHot = (labels) => {
    const rows = data.toCategorical(labels, 10);
    return tensor(rows.data, { shape: rows.shape });
  };
  const trainLabels = oneHot(train.labels);
  const testLabels = oneHot(test.labels);

  const model = sequential();
  model.add(layers.dense({ units: 512, activation: 'relu', inputShape: [28 * 28] }));
  model.add(layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: 'rmsprop', loss: 'categorical_crossentropy', metrics: ['accuracy'] });

  await model.fit(trainImages, trainLabels, { epochs: epochs(5), batchSize: 128, callbacks: [clock] });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(testImages, testLabels);
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}\n`);

  // What is on the first test image?
  const image = first(test, 1);
  const [probabilities] = await (await model.predict(testImages.slice([0, 0], [1, 784]))).array();
  const guess = probabilities.indexOf(Math.max(...probabilities));
  console.log(probabilities.map((p, digit) => `${digit}: ${p.toFixed(4)}`).join('  '));
  console.log(`the model says ${guess}; it is ${image.labels[0]}`);
  await picture('t5-prediction.svg', plot.bars(probabilities, { title: 'Which digit is it?' }));
  await picture('t5-image.svg', plot.images(image, { colors: 'binary', size: 280 }));
});
