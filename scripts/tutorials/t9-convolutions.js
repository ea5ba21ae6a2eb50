#!/usr/bin/env node
/** T9. A convolutional network on Fashion-MNIST: its picture with shapes, early stopping, one prediction as bars. */
import { callbacks, data, datasets, layers, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, place, epochs, clock }) => {
  const { train: all, test: every, classNames } = await datasets.fashionMnist(source);
  const [train, validation] = data.trainTestSplit(quick ? first(all, 160) : all, {
    testSize: 0.2,
    randomState: 42,
  });
  const test = quick ? first(every, 32) : every;
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28, 28, 1] })
      .cast('float32')
      .div(255);

  const model = sequential();
  model.add(
    layers.conv2d({
      filters: 32,
      kernelSize: 3,
      activation: 'relu',
      padding: 'same',
      inputShape: [28, 28, 1],
    }),
  );
  model.add(layers.maxPooling2d({ poolSize: 2 }));
  model.add(layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu', padding: 'same' }));
  model.add(layers.maxPooling2d({ poolSize: 2 }));
  model.add(layers.flatten());
  model.add(layers.dense({ units: 100, activation: 'relu' }));
  model.add(layers.dropout({ rate: 0.4 }));
  model.add(layers.dense({ units: 10, activation: 'softmax' }));
  model.summary();
  await picture('t9-model.svg', plot.model(model, { showShapes: true, direction: 'LR' }));

  model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
  // The best epoch is kept: as a file where there is a folder, and in the model when two epochs brought nothing better.
  const best = place('best-cnn-model.keras');
  const history = await model.fit(scaled(train), train.labels, {
    epochs: epochs(20),
    validationData: [scaled(validation), validation.labels],
    callbacks: [
      ...(best ? [callbacks.modelCheckpoint(best, { saveBestOnly: true })] : []),
      callbacks.earlyStopping({ patience: 2, restoreBestWeights: true }),
      clock,
    ],
  });
  console.log(`${clock}\n`);
  await picture('t9-history.svg', plot.history(history, { title: 'Fashion-MNIST, two convolutions' }));

  const held = await model.evaluate(scaled(validation), validation.labels, { verbose: 0 });
  console.log(`validation loss ${held.loss.toFixed(4)}, accuracy ${held.accuracy.toFixed(4)}`);
  const { loss, accuracy } = await model.evaluate(scaled(test), test.labels, { verbose: 0 });
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}\n`);

  // What is the first image that it was not trained on?
  const image = first(validation, 1);
  const [probabilities] = await (await model.predict(scaled(image), { verbose: 0 })).array();
  const guess = probabilities.indexOf(Math.max(...probabilities));
  console.log(`the model says ${classNames[guess]}; it is ${classNames[image.labels[0]]}`);
  await picture('t9-image.svg', plot.images(image, { colors: 'binary', size: 280, classNames }));
  await picture('t9-prediction.svg', plot.bars(probabilities, { labels: classNames, title: 'What is it?' }));
});
