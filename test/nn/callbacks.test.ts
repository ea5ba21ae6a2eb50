/** Callbacks that need no disk; those that write files are in callbacks.node.test.ts. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { callbacks, layers, optimizers, resetNames, schedules, sequential } from '../../src/index.ts';
import type { Model } from '../../src/nn/models/model.ts';
import { crc32c, scalarEvent, tfRecord } from '../../src/nn/report/event-file.ts';
import { floatText } from '../../src/nn/report/format.ts';
import recorded from './fixtures/keras-numbers.json';

beforeEach(resetNames);

/** y = w · x with one weight, mean squared error. */
function line(rate = 0.1) {
  const model = sequential([layers.input([1]), layers.dense(1, { useBias: false })]);
  model.compile({ optimizer: optimizers.sgd(rate), loss: 'mse' });
  return model;
}
const [x, y] = [
  [[1], [2]],
  [[2], [4]],
];
const quiet = { verbose: 0, shuffle: false } as const;

/** Collects what is printed while `task` runs. */
async function printed(task: () => Promise<unknown>): Promise<string> {
  const stdout = (globalThis as { process?: { stdout?: { write(text: string): boolean } } }).process?.stdout;
  let text = '';
  const take = (line: string, end = ''): boolean => {
    text += line + end;
    return true;
  };
  const spy = stdout?.write
    ? vi.spyOn(stdout, 'write').mockImplementation((line: string) => take(line))
    : vi.spyOn(console, 'log').mockImplementation((line: string) => void take(line, '\n'));
  try {
    await task();
  } finally {
    spy.mockRestore();
  }
  return text;
}

describe('a value that is NaN is never the best', () => {
  const values = [Number.NaN, 4, 3, 2, Number.NaN];
  const monitored = {
    onEpochEnd(epoch: number, logs: Record<string, number>) {
      logs.q = values[epoch];
    },
  };
  const options = { monitor: 'q', mode: 'min' } as const;
  const run = (callback: InstanceType<typeof callbacks.Callback>) =>
    line(0.25).fit(x, y, { ...quiet, epochs: 5, callbacks: [monitored, callback] });

  test('earlyStopping goes by the numbers after it', async () => {
    const stop = callbacks.earlyStopping({ ...options, patience: 2, restoreBestWeights: true });
    const { epoch } = await run(stop);
    expect(epoch).toHaveLength(5);
    expect(stop.bestEpoch).toBe(3);
  });

  test('NaN alone runs out of patience', async () => {
    values.fill(Number.NaN);
    const { epoch } = await run(callbacks.earlyStopping({ ...options, patience: 2 }));
    expect(epoch).toHaveLength(2);
    values.splice(0, 5, Number.NaN, 4, 3, 2, Number.NaN);
  });

  test('reduceLROnPlateau counts it as no improvement', async () => {
    values.splice(0, 5, Number.NaN, Number.NaN, 1, 2, Number.NaN);
    const { history } = await run(callbacks.reduceLROnPlateau({ ...options, patience: 2, factor: 0.5 }));
    expect(history.learning_rate).toEqual([0.25, 0.25, 0.125, 0.125, 0.125]);
  });

  test('a threshold that is NaN is refused, since nothing is better', () => {
    expect(() => callbacks.earlyStopping({ baseline: Number.NaN })).toThrow(/baseline is NaN/);
    expect(() => callbacks.modelCheckpoint('x.keras', { initialValueThreshold: Number.NaN })).toThrow(
      /initialValueThreshold is NaN/,
    );
  });
});

describe('reduceLROnPlateau', () => {
  test.each(recorded.plateau.map((one) => [JSON.stringify(one.options), one] as const))(
    'with %s does what Keras does, word for word',
    async (_, { values, rate, options, rates, text }) => {
      const callback = callbacks.reduceLROnPlateau({ ...options, verbose: 1 } as object);
      callback.setModel({ metrics: [], optimizer: optimizers.sgd(rate) } as unknown as Model);
      const seen: number[] = [];
      const said = await printed(async () => {
        callback.onTrainBegin();
        for (const [epoch, value] of values.entries()) {
          const logs: Record<string, number> = { val_loss: value };
          await callback.onEpochEnd(epoch, logs);
          seen.push(logs.learning_rate);
        }
      });
      expect(seen).toEqual(rates);
      expect(said).toBe(text);
    },
  );

  test('puts the rate into the History, and training goes on with it', async () => {
    const model = line(0.25);
    const { history } = await model.fit(x, y, {
      ...quiet,
      epochs: 3,
      callbacks: callbacks.reduceLROnPlateau({ monitor: 'loss', patience: 1, minDelta: 1000, factor: 0.5 }),
    });
    expect(Object.keys(history)).toEqual(['loss', 'learning_rate']);
    expect(history.learning_rate).toEqual([0.25, 0.25, 0.125]);
    expect(model.optimizer.learningRate).toBe(0.0625);
  });

  test('refuses a factor that does not lower, and a missing key is told once', async () => {
    expect(() => callbacks.reduceLROnPlateau({ factor: 1 })).toThrow(
      /factor is 1; expected a number below 1/,
    );
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await line().fit(x, y, { ...quiet, epochs: 2, callbacks: callbacks.reduceLROnPlateau() });
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});

describe('learningRateScheduler', () => {
  test('sets the rate of each epoch and says so as Keras does', async () => {
    const model = line(0.001);
    const scheduler = callbacks.learningRateScheduler((epoch, rate) => (epoch === 0 ? rate : 1e-5 * epoch), {
      verbose: 1,
    });
    let history: Record<string, number[]> = {};
    const text = await printed(async () => {
      ({ history } = await model.fit(x, y, { ...quiet, epochs: 3, callbacks: scheduler }));
    });
    expect(history.learning_rate).toEqual([0.001, 1e-5, 2e-5].map(Math.fround));
    expect(text).toBe(
      [
        '\nEpoch 1: LearningRateScheduler setting learning rate to 0.0010000000474974513.\n',
        '\nEpoch 2: LearningRateScheduler setting learning rate to 1e-05.\n',
        '\nEpoch 3: LearningRateScheduler setting learning rate to 2e-05.\n',
      ].join(''),
    );
  });

  test('steps are taken with the rate of their epoch', async () => {
    const model = sequential([
      layers.input([1]),
      layers.dense(1, { useBias: false, kernelInitializer: 'zeros' }),
    ]);
    model.compile({ optimizer: optimizers.sgd(1), loss: (_, p) => p.neg() });
    const weights: number[] = [];
    await model.fit([[1]], [[1]], {
      ...quiet,
      epochs: 3,
      callbacks: [
        callbacks.learningRateScheduler((epoch) => 10 ** epoch),
        { onEpochEnd: async () => void weights.push(await model.getWeights()[0].item()) },
      ],
    });
    expect(weights).toEqual([1, 11, 111]);
  });

  test('needs a rate that is a number', async () => {
    const model = line();
    model.compile({
      optimizer: optimizers.sgd(
        schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 2, decayRate: 0.5 }),
      ),
      loss: 'mse',
    });
    const fit = model.fit(x, y, { ...quiet, callbacks: callbacks.learningRateScheduler(() => 1) });
    await expect(fit).rejects.toThrow(/follows a schedule/);
    expect(() => callbacks.learningRateScheduler(0.1 as never)).toThrow(/schedule is 0.1/);
    await expect(
      line().fit(x, y, { ...quiet, callbacks: callbacks.learningRateScheduler(() => Number.NaN) }),
    ).rejects.toThrow(/result of schedule is NaN/);
  });
});

describe('event files', () => {
  const ascii = (text: string) => new TextEncoder().encode(text);

  test('have the checksums of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
  });

  test('frame records as TensorFlow does', () => {
    const record = tfRecord(ascii('abc'));
    expect(record).toHaveLength(8 + 4 + 3 + 4);
    expect([...record.subarray(0, 8)]).toEqual([3, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('hold step, tag and value in protocol buffers', () => {
    const record = scalarEvent(1, 300, { a: 0.5 });
    expect([...record.subarray(12, -4)]).toEqual([
      ...[9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
      ...[16, 0xac, 2],
      ...[42, 10, 10, 8, 10, 1, 97, 21, 0, 0, 0, 0x3f],
    ]);
  });
});

const inPage = typeof globalThis.document !== 'undefined';

test.skipIf(!inPage)('in a page, files go to handles of its own file system', async () => {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle('log.csv', { create: true });
  const logs = await root.getDirectoryHandle('logs', { create: true });
  await line().fit(x, y, {
    ...quiet,
    epochs: 2,
    callbacks: [callbacks.csvLogger(file), callbacks.tensorBoard({ logDir: logs })],
  });
  const rows = (await (await file.getFile()).text()).split('\r\n');
  expect(rows.map((row) => row.split(',')[0])).toEqual(['epoch', '0', '1', '']);
  const train = await logs.getDirectoryHandle('train');
  const names: string[] = [];
  for await (const name of (train as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  expect(names).toHaveLength(1);
  const events = await (await train.getFileHandle(names[0])).getFile();
  expect(events.size).toBeGreaterThan(100);
  await root.removeEntry('logs', { recursive: true });
  await root.removeEntry('log.csv');
});

test('floats are written as Python writes them', () => {
  const written = [1, 0.1, 1e-4, 1e-5, 123456.789, 1e15, 1e16, 1.5e-7, -2, 0, Number.NaN].map(floatText);
  expect(written).toEqual([
    ...['1.0', '0.1', '0.0001', '1e-05', '123456.789', '1000000000000000.0', '1e+16', '1.5e-07', '-2.0'],
    ...['0.0', 'nan'],
  ]);
});
