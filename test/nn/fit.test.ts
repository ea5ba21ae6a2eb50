import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  callbacks,
  type Engine,
  init,
  layers,
  losses,
  type Metric,
  meanMetric,
  metrics,
  optimizers,
  resetNames,
  sequential,
  setRandomSeed,
  type Tensor,
  type Terminal,
  tensor,
} from '../../src/index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await init({ seed: 11 });
});
beforeEach(resetNames);

const quiet = { verbose: 0, shuffle: false } as const;
const numbers = async (x: Tensor) => [...(await x.data())];

/** y = w · x with one weight that begins at 1, mean squared error. */
function line(options: object = {}, learningRate = 0) {
  const model = sequential([
    layers.input([1]),
    layers.dense(1, { kernelInitializer: 'ones', useBias: false }),
  ]);
  model.compile({ optimizer: optimizers.sgd(learningRate), loss: 'mse', ...options });
  return model;
}

/** Three classes from two numbers. */
function classifier(activation: string | null = 'softmax', options: object = {}) {
  const model = sequential([layers.input([2]), layers.dense(3, { activation })]);
  model.compile({
    optimizer: optimizers.sgd(0.5),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    ...options,
  });
  return model;
}
const x = tensor([
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, -1],
  [2, -2],
  [1, 0],
]);
const y = [0, 0, 1, 1, 2, 2, 1];

/** A terminal that remembers what was written, and a clock that stands still. */
function recorder(): Terminal & { text: string[] } {
  const text: string[] = [];
  return { text, isTerminal: false, color: false, columns: 80, write: (line) => void text.push(line) };
}

describe('what fit reports', () => {
  test('is the mean over samples, not over batches', async () => {
    const model = line();
    // Losses 0 0 0 0 | 100
    const { history, epoch, params } = await model.fit(
      [[1], [1], [1], [1], [0]],
      [[1], [1], [1], [1], [10]],
      {
        ...quiet,
        batchSize: 4,
        epochs: 2,
      },
    );
    expect(history).toEqual({ loss: [20, 20] });
    expect(epoch).toEqual([0, 1]);
    expect(params).toEqual({ verbose: 0, epochs: 2, steps: 2 });
    expect(model.history?.history).toEqual(history);
  });

  test('has keys in alphabetical order, validation under val_', async () => {
    const model = classifier();
    const { history } = await model.fit(x, y, { ...quiet, validationSplit: 0.3, epochs: 2 });
    expect(Object.keys(history)).toEqual(['accuracy', 'loss', 'val_accuracy', 'val_loss']);
    expect(history.val_loss).toHaveLength(2);
  });

  test('adds up exactly over more steps than one block', async () => {
    const n = 1100;
    const targets = Array.from({ length: n }, (_, i) => [i % 7]);
    const { history } = await line().fit(new Float32Array(n), targets, { ...quiet, batchSize: 2 });
    const exact = targets.reduce((sum, [t]) => sum + t * t, 0) / n;
    expect(history.loss[0]).toBeCloseTo(exact, 10);
  });

  test('is measured before each step, and validation after the epoch', async () => {
    // One step of w = 1 on x = 1, y = 0 at rate 0.25: w becomes 1 - 0.25 · 2 = 0.5.
    const model = line({}, 0.25);
    const { history } = await model.fit([[1]], [[0]], {
      ...quiet,
      epochs: 2,
      validationData: [[[1]], [[0]]],
    });
    expect(history).toEqual({ loss: [1, 0.25], val_loss: [0.25, 0.0625] });
  });

  test('evaluate and trainOnBatch agree with it', async () => {
    const model = classifier();
    const before = await model.evaluate(x, y, { verbose: 0, batchSize: 3 });
    expect(Object.keys(before)).toEqual(['loss', 'accuracy']);
    const batch = await model.testOnBatch(x, y);
    expect(batch.loss).toBeCloseTo(before.loss, 6);
    const step = await model.trainOnBatch(x, y);
    expect(step.loss).toBeCloseTo(before.loss, 6);
    expect((await model.evaluate(x, y, { verbose: 0 })).loss).toBeLessThan(before.loss);
  });
});

describe('validation', () => {
  test('takes the last part, before shuffling', async () => {
    const data = Array.from({ length: 10 }, (_, i) => [i < 8 ? 0 : 1]);
    const { history } = await line().fit(
      data,
      data.map(() => [0]),
      { verbose: 0, validationSplit: 0.2 },
    );
    expect(history).toEqual({ loss: [0], val_loss: [1] });
  });

  test('is never weighted by classes, wherever it comes from', async () => {
    const model = line();
    const [inputs, targets] = [[[1], [1], [1], [1]], [0, 1, 0, 1].map((t) => [t])];
    const classWeight = { 0: 2, 1: 10 };
    const split = await model.fit(inputs, targets, { ...quiet, classWeight, validationSplit: 0.5 });
    // Errors 1 0 | 1 0.
    expect(split.history).toEqual({ loss: [1], val_loss: [0.5] });
    const sampleWeight = [1, 1, 3, 1];
    const weighted = await model.fit(inputs, targets, { ...quiet, sampleWeight, validationSplit: 0.5 });
    expect(weighted.history.val_loss).toEqual([1.5]);
  });

  test('may have weights, come less often, and needs samples on both sides', async () => {
    const weighted = { x: [[1], [1]], y: [[0], [1]], sampleWeight: [0.5, 9] };
    const { history } = await line().fit([[1]], [[0]], {
      ...quiet,
      epochs: 4,
      validationFreq: 2,
      validationData: weighted,
    });
    expect(history).toEqual({ loss: [1, 1, 1, 1], val_loss: [0.25, 0.25] });
    await expect(
      line().fit([[1], [1]], [[0], [0]], { ...quiet, validationSplit: 0.1 }),
    ).resolves.toBeDefined();
    await expect(line().fit([[1]], [[0]], { ...quiet, validationSplit: 0.5 })).rejects.toThrow(
      /leaves 0 for training/,
    );
    await expect(line().fit([[1]], [[0]], { ...quiet, validationData: [[[1]]] })).rejects.toThrow(
      /validationData is/,
    );
  });
});

describe('weights of samples', () => {
  test('count in the loss, and in metrics only when asked', async () => {
    const model = line({ metrics: ['mae'], weightedMetrics: [metrics.meanAbsoluteError({ name: 'wmae' })] });
    const { history } = await model.fit([[1], [1]], [[0], [-1]], { ...quiet, sampleWeight: [3, 1] });
    expect(history).toEqual({ loss: [(3 * 1 + 1 * 4) / 2], mae: [1.5], wmae: [(3 * 1 + 1 * 2) / 4] });
  });

  test('follow the class', async () => {
    const model = classifier();
    const weights = model.getWeights();
    const one = await model.fit(x, y, { ...quiet, classWeight: { 0: 0.5, 1: 2, 2: 1 } });
    await model.setWeights(weights);
    const other = await model.fit(x, y, { ...quiet, sampleWeight: y.map((label) => [0.5, 2, 1][label]) });
    expect(other.history).toEqual(one.history);
    await expect(model.fit(x, y, { ...quiet, classWeight: { 0: 1, 1: 1 } })).rejects.toThrow(
      /class 2 at position 4/,
    );
    await expect(model.fit(x, y, { ...quiet, classWeight: { 0: 1 }, sampleWeight: [1] })).rejects.toThrow(
      /exclude/,
    );
  });
});

describe('a final softmax or sigmoid with its cross-entropy', () => {
  test('trains on the logits and reports their loss', async () => {
    const far = [[1000, 0]];
    const weights = () =>
      [
        [
          [1, 0, 0],
          [0, 0, 0],
        ],
        [0, 0, 0],
      ] as never;
    for (const loss of ['sparseCategoricalCrossentropy', losses.sparseCategoricalCrossentropy()]) {
      const model = classifier('softmax', { loss, optimizer: optimizers.sgd(1) });
      await model.setWeights(weights());
      expect((await model.trainOnBatch(far, [1])).loss).toBe(1000);
      // The gradient is not lost: the bias moves by p - t = [1, -1, 0].
      expect(await numbers(model.getWeights()[1])).toEqual([-1, 1, 0]);
    }
  });

  test('is the same as no activation and fromLogits, also behind an activation layer', async () => {
    const withLogits = classifier(null, { loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
    const apart = sequential([layers.input([2]), layers.dense(3), layers.activation('softmax')]);
    apart.compile({
      optimizer: optimizers.sgd(0.5),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const fused = classifier();
    await withLogits.setWeights(fused.getWeights());
    await apart.setWeights(fused.getWeights());
    const options = { ...quiet, epochs: 5, batchSize: 3 };
    const { history } = await fused.fit(x, y, options);
    expect((await withLogits.fit(x, y, options)).history).toEqual(history);
    expect((await apart.fit(x, y, options)).history).toEqual(history);
  });

  test('metrics that ask for probabilities get them', async () => {
    const model = classifier('softmax', {
      metrics: ['accuracy', metrics.sparseCategoricalCrossentropy({ name: 'clipped' })],
    });
    await model.setWeights([
      [
        [1, 0, 0],
        [0, 0, 0],
      ],
      [0, 0, 0],
    ] as never);
    const { loss, clipped } = await model.testOnBatch([[1000, 0]], [1]);
    expect(loss).toBe(1000);
    expect(clipped).toBeCloseTo(16.118095, 4);
  });

  test('works for one sigmoid', async () => {
    const model = sequential([
      layers.input([1]),
      layers.dense(1, { activation: 'sigmoid', kernelInitializer: 'ones' }),
    ]);
    model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const { loss, accuracy } = await model.testOnBatch([[50], [-50]], [[0], [0]]);
    expect(loss).toBeCloseTo(25, 4);
    expect(accuracy).toBe(0.5);
  });

  test('fromLogits behind a softmax is warned of', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = classifier('softmax', { loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
    await model.fit(x, y, { ...quiet, epochs: 2 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(/fromLogits: true.*softmax/);
    warn.mockRestore();
  });
});

describe('callbacks', () => {
  test('are called in the order of Keras', async () => {
    const seen: string[] = [];
    const hooks = [
      'TrainBegin',
      'TrainEnd',
      'EpochBegin',
      'EpochEnd',
      'TrainBatchBegin',
      'TrainBatchEnd',
      'TestBegin',
      'TestEnd',
    ];
    const spy = Object.fromEntries(
      hooks.map((hook) => [
        `on${hook}`,
        (...args: unknown[]) => {
          seen.push(`${hook}${typeof args[0] === 'number' ? ` ${args[0]}` : ''}`);
        },
      ]),
    );
    await line().fit([[1], [1], [1]], [[1], [1], [1]], {
      ...quiet,
      batchSize: 2,
      callbacks: [spy],
      validationData: [[[1]], [[1]]],
    });
    expect(seen).toEqual([
      'TrainBegin',
      'EpochBegin 0',
      'TrainBatchBegin 0',
      'TrainBatchEnd 0',
      'TrainBatchBegin 1',
      'TrainBatchEnd 1',
      'TestBegin',
      'TestEnd',
      'EpochEnd 0',
      'TrainEnd',
    ]);
  });

  test('of batches get the means so far, and change nothing of the result', async () => {
    const targets = [[1], [2], [3], [4], [5]];
    const data = targets.map(() => [1]);
    const seen: number[] = [];
    const spy = { onTrainBatchEnd: (_: number, { loss }: { loss?: number }) => void seen.push(loss!) };
    const watched = await line().fit(data, targets, { ...quiet, batchSize: 2, callbacks: spy });
    expect(seen).toEqual([0.5, (0 + 1 + 4 + 9) / 4, 6]);
    expect((await line().fit(data, targets, { ...quiet, batchSize: 2 })).history).toEqual(watched.history);
  });

  test('stop training after an epoch, or after a batch where batches are told', async () => {
    const model = line();
    const data = [[1], [1], [1], [1]];
    const afterEpoch = {
      onEpochEnd: () => {
        model.stopTraining = true;
      },
    };
    expect((await model.fit(data, data, { ...quiet, epochs: 5, callbacks: afterEpoch })).epoch).toEqual([0]);
    let batches = 0;
    const afterBatch = {
      onTrainBatchEnd: () => {
        batches++;
        model.stopTraining = batches === 2;
      },
    };
    const { history } = await model.fit(data, data, {
      ...quiet,
      batchSize: 1,
      epochs: 5,
      callbacks: afterBatch,
    });
    expect([batches, history.loss]).toEqual([2, [0]]);
    expect((await model.fit(data, data, { ...quiet, batchSize: 1 })).history).toEqual({ loss: [0] });
  });

  test('early stopping waits, stops, and brings back the best weights', async () => {
    // Rate 1.25 on w: 1 → -1.5 → 2.25 → …: the loss grows from the first step on.
    const model = line({}, 1.25);
    const early = callbacks.earlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true });
    const { epoch } = await model.fit([[1]], [[0]], { ...quiet, epochs: 10, callbacks: [early] });
    expect(epoch).toEqual([0, 1, 2]);
    expect([early.bestEpoch, early.stoppedEpoch]).toEqual([0, 2]);
    expect(await numbers(model.getWeights()[0])).toEqual([-1.5]);
    const odd = callbacks.earlyStopping({ monitor: 'nothing' });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await model.fit([[1]], [[0]], { ...quiet, epochs: 2, callbacks: [odd] });
    expect(warn.mock.calls[0][0]).toMatch(/nothing is not in the logs, which have loss/);
    warn.mockRestore();
  });

  test.each([
    [{ patience: 0 }, [10, 9, 9.5], 3],
    [{ patience: 0 }, [10, 9, 9], 3],
    [{ patience: 0, minDelta: 1 }, [10, 8, 7.5], 3],
    [{ patience: 2 }, [10, 9, 9.5, 8, 8.5, 8.6], 6],
    [{ patience: 0, mode: 'max' as const }, [1, 2, 1.5], 3],
    [{ patience: 0, baseline: 5 }, [6, 5.5, 5.6], 3],
    [{ patience: 0, startFromEpoch: 3 }, [1, 2, 3, 4, 5], 5],
  ])('early stopping with %o on %o ends after epoch %i', (options, values, epochs) => {
    const early = callbacks.earlyStopping(options);
    const model = { stopTraining: false, metrics: [] as Metric[] };
    early.setModel(model as never);
    early.onTrainBegin();
    let ran = 0;
    for (const value of values) {
      ran++;
      early.onEpochEnd(ran - 1, { val_loss: value });
      if (model.stopTraining) break;
    }
    expect([ran, model.stopTraining]).toEqual([epochs, true]);
  });

  test('terminate on NaN stops at the batch', async () => {
    const write = vi.spyOn(console, 'log').mockImplementation(() => {});
    const model = line({}, 1e30);
    let batches = 0;
    const count = { onTrainBatchEnd: () => void batches++ };
    const data = Array.from({ length: 50 }, () => [1]);
    const { history } = await model.fit(
      data,
      data.map(() => [0]),
      {
        ...quiet,
        batchSize: 1,
        epochs: 3,
        callbacks: [callbacks.terminateOnNaN(), count],
      },
    );
    write.mockRestore();
    expect(batches).toBeLessThan(5);
    expect(Number.isFinite(history.loss[0])).toBe(false);
  });

  test('that throw leave the model as it was after a whole step, and usable', async () => {
    const model = line({}, 0.25);
    const fault = {
      onTrainBatchEnd: (batch: number) => {
        if (batch === 1) throw new Error('mine');
      },
    };
    const data = [[1], [1], [1]];
    await expect(
      model.fit(data, [[0], [0], [0]], { ...quiet, batchSize: 1, callbacks: fault }),
    ).rejects.toThrow('mine');
    expect(await numbers(model.getWeights()[0])).toEqual([0.25]);
    expect((await model.fit([[1]], [[0]], quiet)).history).toEqual({ loss: [0.0625] });
  });

  test('are refused when they are not callbacks', async () => {
    await expect(line().fit([[1]], [[1]], { ...quiet, callbacks: [7 as never] })).rejects.toThrow(
      /callbacks has 7/,
    );
    await expect(
      line().fit([[1]], [[1]], { ...quiet, callbacks: { onEpochEnds() {} } as never }),
    ).rejects.toThrow(/onEpochEnds is unknown/);
  });

  test('may ask the model while it trains', async () => {
    const model = line({}, 0.25);
    const seen: number[] = [];
    const ask = {
      onEpochEnd: async () => {
        seen.push(...(await numbers(await model.predict([[1]], { verbose: 0 }))));
        seen.push((await model.evaluate([[1]], [[0]], { verbose: 0 })).loss);
      },
    };
    await model.fit([[1]], [[0]], {
      ...quiet,
      epochs: 2,
      callbacks: ask,
      validationData: [
        [[1], [1], [1]],
        [[0], [0], [0]],
      ],
    });
    expect(seen).toEqual([0.5, 0.25, 0.25, 0.0625]);
  });
});

describe('the progress line of fit', () => {
  test('is that of Keras, with validation at its end', async () => {
    const terminal = recorder();
    const bar = callbacks.progressBar({ terminal, now: () => 0 });
    await line({ metrics: ['mae'] }).fit([[1], [1], [1]], [[0], [0], [0]], {
      epochs: 2,
      batchSize: 2,
      callbacks: [bar],
      validationData: [[[1]], [[3]]],
    });
    const shown =
      '2/2 ━━━━━━━━━━━━━━━━━━━━ 0s 0s/step - loss: 1.0000 - mae: 1.0000 - val_loss: 4.0000 - val_mae: 2.0000\n';
    expect(terminal.text).toEqual(['Epoch 1/2\n', shown, 'Epoch 2/2\n', shown]);
  });

  test('is that of tf.keras 2 where it is asked for: loss first, metrics as compiled', async () => {
    const terminal = recorder();
    const bar = callbacks.progressBar({ form: 'keras2', terminal, now: () => 0 });
    await line({ metrics: ['mse', 'mae'] }).fit([[1]], [[0]], {
      callbacks: [bar],
      validationData: [[[1]], [[3]]],
    });
    expect(terminal.text.map((text) => text.replaceAll('0000', ''))).toEqual([
      '1/1 [==============================] - 0s 0s/step - loss: 1. - mse: 1. - mae: 1. - val_loss: 4. - val_mse: 4. - val_mae: 2.\n',
    ]);
  });

  test('belongs to evaluate and predict too', async () => {
    const terminal = recorder();
    const bar = () => callbacks.progressBar({ terminal, now: () => 0 });
    const model = line();
    await model.evaluate([[1]], [[0]], { callbacks: [bar()] });
    await model.evaluate([[1]], [[0]], { callbacks: [bar()], verbose: 2 });
    await model.predict([[1], [2]], { batchSize: 1, callbacks: [bar()] });
    expect(terminal.text).toEqual([
      '1/1 ━━━━━━━━━━━━━━━━━━━━ 0s 0s/step - loss: 1.0000\n',
      '1/1 - 0s - 0s/step - loss: 1.0000\n',
      '2/2 ━━━━━━━━━━━━━━━━━━━━ 0s 0s/step\n',
    ]);
  });
});

describe("one's own", () => {
  test('losses and metrics are functions or objects', async () => {
    const cubed = (t: Tensor, p: Tensor) => p.sub(t).abs().pow(3).mean(-1);
    const model = line({
      loss: cubed,
      metrics: [
        { name: 'worst', call: (t: Tensor, p: Tensor) => p.sub(t).abs().max(-1) },
        meanMetric('sum', (t, p) => p.add(t)),
      ],
    });
    const { history } = await model.fit([[1], [2]], [[0], [0]], quiet);
    expect(history.loss[0]).toBeCloseTo(4.5, 5);
    expect(history.worst[0]).toBeCloseTo(1.5, 6);
    expect(history.sum[0]).toBeCloseTo(1.5, 6);
    const scalar = line({ loss: (t: Tensor, p: Tensor) => p.sub(t).square().sum() });
    expect(
      (await scalar.fit([[1], [2], [3]], [[0], [0], [0]], { ...quiet, batchSize: 2 })).history.loss[0],
    ).toBeCloseTo((2 * 5 + 9) / 3, 5);
  });

  test('layers know whether they train', async () => {
    const model = sequential([
      layers.input([1]),
      { call: (z, { training }) => (training ? z.mul(0).add(1) : z.mul(0)) },
    ]);
    model.compile({ optimizer: 'sgd', loss: 'mse' });
    expect((await model.fit([[5], [5]], [[0], [0]], quiet)).history.loss).toEqual([1]);
    expect((await model.evaluate([[5]], [[0]], { verbose: 0 })).loss).toBe(0);
    expect(await numbers(await model.predict([[5]], { verbose: 0 }))).toEqual([0]);
  });
});

describe('data', () => {
  test('stay what they are: bytes, nested arrays, flat typed arrays', async () => {
    const model = line();
    const options = { ...quiet, batchSize: 2 };
    const wanted = { loss: [(1 + 4 + 9) / 3] };
    const given = [
      [[1], [2], [3]],
      Uint8Array.of(1, 2, 3),
      Float32Array.of(1, 2, 3),
      tensor([[1], [2], [3]]),
    ];
    for (const data of given) expect((await model.fit(data, [0, 0, 0], options)).history).toEqual(wanted);
  });

  test('with labels on the GPU are checked as well', async () => {
    const labels = tensor([0, 1, 3]).add(0);
    await labels.data();
    await expect(
      classifier().fit(
        tensor([
          [0, 1],
          [1, 0],
          [1, 1],
        ]),
        labels,
        quiet,
      ),
    ).rejects.toThrow(/y\[2\] is 3/);
  });

  test('frozen layers stay as they are, and a change counts from the next fit on', async () => {
    const model = classifier();
    const before = await numbers(model.getWeights()[0]);
    model.layers[0].trainable = false;
    await model.fit(x, y, { ...quiet, epochs: 2 });
    expect(await numbers(model.getWeights()[0])).toEqual(before);
    model.layers[0].trainable = true;
    await model.fit(x, y, quiet);
    expect(await numbers(model.getWeights()[0])).not.toEqual(before);
  });

  test('what a callback freezes or frees stands still or trains from the next step on', async () => {
    const model = classifier();
    const kernels: number[][] = [];
    const callbacks = {
      async onEpochEnd() {
        const [layer] = model.layers;
        layer.trainable = !layer.trainable;
        kernels.push(await numbers(model.getWeights()[0]));
      },
    };
    await model.fit(x, y, { ...quiet, epochs: 3, callbacks });
    expect(kernels[1]).toEqual(kernels[0]);
    expect(kernels[2]).not.toEqual(kernels[1]);
  });
});

describe('training again', () => {
  test('with the same seed gives the same bits, shuffled and with dropout', async () => {
    const run = async () => {
      setRandomSeed(11);
      const model = sequential([
        layers.input([2]),
        layers.dense(8, { activation: 'relu' }),
        layers.dropout(0.3),
        layers.dense(3, { activation: 'softmax' }),
      ]);
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      const { history } = await model.fit(x, y, { verbose: 0, epochs: 6, batchSize: 2 });
      return { history, weights: await Promise.all(model.getWeights().map((weight) => weight.data())) };
    };
    expect(await run()).toEqual(await run());
  });

  test('goes on at initialEpoch', async () => {
    const { epoch } = await line().fit([[1]], [[1]], { ...quiet, initialEpoch: 3, epochs: 5 });
    expect(epoch).toEqual([3, 4]);
  });

  test('leaves memory as it was', async () => {
    const model = classifier();
    const data = tensor([
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const once = async () => {
      await model.fit(data, [0, 1, 2], { ...quiet, batchSize: 2, validationSplit: 0.4 });
      await model.evaluate(data, [0, 1, 2], { verbose: 0 });
      (await model.predict(data, { verbose: 0, batchSize: 2 })).dispose();
      await model.trainOnBatch(data, [0, 1, 2]);
    };
    await once();
    await once();
    const before = engine.memory();
    for (let i = 0; i < 5; i++) await once();
    expect(engine.memory().liveBytes).toBeLessThanOrEqual(before.liveBytes);
    expect(engine.memory().allocatedBytes).toBeLessThanOrEqual(before.allocatedBytes);
  });
});
