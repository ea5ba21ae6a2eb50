/**
 * Distillation: a small network learns from the labels and from what a larger one, which is trained already, thinks of them.
 *
 * loss = α · H(y, p) + (1 − α) · T² · KL(teacher(x / T) ‖ student(x / T)), α 0.1, T 3.
 *
 *   node scripts/examples/distillation.js
 */
import { gradients, layers, losses, Model, metrics, optimizers, sequential } from '../../dist/index.js';
import { draw, open, report, rows } from './support.js';

const ALPHA = 0.1;
const TEMPERATURE = 3;
const engine = await open();

class Distiller extends Model {
  divergence = losses.klDivergence();
  crossentropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
  accuracy = metrics.sparseCategoricalAccuracy();

  constructor(teacher, student) {
    super();
    this.teacher = teacher;
    this.teacher.trainable = false;
    this.student = student;
  }

  call(x) {
    return this.student.apply(x);
  }

  trainStep({ x, y }) {
    const soft = (logits) => logits.div(TEMPERATURE).softmax();
    const known = this.teacher.apply(x);
    const logits = this.student.apply(x, { training: true });
    const ofLabels = this.crossentropy.compute(y, logits);
    const ofTeacher = this.divergence.compute(soft(known), soft(logits)).mul(TEMPERATURE ** 2);
    const loss = ofLabels.mul(ALPHA).add(ofTeacher.mul(1 - ALPHA));
    const weights = this.student.trainableWeights;
    this.optimizer.apply(weights, gradients(loss, weights));
    return { loss, distillation: ofTeacher, accuracy: this.accuracy.updateState(y, logits) };
  }
}

const centres = rows(5, 6, () => 2 * draw());
const numbers = await centres.data();
const kinds = Array.from({ length: 640 }, (_, i) => i % 5);
const x = rows(640, 6, (i, axis) => numbers[kinds[i] * 6 + axis] + draw());

const network = (width) =>
  sequential([layers.input([6]), layers.dense(width, { activation: 'relu' }), layers.dense(5)]);
const teacher = network(48);
teacher.compile({
  optimizer: optimizers.adam(0.01),
  loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }),
});
await teacher.fit(x, kinds, { epochs: 10, verbose: 0 });

const net = new Distiller(teacher, network(8));
net.compile({ optimizer: optimizers.adam(0.01) });
await report(engine, net, () => net.fit(x, kinds, { batchSize: 32, epochs: 20, verbose: 0 }));
