#!/usr/bin/env node
/** T4. A hidden layer, three ways to build the model, names for model and layers, and the summary. */
import { data, datasets, layers, Sequential, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, epochs, clock }) => {
  const { train: all } = await datasets.fashionMnist(source);
  const [train, validation] = data.trainTestSplit(quick ? first(all, 3200) : all, {
    testSize: 0.2,
    randomState: 42,
  });
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28 * 28] })
      .cast('float32')
      .div(255);

  // First way: the layers in variables.
  const dense1 = layers.dense({ units: 100, activation: 'sigmoid', inputShape: [784] });
  const dense2 = layers.dense({ units: 10, activation: 'softmax' });
  new Sequential([dense1, dense2]).summary();

  // Second way: the layers inside the constructor, with names, in any language.
  sequential(
    [
      layers.dense({ units: 100, activation: 'sigmoid', inputShape: [784], name: '은닉층' }),
      layers.dense({ units: 10, activation: 'softmax', name: '출력층' }),
    ],
    { name: '패션_MNIST_모델' },
  ).summary();

  // Third way: one layer after the other.
  const model = sequential();
  model.add(layers.dense({ units: 100, activation: 'sigmoid', inputShape: [784] }));
  model.add(layers.dense({ units: 10, activation: 'softmax' }));
  model.summary();
  model.summary({ form: 'keras2' }); // the same as tf.keras 2 prints it

  model.compile({ loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
  await model.fit(scaled(train), train.labels, { epochs: epochs(5), callbacks: [clock] });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(scaled(validation), validation.labels);
  console.log(`validation loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
});
