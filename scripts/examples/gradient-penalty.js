/**
 * A critic with a gradient penalty (Gulrajani et al. 2017): it tells real points from drawn ones by as much as it can while its
 * slope stays near 1. The penalty is a gradient, so that its own gradient is one of second order.
 *
 * loss = mean f(drawn) − mean f(real) + 10 · mean (‖∂f/∂x‖ − 1)², at points between the two.
 *
 *   node scripts/examples/gradient-penalty.js
 */
import {
  concat,
  gradients,
  layers,
  Model,
  optimizers,
  random,
  sequential,
  tensor,
} from '../../dist/index.js';
import { draw, open, report, rows } from './support.js';

const engine = await open();

class Critic extends Model {
  inner = sequential([layers.input([2]), layers.dense(16, { activation: 'tanh' }), layers.dense(1)]);

  call(x) {
    return this.inner.apply(x);
  }

  trainStep({ x: drawn, y: real }) {
    const critic = this.inner;
    // Both kinds go through the critic together.
    const [count] = real.shape;
    const told = critic
      .apply(concat([real, drawn], 0))
      .reshape([2, count])
      .mean(1);
    const distance = told.mul(tensor([1, -1])).sum();
    const share = random.uniform([count, 1]);
    const between = real.mul(share).add(drawn.mul(share.neg().add(1)));
    const [slope] = gradients(critic.apply(between).sum(), [between]);
    const penalty = slope.square().sum(1).add(1e-12).sqrt().sub(1).square().mean();
    const loss = penalty.mul(10).sub(distance);
    const weights = this.trainableWeights;
    this.optimizer.apply(weights, gradients(loss, weights));
    return { loss, distance, penalty };
  }
}

const net = new Critic();
net.compile({ optimizer: optimizers.adam(0.01) });
const drawn = rows(640, 2, draw);
const real = rows(640, 2, (_, axis) => [2, -1][axis] + draw());
await report(engine, net, () => net.fit(drawn, real, { batchSize: 32, epochs: 20, verbose: 0 }));
