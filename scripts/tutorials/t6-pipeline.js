#!/usr/bin/env node
/** T6. MNIST split 70:30, two small hidden layers, validation after each epoch, and the training's history. */
import { datasets, layers, plot, sequential, tensor } from 'weft';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, clock }) => {
  const mnist = await datasets.mnist(source);
  const [all, test] = quick ? [first(mnist.train, 2000), first(mnist.test, 640)] : [mnist.train, mnist.test];
  const scaled = ({ images }) => tensor(images).reshape([-1, 28, 28]).cast('float32').div(255);

  // 70 of 100 images to train on, the others to validate with.
  const count = Math.floor(0.7 * all.count);
  const images = scaled(all);
  const part = (begin, size) => [
    images.slice([begin, 0, 0], [size, 28, 28]),
    all.labels.subarray(begin, begin + size),
  ];
  const [xTrain, yTrain] = part(0, count);
  const validationData = part(count, all.count - count);

  const model = sequential([
    layers.flatten({ inputShape: [28, 28] }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 20, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });

  const history = await model.fit(xTrain, yTrain, {
    epochs: quick ? 2 : 10,
    batchSize: 20,
    validationData,
    callbacks: [clock],
  });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(scaled(test), test.labels);
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}\n`);
  model.summary();
  await picture('t6-history.svg', plot.history(history, { title: 'MNIST, 784-20-20-10' }));
});
