#!/usr/bin/env node
/** T7. Activation functions and their derivatives as curves, and a regression: an output without an activation. */
import { activations, gradients, layers, optimizers, plot, sequential, tensor } from 'weft-gpu';
import { lesson } from './lesson.js';

/** count numbers from `from` to `to`, both included. */
const linspace = (from, to, count) =>
  Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

await lesson(async ({ picture, epochs, clock }) => {
  // The step of the first perceptrons, and what took its place.
  const functions = {
    step: (x) => x.greater(0).cast('float32'),
    sigmoid: activations.sigmoid,
    relu: activations.relu,
  };
  const places = linspace(-5, 5, 401);
  const panels = [];
  for (const [title, f] of Object.entries(functions)) {
    const x = tensor(places);
    const y = f(x);
    // The step is flat wherever it has a slope, so nothing can be learned through it.
    const slope = title === 'step' ? x.mul(0) : gradients(y.sum(), [x])[0];
    const value = await y.data();
    const derivative = await slope.data();
    panels.push({ title, curves: { [`${title}(x)`]: value, derivative } });

    const at = (list, place) => list[places.indexOf(place)].toFixed(4);
    console.log(`${title.padEnd(8)} at −5, 0, 5: ${[-5, 0, 5].map((place) => at(value, place)).join(' ')}`);
    console.log(
      `${' slope'.padEnd(8)} at −5, 0, 5: ${[-5, 0, 5].map((place) => at(derivative, place)).join(' ')}`,
    );
  }
  await picture('t7-activations.svg', plot.curves(panels, { x: places }));

  // Regression: the last layer is linear, since any number may be the answer.
  const count = 256;
  const x = linspace(-3, 3, count);
  const y = x.map((place) => Math.sin(2 * place) + 0.5 * place);
  const model = sequential([
    layers.dense({ units: 32, activation: 'tanh', inputShape: [1] }),
    layers.dense({ units: 32, activation: 'tanh' }),
    layers.dense({ units: 1 }),
  ]);
  model.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: 'mse', metrics: ['mae'] });
  const column = (list) => tensor(list, { shape: [count, 1] });
  const { history } = await model.fit(column(x), column(y), {
    epochs: epochs(200, 5),
    batchSize: 32,
    verbose: 0,
    callbacks: [clock],
  });
  console.log(`\nmean squared error after ${history.loss.length} epochs: ${history.loss.at(-1).toFixed(4)}`);
  console.log(`${clock}`);

  const predicted = await (await model.predict(column(x), { verbose: 0 })).data();
  const curves = { 'sin 2x + x / 2': y, 'the model': predicted };
  await picture('t7-regression.svg', plot.curves(curves, { x, dashed: ['the model'], width: 560 }));
});
