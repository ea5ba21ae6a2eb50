#!/usr/bin/env node
/**
 * T13. Pictures in, pictures out: a convolutional autoencoder takes noise away, and a small U-Net says of each pixel what it
 * belongs to. Both on made pictures of shapes (synthetic).
 */
import { layers, model, optimizers, plot, sequential, tensor } from 'weft-gpu';
import { lesson } from './lesson.js';
import { KINDS, scenes } from './made.js';

await lesson(async ({ quick, seed, picture, epochs, clock }) => {
  const train = scenes(quick ? 32 : 1200, { seed });
  const test = scenes(quick ? 8 : 200, { seed: seed + 1 });
  const { side } = train;
  const pictures = (data, { count }) => tensor(data, { shape: [count, side, side, 1] });
  console.log(`synthetic: ${train.count} made pictures to train on, ${test.count} to test with\n`);

  // The autoencoder: down to a 4th of the numbers, and up again. Noise finds no room in there.
  const { conv2d, conv2dTranspose } = layers;
  const autoencoder = sequential([
    conv2d(16, 3, { strides: 2, padding: 'same', activation: 'relu', inputShape: [side, side, 1] }),
    conv2d(4, 3, { strides: 2, padding: 'same', activation: 'relu' }),
    conv2dTranspose(16, 3, { strides: 2, padding: 'same', activation: 'relu' }),
    conv2dTranspose(16, 3, { strides: 2, padding: 'same', activation: 'relu' }),
    conv2d(1, 3, { padding: 'same', activation: 'sigmoid' }),
  ]);
  autoencoder.summary();
  autoencoder.compile({ optimizer: optimizers.adam({ learningRate: 0.003 }), loss: 'mse' });
  await autoencoder.fit(pictures(train.noisy, train), pictures(train.clean, train), {
    epochs: epochs(20),
    batchSize: 32,
    verbose: 0,
    callbacks: [clock],
  });
  console.log(`${clock}\n`);
  const restored = await (await autoencoder.predict(pictures(test.noisy, test), { verbose: 0 })).data();
  const error = (list) => list.reduce((sum, value, i) => sum + (value - test.clean[i]) ** 2, 0) / list.length;
  console.log(
    `mean squared error: noisy ${error(test.noisy).toFixed(4)}, restored ${error(restored).toFixed(4)}\n`,
  );
  const few = (data) => ({ data: data.subarray(0, 6 * side * side), shape: [6, side, side] });
  const row = { size: 84, range: [0, 1] };
  await picture('t13-noisy.svg', plot.images(few(test.noisy), { ...row, title: 'Noisy' }));
  await picture('t13-restored.svg', plot.images(few(restored), { ...row, title: 'Restored' }));

  // The U-Net: what was seen small is joined with what was seen sharp.
  const twice = (x, filters) => {
    const options = { padding: 'same', activation: 'relu' };
    return conv2d(filters, 3, options).apply(conv2d(filters, 3, options).apply(x));
  };
  const input = layers.input([side, side, 1]);
  const sharp = twice(input, 8);
  const half = twice(layers.maxPooling2d(2).apply(sharp), 16);
  const quarter = twice(layers.maxPooling2d(2).apply(half), 32);
  const joined = (small, large) =>
    layers.concatenate().apply([layers.upSampling2d({ size: 2 }).apply(small), large]);
  const up = twice(joined(quarter, half), 16);
  const full = twice(joined(up, sharp), 8);
  const each = conv2d(KINDS.length, 1, { activation: 'softmax' }).apply(full);
  const unet = model({ inputs: input, outputs: each, name: 'unet' });
  console.log(`U-Net: ${unet.countParams()} parameters`);
  await picture('t13-unet.svg', plot.model(unet, { showShapes: true }));

  unet.compile({
    optimizer: optimizers.adam({ learningRate: 0.003 }),
    loss: 'sparse_categorical_crossentropy',
    metrics: ['accuracy'],
  });
  const masks = ({ masks, count }) => tensor(masks, { shape: [count, side, side] });
  await unet.fit(pictures(train.noisy, train), masks(train), {
    epochs: epochs(20),
    batchSize: 16,
    verbose: 2,
    callbacks: [clock],
  });
  console.log(`${clock}\n`);

  // Intersection over union of each kind, and their mean.
  const answers = await (await unet.predict(pictures(test.noisy, test), { verbose: 0 })).argMax(3).data();
  const shares = KINDS.map((_, kind) => {
    let [both, either] = [0, 0];
    test.masks.forEach((truth, i) => {
      if (truth === kind && answers[i] === kind) both++;
      if (truth === kind || answers[i] === kind) either++;
    });
    return both / Math.max(1, either);
  });
  KINDS.forEach((kind, k) => {
    console.log(`IoU of ${kind}: ${shares[k].toFixed(4)}`);
  });
  console.log(`mean IoU: ${(shares.reduce((sum, share) => sum + share, 0) / shares.length).toFixed(4)}`);
  const kinds = { size: 84, range: [0, KINDS.length - 1] };
  await picture('t13-truth.svg', plot.images(few(test.masks), { ...kinds, title: 'What is where' }));
  await picture('t13-answers.svg', plot.images(few(answers), { ...kinds, title: 'What the U-Net says' }));
});
