/** The rules that the file states in words, as the calls that show them. */
import { layers, ones, sequential, zeros } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';
import { exactly, expectNumbers, trained } from './cases.ts';
import { quiet, regression } from './models.ts';

/** By the id of their case. */
export const behaviours: Record<string, () => Promise<void>> = {
  async 'model.fit.behaviour.0979'() {
    const { model, x, y } = regression(100);
    const short = await model.fit(x, y, quiet);
    expectNumbers(short.epoch, [0], exactly);
    expectNumbers([short.params.steps!], [Math.ceil(100 / 32)], exactly);
    const long = await model.fit(x, y, { ...quiet, epochs: 3 });
    expectNumbers(long.epoch, [0, 1, 2], exactly);
  },
  async 'model.fit.behaviour.0980'() {
    const { model, x, y } = regression(100, { trainable: false });
    const whole = await model.fit(x, y, { ...quiet, batchSize: 100 });
    const parts = await model.fit(x, y, { ...quiet, batchSize: 80 });
    expectNumbers(parts.history.loss, whole.history.loss, trained);
    const all = await model.evaluate(x, y, { verbose: 0, batchSize: 100 });
    const some = await model.evaluate(x, y, { verbose: 0, batchSize: 80 });
    expectNumbers([some.loss], [all.loss], trained);
  },
  async 'model.fit.behaviour.0981'() {
    const inTraining = layers.custom({
      call: (x, { training }) => (training ? ones(x.shape) : zeros(x.shape)),
    });
    const model = sequential([layers.input({ shape: [1] }), inTraining]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    const [x, y] = [zeros([8, 1]), zeros([8, 1])];
    expectNumbers((await model.fit(x, y, quiet)).history.loss, [1], exactly);
    expectNumbers([(await model.evaluate(x, y, { verbose: 0 })).loss], [0], exactly);
    expectNumbers(await (await model.predict(x, { verbose: 0 })).data(), Array(8).fill(0), exactly);
  },
  async 'memory.behaviour.0982'() {
    // An engine of its own: nothing that earlier cases left behind is collected while this one counts.
    const engine = await testEngine();
    const { model, x, y } = regression(20, { engine });
    model.compile({ optimizer: 'sgd', loss: 'mse', metrics: ['mae'] });
    const [vx, vy] = [zeros([8, 4]), zeros([8, 1])];
    const situations = [1, 7, 20].flatMap((batchSize) => [
      () => model.fit(x, y, { ...quiet, batchSize }),
      () => model.fit(x, y, { ...quiet, batchSize, validationSplit: 0.2 }),
      () => model.fit(x, y, { ...quiet, batchSize, validationData: [vx, vy] }),
      () => model.fit(x, y, { ...quiet, batchSize, callbacks: [{ onTrainBatchEnd() {}, onEpochEnd() {} }] }),
      () => model.evaluate(x, y, { verbose: 0, batchSize }),
      async () => (await model.predict(x, { batchSize, verbose: 0 })).dispose(),
    ]);
    for (const [i, situation] of situations.entries()) {
      await situation();
      await engine.idle();
      const before = engine.memory();
      await situation();
      await engine.idle();
      const { tensors, liveBytes } = engine.memory();
      if (tensors !== before.tensors || liveBytes !== before.liveBytes)
        throw new Error(
          `situation ${i}: ${before.tensors} tensors and ${before.liveBytes} bytes became ${tensors} and ${liveBytes}`,
        );
    }
  },
};
