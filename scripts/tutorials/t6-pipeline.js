#!/usr/bin/env node
/** T6. MNIST through a data pipeline, two small hidden layers, validation after each epoch, a saved model. */
import { data, datasets, layers, loadModel, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, seed, picture, place, epochs, clock }) => {
  // There are no drawn digits to fall back to.
  const { fallback: _, ...digits } = source;
  const mnist = await datasets.mnist(digits);
  const [all, test] = quick ? [first(mnist.train, 2000), first(mnist.test, 640)] : [mnist.train, mnist.test];
  const scaled = ({ images }) => tensor(images).reshape([-1, 28, 28]).cast('float32').div(255);

  // 70 of 100 images to train on, the others to validate with. Shuffled once, or images would change sides
  // from epoch to epoch, and the validation would see what was trained on.
  const images = data.Dataset.fromTensorSlices([scaled(all), all.labels]).shuffle(10_000, seed, {
    reshuffleEachIteration: false,
  });
  const count = Math.floor(0.7 * all.count);
  const train = images.take(count).shuffle(10_000, seed).batch(20);
  const validation = images.skip(count).batch(20);
  const held = data.Dataset.fromTensorSlices([scaled(test), test.labels]).batch(20);

  const model = sequential([
    layers.flatten({ inputShape: [28, 28] }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);
  model.summary();
  model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });

  const history = await model.fit(train, {
    epochs: epochs(10, 2),
    validationData: validation,
    callbacks: [clock],
  });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(held);
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
  await picture('t6-history.svg', plot.history(history, { title: 'MNIST, 784-20-20-10' }));

  // A file that Keras opens, and so do we.
  const path = place('mnist_model.h5');
  if (!path) return;
  await model.save(path);
  const loaded = await loadModel(path);
  const again = await loaded.evaluate(held, { verbose: 0 });
  console.log(`saved: ${path}; loaded again, its test accuracy is ${again.accuracy.toFixed(4)}`);
});
