/**
 * A variational autoencoder: points on a spiral of eight numbers pass through two, drawn anew each time.
 *
 * loss = Σ (x − x′)² + β · KL(N(μ, σ²) ‖ N(0, 1)), with KL = ½ Σ (μ² + σ² − 1 − ln σ²).
 *
 *   node scripts/examples/vae.js
 */
import { gradients, layers, Model, metrics, optimizers, random, sequential } from '../../dist/index.js';
import { open, report, rows } from './support.js';

const engine = await open();

class Vae extends Model {
  encoder = sequential([layers.input([8]), layers.dense(24, { activation: 'tanh' }), layers.dense(4)]);
  decoder = sequential([layers.input([2]), layers.dense(24, { activation: 'tanh' }), layers.dense(8)]);
  reconstruction = metrics.mean({ name: 'reconstruction' });

  call(x) {
    return this.decoder.apply(this.encoder.apply(x).slice([0, 0], [x.shape[0], 2]));
  }

  trainStep({ x }) {
    const [count] = x.shape;
    const code = this.encoder.apply(x, { training: true });
    const mu = code.slice([0, 0], [count, 2]);
    const logVariance = code.slice([0, 2], [count, 2]);
    const z = mu.add(
      logVariance
        .mul(0.5)
        .exp()
        .mul(random.normal([count, 2])),
    );
    const error = this.decoder.apply(z, { training: true }).sub(x).square().sum(1);
    const divergence = mu.square().add(logVariance.exp()).sub(1).sub(logVariance).sum(1).mul(0.5);
    const loss = error.add(divergence.mul(0.01)).mean();
    const weights = this.trainableWeights;
    this.optimizer.apply(weights, gradients(loss, weights));
    return { loss, reconstruction: this.reconstruction.updateState(error), divergence };
  }
}

const net = new Vae();
net.compile({ optimizer: optimizers.adam(0.01) });
const x = rows(512, 8, (i, axis) => Math.sin(i / 20 + axis) * (0.5 + i / 1024));
await report(engine, net, () => net.fit(x, undefined, { batchSize: 32, epochs: 30, verbose: 0 }));
