/** Training steps of one's own, captured and replayed like fit's. */
import { describe, expect, it } from 'vitest';
import {
  gradients,
  layers,
  losses,
  Model,
  metrics,
  model,
  ones,
  optimizers,
  type StepBatch,
  sequential,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts';

const quiet = { verbose: 0 } as const;
const line = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + seed));
const rows = (n: number, width: number, seed: number): number[][] =>
  Array.from({ length: n }, (_, i) => line(width, seed + i));
const x = rows(40, 4, 1);
const y = rows(40, 2, 5);

const flat = async (list: readonly Tensor[]): Promise<number[][]> =>
  Promise.all(list.map(async (one) => [...(await one.data())]));

const made = () => {
  const input = layers.input([4]);
  const h = layers.dense({ units: 5, activation: 'tanh', kernelRegularizer: 'l2' }).apply(input);
  return { inputs: input, outputs: layers.dense(2).apply(h) };
};
async function start<M extends Model>(net: M): Promise<M> {
  await net.setWeights(
    net.weights.map(({ shape, size }, i) =>
      tensor(line(size, i).map((one) => one * 0.5)).reshape([...shape]),
    ),
  );
  return net;
}
const compiled = () => ({ optimizer: optimizers.adam(0.01), loss: 'mse', metrics: ['mae'] }) as const;

describe('a step of one’s own', () => {
  let traces = 0;
  class Written extends Model {
    override trainStep({ x, y, sampleWeight }: StepBatch) {
      traces++;
      const yPred = this.apply(x, { training: true });
      const loss = this.computeLoss({ x, y, yPred, sampleWeight });
      const weights = this.trainableWeights;
      this.optimizer.apply(weights, gradients(loss, weights));
      return { loss, ...this.computeMetrics({ x, y, yPred, sampleWeight }) };
    }
  }

  it('that does what fit does gives what fit gives', async () => {
    const fit = {
      batchSize: 8,
      epochs: 3,
      shuffle: false,
      sampleWeight: line(40, 2).map(Math.abs),
      ...quiet,
    };
    const [own, plain] = [await start(new Written(made())), await start(model(made()))];
    for (const net of [own, plain]) net.compile(compiled());
    const [a, b] = [(await own.fit(x, y, fit)).history, (await plain.fit(x, y, fit)).history];
    expect(Object.keys(a)).toEqual(Object.keys(b));
    for (const key of ['loss', 'mae'])
      for (const [i, value] of b[key].entries()) expect(a[key][i]).toBeCloseTo(value, 5);
    const [of, to] = [await flat(own.getWeights()), await flat(plain.getWeights())];
    for (const [i, weight] of to.entries())
      for (const [j, value] of weight.entries()) expect(of[i][j]).toBeCloseTo(value, 5);
    expect(await own.evaluate(x, y, quiet)).toMatchObject({
      loss: expect.any(Number),
      mae: expect.any(Number),
    });
  });

  it('is traced once, replayed without new memory, and kept for the next fit', async () => {
    const net = await start(new Written(made()));
    net.compile(compiled());
    await net.fit(x, y, { batchSize: 8, epochs: 2, ...quiet });
    const traced = traces;
    const engine = net.weights[0].value.engine!;
    const before = engine.stats();
    await net.fit(x, y, { batchSize: 8, epochs: 3, ...quiet });
    expect(traces).toBe(traced);
    const after = engine.stats();
    expect(after.pipelines).toBe(before.pipelines);
    expect(after.bindGroups).toBe(before.bindGroups);
  });

  it('tells of weighted metrics whether or not a run before it had weights', async () => {
    const net = await start(new Written(made()));
    const plain = await start(model(made()));
    for (const one of [net, plain])
      one.compile({ ...compiled(), optimizer: optimizers.sgd(0), weightedMetrics: ['mse'] });
    for (const sampleWeight of [null, line(40, 2).map(Math.abs)]) {
      const options = { epochs: 1, batchSize: 8, sampleWeight, ...quiet };
      const [a, b] = [(await net.fit(x, y, options)).history, (await plain.fit(x, y, options)).history];
      for (const key of ['loss', 'mae', 'mse']) expect(a[key][0]).toBeCloseTo(b[key][0], 5);
    }
  });

  it('may call that of fit, and be one batch’s', async () => {
    class Told extends Model {
      override trainStep(batch: StepBatch) {
        return { ...super.trainStep(batch), mean: batch.x.mean() };
      }
    }
    const [own, plain] = [await start(new Told(made())), await start(model(made()))];
    for (const net of [own, plain]) net.compile(compiled());
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await own.trainOnBatch(x, y), await plain.trainOnBatch(x, y)];
      const { mean, ...rest } = a;
      expect(rest).toEqual(b);
      expect(mean).toBeCloseTo(x.flat().reduce((sum, one) => sum + one, 0) / 160, 5);
    }
    expect(await flat(own.getWeights())).toEqual(await flat(plain.getWeights()));
  });

  it('may be of evaluate alone, and tells of metrics that it keeps', async () => {
    class Tested extends Model {
      far = metrics.mean({ name: 'far' });
      sure = metrics.binaryAccuracy();
      override testStep({ x, y }: StepBatch) {
        const yPred = this.apply(x, { training: false });
        return {
          far: this.far.updateState(yPred.sub(y).abs().max()),
          each: this.far.updateState(y),
          sure: this.sure.updateState(y.greater(0).cast('f32'), yPred),
          rows: y.sum(1),
        };
      }
    }
    const net = await start(new Tested(made()));
    net.compile(compiled());
    expect(Object.keys((await net.fit(x, y, { validationData: [x, y], ...quiet })).history).sort()).toEqual([
      'loss',
      'mae',
      'val_each',
      'val_far',
      'val_rows',
      'val_sure',
    ]);
    const told = await net.evaluate(x, y, { batchSize: 32, ...quiet });
    const p = await flat([await net.predict(x, quiet)]);
    const gap = (from: number, to: number) =>
      Math.max(...y.flat().map((one, i) => (i >= from && i < to ? Math.abs(one - p[0][i]) : 0)));
    // Two batches, of 32 and of 8 samples: each counts once.
    expect(told.far).toBeCloseTo((gap(0, 64) + gap(64, 80)) / 2, 5);
    const mean = y.flat().reduce((sum, one) => sum + one, 0) / 80;
    expect(told.each).toBeCloseTo(mean, 5);
    expect(told.rows).toBeCloseTo(2 * mean, 5);
    expect(told.sure).toBeCloseTo(y.flat().filter((one, i) => one > 0 === p[0][i] > 0.5).length / 80, 5);
  });
});

it('a network of layers is planned once for all its fits too', async () => {
  const net = await start(model(made()));
  net.compile(compiled());
  await net.fit(x, y, { batchSize: 8, ...quiet });
  const engine = net.weights[0].value.engine!;
  const { buffers, pipelines } = engine.stats();
  await net.fit(x, y, { batchSize: 8, ...quiet });
  expect(engine.stats()).toMatchObject({ buffers, pipelines });
});

describe('two networks with an optimizer each', () => {
  class Gan extends Model {
    generator = sequential([layers.input([3]), layers.dense(8, { activation: 'tanh' }), layers.dense(2)]);
    critic = sequential([layers.input([2]), layers.dense(8, { activation: 'relu' }), layers.dense(1)]);
    judge = optimizers.adam(0.01);
    crossentropy = losses.binaryCrossentropy({ fromLogits: true });
    override trainStep({ x }: StepBatch) {
      const [count] = x.shape;
      const [yes, no] = [ones([count, 1]), zeros([count, 1])];
      const drawn = this.generator.apply(x.slice([0, 0], [count, 3]));
      const told = this.crossentropy
        .compute(yes, this.critic.apply(x.slice([0, 3], [count, 2])))
        .add(this.crossentropy.compute(no, this.critic.apply(drawn)));
      const fooled = this.crossentropy.compute(yes, this.critic.apply(drawn));
      const [forCritic, forGenerator] = [this.critic.trainableWeights, this.generator.trainableWeights];
      const [ofCritic, ofGenerator] = [gradients(told, forCritic), gradients(fooled, forGenerator)];
      this.judge.apply(forCritic, ofCritic);
      this.optimizer.apply(forGenerator, ofGenerator);
      return { told, fooled };
    }
  }

  it('are trained by fit, without y and without a loss', async () => {
    const net = new Gan();
    net.compile({ optimizer: optimizers.adam(0.005) });
    const { history } = await net.fit(rows(64, 5, 1), undefined, { batchSize: 32, epochs: 4, ...quiet });
    expect(Object.keys(history).sort()).toEqual(['fooled', 'told']);
    expect(history.told[3]).not.toBe(history.told[0]);
    expect(net.judge.built && net.optimizer.built).toBe(true);
    expect(net.optimizer.variables.length).toBe(2 + 2 * 4);
    await expect(net.evaluate(rows(4, 5, 1), undefined, quiet)).rejects.toThrow(/without a loss.*testStep/s);
    // What the other optimizer goes by is a part of the step.
    await net.fit(rows(64, 5, 1), undefined, { batchSize: 32, ...quiet });
  });
});

describe('what a step may not do is told', () => {
  const failing: [string, () => unknown, RegExp][] = [
    ['give nothing', () => undefined, /trainStep gave undefined/],
    ['be asynchronous', async () => ({}), /trainStep gave|asynchronous/],
    ['give numbers', () => ({ loss: 3 }), /gave 3 for loss/],
    ['give a log of another length', () => ({ loss: ones([3]) }), /loss has 3 values for 2 samples/],
  ];
  for (const [name, step, message] of failing)
    it(name, async () => {
      class Bad extends Model {
        override trainStep() {
          return step() as never;
        }
      }
      const net = new Bad(made());
      net.compile({ optimizer: 'sgd' });
      await expect(net.fit(x, y, quiet)).rejects.toThrow(message);
    });

  it('a model without a loss and without a step', () => {
    expect(() => model(made()).compile({ optimizer: 'sgd' })).toThrow(/loss is missing/);
  });
});
