#!/usr/bin/env node
/** T6. MNIST through a data pipeline, 70:30; two small hidden layers, validation after each epoch, the history. */
import { data, datasets, layers, plot, sequential, tensor } from 'weft';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, place, clock }) => {
  const mnist = await datasets.mnist(source);
  const [all, test] = quick ? [first(mnist.train, 2000), first(mnist.test, 640)] : [mnist.train, mnist.test];
  const scaled = ({ images }) => tensor(images).reshape([-1, 28, 28]).cast('float32').div(255);

  // 70 of 100 images to train on, the others to validate with. The pipeline moves row numbers only: the images stay
  // where they are, as bytes. Shuffled once and for all, so that no image changes sides from epoch to epoch.
  const count = Math.floor(0.7 * all.count);
  const rows = data.Dataset.fromTensorSlices([scaled(all), all.labels]).shuffle(10_000, 42, {
    reshuffleEachIteration: false,
  });
  const train = rows.take(count).batch(20);
  const validation = rows.skip(count).batch(20);

  const model = sequential([
    layers.flatten({ inputShape: [28, 28] }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });

  const history = await model.fit(train, {
    epochs: quick ? 2 : 10,
    validationData: validation,
    callbacks: [clock],
  });
  console.log(`${clock}\n`);

  const tests = data.Dataset.fromTensorSlices([scaled(test), test.labels]).batch(20);
  const { loss, accuracy } = await model.evaluate(tests);
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}\n`);
  model.summary();
  await picture('t6-history.svg', plot.history(history, { title: 'MNIST, 784-20-20-10' }));
  const file = place('mnist_model.h5');
  if (file) {
    await model.save(file);
    console.log(`model: ${file}`);
  }
});
