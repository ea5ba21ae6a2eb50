#!/usr/bin/env node
/** T8. Too much of a good thing: validation curves, dropout, weights and models in files, and stopping in time. */
import { callbacks, data, datasets, layers, loadModel, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, place, epochs, clock }) => {
  const { train: all } = await datasets.fashionMnist(source);
  const [train, validation] = data.trainTestSplit(quick ? first(all, 1600) : all, {
    testSize: 0.2,
    randomState: 42,
  });
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28, 28] })
      .cast('float32')
      .div(255);
  const images = scaled(train);
  const held = [scaled(validation), validation.labels];

  /** Dense(100, relu), what comes after it, Dense(10, softmax). */
  const network = (...after) => {
    const model = sequential([
      layers.flatten({ inputShape: [28, 28] }),
      layers.dense({ units: 100, activation: 'relu' }),
      ...after,
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
    return model;
  };
  const learn = (model, most, chosen) =>
    model.fit(images, train.labels, { epochs: epochs(most, 2), validationData: held, ...chosen });
  const told = async (model, what) => {
    const { loss, accuracy } = await model.evaluate(...held, { verbose: 0 });
    console.log(`${what}: validation loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
  };

  // Twenty epochs are too many: the training loss falls on while the validation loss climbs.
  const plain = await learn(network(), 20, { verbose: 0, callbacks: [clock] });
  await picture('t8-overfitting.svg', plot.history(plain, { title: 'Without dropout' }));

  // With three of ten hidden values left out at random, it takes longer to get there.
  const model = network(layers.dropout({ rate: 0.3 }));
  model.summary();
  const dropped = await learn(model, 20, { verbose: 0 });
  await picture('t8-dropout.svg', plot.history(dropped, { title: 'With dropout' }));
  for (const [what, { history }] of Object.entries({ 'without dropout': plain, 'with dropout': dropped })) {
    const best = history.val_loss.indexOf(Math.min(...history.val_loss));
    console.log(
      `${what}: the validation loss is least after epoch ${best + 1}, ${history.val_loss[best].toFixed(4)}`,
    );
  }
  console.log(`${clock}\n`);

  // Weights alone go into a model that is made in the same way; a whole model needs nothing but its file.
  await told(model, 'trained');
  if (place('')) {
    await model.saveWeights(place('model.weights.h5'));
    await model.save(place('model-whole.keras'));
    const again = network(layers.dropout({ rate: 0.3 }));
    await again.loadWeights(place('model.weights.h5'));
    await told(again, 'with its weights');
    await told(await loadModel(place('model-whole.keras')), 'from its file');
  }

  // The best epoch is kept, and two that bring nothing better are the end.
  const stopped = network(layers.dropout({ rate: 0.3 }));
  const stop = callbacks.earlyStopping({ patience: 2, restoreBestWeights: true });
  const checkpoint = place('')
    ? [callbacks.modelCheckpoint(place('best-model.keras'), { saveBestOnly: true })]
    : [];
  const history = await learn(stopped, 20, { callbacks: [...checkpoint, stop] });
  console.log(`\nthe last epoch was ${history.epoch.length}`);
  await told(stopped, 'the best epoch');
  await picture('t8-stopped.svg', plot.history(history, { title: 'Stopped in time' }));
});
