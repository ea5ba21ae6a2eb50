#!/usr/bin/env node
/** T2. The same network with its input as a layer of its own, trained for twice as long. */
import { data, datasets, layers, plot, Sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, epochs, clock }) => {
  const { train: all } = await datasets.fashionMnist(source);
  const [train, validation] = data.trainTestSplit(quick ? first(all, 3200) : all, {
    testSize: 0.2,
    randomState: 42,
  });
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28 * 28] })
      .cast('float32')
      .div(255);

  const input = layers.input({ shape: [784] });
  const dense = layers.dense({ units: 10, activation: 'softmax' });
  const model = new Sequential([input, dense]);
  model.summary();

  model.compile({ loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] }); // rmsprop, as in Keras
  const history = await model.fit(scaled(train), train.labels, {
    epochs: epochs(10, 2),
    callbacks: [clock],
  });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await model.evaluate(scaled(validation), validation.labels);
  console.log(`validation loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
  await picture('t2-history.svg', plot.history(history));
});
