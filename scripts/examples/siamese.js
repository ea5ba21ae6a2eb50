/**
 * A Siamese network: one tower of layers looks at two points, and the distance of what it makes of them says whether
 * they lie on the same ring.
 *
 *   node scripts/examples/siamese.js
 */
import { layers, model, optimizers, sequential } from '../../dist/index.js';
import { draw, open, report, rows } from './support.js';

const engine = await open();
const [left, right] = [layers.input([2]), layers.input([2])];
const tower = sequential([layers.input([2]), layers.dense(48, { activation: 'tanh' }), layers.dense(4)]);
const distance = layers.custom({
  call: ([a, b]) => a.sub(b).square().sum(1, true),
  computeOutputShape: () => [null, 1],
});
const same = layers
  .dense(1, { activation: 'sigmoid' })
  .apply(distance.apply([tower.apply(left), tower.apply(right)]));
const net = model({ inputs: [left, right], outputs: same });
net.compile({ optimizer: optimizers.adam(0.02), loss: 'binaryCrossentropy', metrics: ['accuracy'] });

const rings = Array.from({ length: 960 }, () => [draw() > 0 ? 1 : 0, draw() > 0 ? 1 : 0]);
const angles = rings.map(() => [draw() * 2 * Math.PI, draw() * 2 * Math.PI]);
const points = (side) =>
  rows(960, 2, (i, axis) => (1 + rings[i][side]) * [Math.cos, Math.sin][axis](angles[i][side]));
const y = rows(960, 1, (i) => Number(rings[i][0] === rings[i][1]));
const x = [points(0), points(1)];
await report(engine, net, () => net.fit(x, y, { batchSize: 32, epochs: 30, verbose: 0 }));
