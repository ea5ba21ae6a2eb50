#!/usr/bin/env node
/**
 * T10. Looking inside a convolutional network: filters before and after training, what they find, and where the
 * network looks. Opens the network that T9 left in the folder; without one it trains one for an epoch.
 */
import { existsSync } from 'node:fs';
import { datasets, gradients, layers, loadModel, model, plot, sequential, tensor } from 'weft-gpu';
import { first, lesson } from './lesson.js';

/** T9's network, with new weights. */
const fresh = () =>
  sequential([
    layers.conv2d({
      filters: 32,
      kernelSize: 3,
      activation: 'relu',
      padding: 'same',
      inputShape: [28, 28, 1],
    }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu', padding: 'same' }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 100, activation: 'relu' }),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);

/** How many of the numbers lie in each of 25 drawers from −0.6 to 0.6; those beyond are in the outermost. */
const EDGE = 0.6;
const drawers = Float32Array.from({ length: 25 }, (_, i) => ((i - 12) / 12.5) * EDGE);
function histogram(numbers) {
  const counts = new Float32Array(drawers.length);
  for (const number of numbers) {
    const drawer = Math.floor(((number + EDGE) / (2 * EDGE)) * counts.length);
    counts[Math.min(counts.length - 1, Math.max(0, drawer))]++;
  }
  return counts;
}

await lesson(async ({ quick, source, picture, place, epochs, clock }) => {
  const { train, test, classNames } = await datasets.fashionMnist(source);
  const scaled = ({ images, count }) =>
    tensor(images, { shape: [count, 28, 28, 1] })
      .cast('float32')
      .div(255);

  const saved = place('best-cnn-model.keras');
  let trained;
  if (saved && existsSync(saved)) {
    trained = await loadModel(saved);
    console.log(`trained by T9: ${saved}`);
  } else {
    const some = quick ? first(train, 64) : train;
    trained = fresh();
    trained.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
    await trained.fit(scaled(some), some.labels, { epochs: epochs(1), callbacks: [clock] });
    console.log(`${clock}\n`);
  }

  // The weights of the first layer: alike and small before, larger and in patterns after.
  const kernels = {};
  for (const [when, net] of Object.entries({ 'before training': fresh(), 'after training': trained })) {
    const [kernel] = net.layers[0].weights;
    const numbers = await kernel.data();
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    const spread = Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length);
    console.log(
      `${when}: [${kernel.shape}], mean ${mean.toFixed(4)}, standard deviation ${spread.toFixed(4)}`,
    );
    kernels[when] = numbers;
    const title = `32 filters ${when}`;
    const svg = plot.filters(
      { data: numbers, shape: kernel.shape },
      { columns: 16, size: 44, limit: EDGE, title },
    );
    await picture(`t10-filters-${when.split(' ')[0]}.svg`, svg);
  }
  const counts = Object.fromEntries(
    Object.entries(kernels).map(([when, numbers]) => [when, histogram(numbers)]),
  );
  await picture(
    't10-histogram.svg',
    plot.curves(counts, {
      x: drawers,
      xLabel: 'weight',
      yLabel: 'how many',
      title: 'Weights of the first layer',
      width: 560,
    }),
  );

  // The same layers once more, as a network that also gives what it has in between.
  const input = layers.input([28, 28, 1]);
  const convolved = [];
  let last = input;
  for (const layer of trained.layers) {
    last = layer.apply(last);
    if (layer.className === 'Conv2D') convolved.push(last);
  }
  const inside = model({ inputs: input, outputs: [...convolved, last] });
  const boot = first(test, 1);
  const [edges, parts] = await inside.predict(scaled(boot), { verbose: 0 });
  for (const [name, maps] of Object.entries({ first: edges, second: parts })) {
    console.log(`feature maps of the ${name} layer: [${maps.shape}]`);
    const title = `What the ${name} convolution finds`;
    const svg = plot.featureMaps(await maps.array(), {
      columns: 16,
      size: name === 'first' ? 60 : 40,
      title,
    });
    await picture(`t10-maps-${name}.svg`, svg);
  }

  // Where it looks: how the probability of its own answer depends on the maps of the second convolution.
  const shown = first(test, 8);
  const [, seen, given] = await inside.predict(scaled(shown), { verbose: 0 });
  const answers = (await given.array()).map((row) => row.indexOf(Math.max(...row)));
  const maps = tensor(await seen.array());
  const after = trained.layers.slice(
    trained.layers.findLastIndex(({ className }) => className === 'Conv2D') + 1,
  );
  const probabilities = after.reduce((y, layer) => layer.apply(y), maps);
  const one = answers.map((answer) => Array.from({ length: 10 }, (_, k) => (k === answer ? 1 : 0)));
  const [slopes] = gradients(probabilities.log().mul(tensor(one)).sum(), [maps]);
  const labels = answers.map((answer) => classNames[answer]);
  await picture('t10-images.svg', plot.images(shown, { columns: 8, size: 100, classNames }));
  await picture(
    't10-grad-cam.svg',
    plot.gradCam(
      shown,
      { maps: await maps.array(), gradients: await slopes.array() },
      { columns: 8, size: 100, labels },
    ),
  );
  console.log(`the model says ${labels.join(', ')}`);
});
