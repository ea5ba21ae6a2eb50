/**
 * A generative adversarial network in the plane: one network draws points from noise, the other tells them from real ones,
 * which lie around (2, −1). One step trains both, with an optimizer each.
 *
 *   node scripts/examples/gan.js
 */
import { gradients, layers, losses, Model, ones, optimizers, sequential, zeros } from '../../dist/index.js';
import { draw, open, report, rows } from './support.js';

const CENTRE = [2, -1];
const engine = await open();

/** A network with one hidden layer. */
const network = (inputs, outputs, activation) =>
  sequential([layers.input([inputs]), layers.dense(16, { activation }), layers.dense(outputs)]);

class Gan extends Model {
  generator = network(4, 2, 'tanh');
  critic = network(2, 1, 'relu');
  judge = optimizers.adam(0.01, { beta1: 0.5 });
  crossentropy = losses.binaryCrossentropy({ fromLogits: true });

  call(noise) {
    return this.generator.apply(noise);
  }

  trainStep({ x: noise, y: real }) {
    const { generator, critic } = this;
    const drawn = generator.apply(noise);
    const [yes, no] = [ones([real.shape[0], 1]), zeros([real.shape[0], 1])];
    const told = this.crossentropy
      .compute(yes, critic.apply(real))
      .add(this.crossentropy.compute(no, critic.apply(drawn)));
    const fooled = this.crossentropy.compute(yes, critic.apply(drawn));
    // Both gradients are of the weights as they are, before either network is updated.
    const ofCritic = gradients(told, critic.trainableWeights);
    const ofGenerator = gradients(fooled, generator.trainableWeights);
    this.judge.apply(critic.trainableWeights, ofCritic);
    this.optimizer.apply(generator.trainableWeights, ofGenerator);
    return { told, fooled };
  }
}

const net = new Gan();
net.compile({ optimizer: optimizers.adam(0.002, { beta1: 0.5 }) });
const noise = rows(960, 4, draw);
const real = rows(960, 2, (_, axis) => CENTRE[axis] + 0.2 * draw());
await report(
  engine,
  net,
  () => net.fit(noise, real, { batchSize: 32, epochs: 60, verbose: 0 }),
  async () => ({ means: [...(await (await net.predict(noise, { verbose: 0 })).mean(0).data())] }),
);
