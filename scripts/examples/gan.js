/**
 * A generative adversarial network in the plane: one network draws points from noise, the other tells them from real ones,
 * which lie around (2, −1). Both are trained by one step of our own, with an optimizer each, captured once and replayed.
 *
 *   node scripts/examples/gan.js
 */
import {
  capture,
  gradients,
  init,
  layers,
  losses,
  model,
  ones,
  optimizers,
  tensor,
  zeros,
} from '../../dist/index.js';
import { findGpu } from '../support/software-adapter.js';

const BATCH = 32;
const CENTRE = [2, -1];
const { gpu, note } = await findGpu();
const engine = await init({ gpu, seed: 4 });
console.log(note);

/** A network with one hidden layer. */
function network(inputs, outputs, activation) {
  const x = layers.input([inputs]);
  return model({
    inputs: x,
    outputs: layers.dense(outputs).apply(layers.dense(16, { activation }).apply(x)),
  });
}
const generator = network(4, 2, 'tanh');
const critic = network(2, 1, 'relu');
const painter = optimizers.adam(0.005);
const judge = optimizers.adam(0.01);
const crossentropy = losses.binaryCrossentropy({ fromLogits: true });

const step = capture(
  (real, noise) => {
    const drawn = generator.apply(noise);
    const [yes, no] = [ones([BATCH, 1]), zeros([BATCH, 1])];
    const told = crossentropy
      .compute(yes, critic.apply(real))
      .add(crossentropy.compute(no, critic.apply(drawn)))
      .mean();
    const fooled = crossentropy.compute(yes, critic.apply(drawn)).mean();
    // Both gradients are of the weights as they are, before either network is updated.
    const ofCritic = gradients(told, critic.trainableWeights);
    const ofGenerator = gradients(fooled, generator.trainableWeights);
    judge.apply(critic.trainableWeights, ofCritic);
    painter.apply(generator.trainableWeights, ofGenerator);
    return { told, fooled, mean: drawn.mean(0) };
  },
  { name: 'gan' },
);

// The same numbers every time.
let state = 1;
const random = () => {
  state = (state * 16807) % 2147483647;
  return state / 2147483647 - 0.5;
};
const rows = (width, value) =>
  tensor(
    Float32Array.from({ length: BATCH * width }, (_, i) => value(i % width)),
    { shape: [BATCH, width] },
  );

let means = [0, 0];
for (let i = 1; i <= 1500; i++) {
  const real = rows(2, (axis) => CENTRE[axis] + 0.2 * random());
  const { told, fooled, mean } = await step(real, rows(4, random));
  const [x, y] = await mean.array();
  means = [0.98 * means[0] + 0.02 * x, 0.98 * means[1] + 0.02 * y];
  if (i % 300 === 0)
    console.log(
      `step ${i}: critic ${(await told.item()).toFixed(3)}, generator ${(await fooled.item()).toFixed(3)}, points around (${means.map((one) => one.toFixed(2)).join(', ')})`,
    );
}
console.log(JSON.stringify({ dispatches: step.dispatches, traces: step.traces, means }));
await engine.close();
