#!/usr/bin/env node
/**
 * T12. A small residual network with batch normalization and separable convolutions, without and with augmentation. On CIFAR-10
 * where --data names its folder, else on made pictures of coloured shapes (synthetic).
 */
import { datasets, layers, model, plot, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';
import { coloured } from './made.js';

await lesson(async ({ quick, source, seed, picture, epochs, clock }) => {
  // Few pictures to train on, so that there is something to be learned by heart.
  const counts = quick ? [32, 16] : [600, 600];
  const made = () => ({
    train: coloured(counts[0], { seed }),
    test: coloured(counts[1], { seed: seed + 1 }),
  });
  const {
    train: all,
    test: every,
    classNames,
  } = source.dir ? await datasets.cifar10(source) : { ...made(), classNames: coloured.classNames };
  const [train, test] = [first(all, counts[0]), first(every, counts[1])];
  const what = source.dir ? 'CIFAR-10' : 'synthetic: made pictures';
  console.log(
    `${what}, ${train.count} to train on, ${test.count} to validate with, ${classNames.length} classes\n`,
  );
  await picture('t12-samples.svg', plot.images(train, { count: 12, columns: 12, classNames }));

  const { conv2d, separableConv2d, batchNormalization, activation, maxPooling2d } = layers;
  /** Entry, three residual blocks that halve the picture, mean over places, classes. */
  const network = (augmentation) => {
    const options = { padding: 'same', useBias: false };
    const inputs = layers.input([32, 32, 3]);
    let x = augmentation.reduce((y, layer) => layer.apply(y), inputs);
    x = layers.rescaling({ scale: 1 / 255 }).apply(x);
    x = conv2d(16, 3, options).apply(x);
    for (const filters of [16, 32, 64]) {
      const before = x;
      for (let i = 0; i < 2; i++) {
        x = batchNormalization().apply(x);
        x = activation('relu').apply(x);
        x = separableConv2d(filters, 3, options).apply(x);
      }
      x = maxPooling2d(3, { strides: 2, padding: 'same' }).apply(x);
      const passed = conv2d(filters, 1, { ...options, strides: 2 }).apply(before);
      x = layers.add().apply([x, passed]);
    }
    x = layers.globalAveragePooling2d().apply(x);
    const outputs = layers.dense({ units: classNames.length, activation: 'softmax' }).apply(x);
    const net = model({ inputs, outputs });
    net.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
    return net;
  };
  const pixels = ({ images, count }) => tensor(images, { shape: [count, 32, 32, 3] });

  const ways = {
    'without augmentation': [],
    'with augmentation': [
      layers.randomFlip({ mode: 'horizontal' }),
      layers.randomTranslation({ heightFactor: 0.15, widthFactor: 0.15 }),
      layers.randomContrast(0.2),
    ],
  };
  for (const [way, augmentation] of Object.entries(ways)) {
    const net = network(augmentation);
    const history = await net.fit(pixels(train), train.labels, {
      epochs: epochs(15),
      batchSize: 32,
      validationData: [pixels(test), test.labels],
      verbose: 0,
      callbacks: [clock],
    });
    // As it is at the end, on the pictures as they are.
    const [known, unknown] = [
      await net.evaluate(pixels(train), train.labels, { verbose: 0 }),
      await net.evaluate(pixels(test), test.labels, { verbose: 0 }),
    ];
    console.log(`${way}: ${net.countParams()} parameters`);
    for (const key of ['loss', 'accuracy']) {
      const gap = Math.abs(known[key] - unknown[key]);
      console.log(
        `  ${key}: training ${known[key].toFixed(4)}, validation ${unknown[key].toFixed(4)}, gap ${gap.toFixed(4)}`,
      );
    }
    await picture(`t12-${way.split(' ')[0]}.svg`, plot.history(history, { title: way }));
    console.log(`  ${clock}`);
  }
});
