#!/usr/bin/env node
/** T11. A small convnet on MNIST: three convolutions and one dense layer, with rmsprop. */
import { datasets, layers, model, plot, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

await lesson(async ({ quick, source, picture, epochs, clock }) => {
  // There are no drawn digits to fall back to.
  const { fallback: _, ...digits } = source;
  const mnist = await datasets.mnist(digits);
  const [train, test] = quick ? [first(mnist.train, 256), first(mnist.test, 64)] : [mnist.train, mnist.test];
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28, 28, 1] })
      .cast('float32')
      .div(255);

  // Maps become smaller and more: each convolution looks at larger parts of the picture for more different things.
  const inputs = layers.input([28, 28, 1]);
  let x = inputs;
  x = layers.conv2d(32, 3, { activation: 'relu' }).apply(x);
  x = layers.maxPooling2d(2).apply(x);
  x = layers.conv2d(64, 3, { activation: 'relu' }).apply(x);
  x = layers.maxPooling2d(2).apply(x);
  x = layers.conv2d(128, 3, { activation: 'relu' }).apply(x);
  x = layers.flatten().apply(x);
  const outputs = layers.dense({ units: 10, activation: 'softmax' }).apply(x);
  const convnet = model({ inputs, outputs });
  convnet.summary();

  convnet.compile({ optimizer: 'rmsprop', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
  await convnet.fit(scaled(train), train.labels, { epochs: epochs(5), batchSize: 64, callbacks: [clock] });
  console.log(`${clock}\n`);

  const { loss, accuracy } = await convnet.evaluate(scaled(test), test.labels, { verbose: 0 });
  console.log(`test loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);

  // Which digits are taken for which?
  const answers = await (await convnet.predict(scaled(test), { verbose: 0 })).argMax(1).data();
  const counts = Array.from({ length: 10 }, () => new Array(10).fill(0));
  answers.forEach((answer, i) => {
    counts[test.labels[i]][answer]++;
  });
  await picture('t11-confusion.svg', plot.confusion(counts, { title: 'Digits and answers' }));
});
