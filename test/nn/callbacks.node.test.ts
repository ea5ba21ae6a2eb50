/** Callbacks that write files. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { callbacks, layers, loadModel, optimizers, resetNames, sequential } from '../../src/index.ts';
import type { Model } from '../../src/nn/models/model.ts';
import { crc32c } from '../../src/nn/report/event-file.ts';
import recorded from './fixtures/keras-numbers.json';

let folder: string;
beforeEach(async () => {
  resetNames();
  folder = await mkdtemp(join(tmpdir(), 'weft-callbacks-'));
});
afterEach(() => rm(folder, { recursive: true }));

function line() {
  const model = sequential([layers.input([1]), layers.dense(1, { useBias: false })]);
  model.compile({ optimizer: optimizers.sgd(0.1), loss: 'mse', metrics: ['mae'] });
  return model;
}
const [x, y] = [
  [[1], [2], [3]],
  [[2], [4], [6]],
];
const fitOptions = { verbose: 0, shuffle: false, batchSize: 2 } as const;

describe('csvLogger', () => {
  test.each(recorded.csv.map((one) => [JSON.stringify(one.options), one] as const))(
    'with %s writes what Keras writes',
    async (_, { logs, options, text }) => {
      const file = join(folder, 'log.csv');
      for (const run of logs) {
        const callback = callbacks.csvLogger(file, options as object);
        await callback.onTrainBegin();
        for (const [epoch, one] of run.entries())
          await callback.onEpochEnd(epoch, one as unknown as Record<string, number>);
      }
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  test('writes along with fit, and begins anew unless told otherwise', async () => {
    const file = join(folder, 'log.csv');
    await writeFile(file, 'old');
    await line().fit(x, y, { ...fitOptions, epochs: 2, callbacks: callbacks.csvLogger(file) });
    const rows = (await readFile(file, 'utf8')).split('\r\n');
    expect(rows[0]).toBe('epoch,loss,mae,val_loss,val_mae');
    expect(rows[2]).toMatch(/^1,[\d.]+,[\d.]+,NA,NA$/);
    expect(rows).toHaveLength(4);
  });

  test('names the file that cannot be written', async () => {
    const nowhere = join(folder, 'no', 'log.csv');
    await expect(
      line().fit(x, y, { ...fitOptions, callbacks: callbacks.csvLogger(nowhere) }),
    ).rejects.toMatchObject({ code: 'SAVE', message: expect.stringContaining(nowhere) });
    await expect(
      line().fit(x, y, { ...fitOptions, callbacks: callbacks.csvLogger(7 as never) }),
    ).rejects.toThrow(/file is 7/);
  });
});

/** Every event of an event file as { step, scalars }, with checksums checked. */
function readEvents(file: Uint8Array): { step: number; scalars: Record<string, number> }[] {
  const unmasked = (value: number): number => {
    const rotated = (value - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const events: { step: number; scalars: Record<string, number> }[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at < file.length; ) {
    const size = view.getUint32(at, true);
    const data = file.subarray(at + 12, at + 12 + size);
    expect(unmasked(view.getUint32(at + 8, true))).toBe(crc32c(file.subarray(at, at + 8)));
    expect(unmasked(view.getUint32(at + 12 + size, true))).toBe(crc32c(data));
    events.push(readEvent(data));
    at += size + 16;
  }
  return events;
}

type Field = { field: number; value: number | Uint8Array };

function* fieldsOf(data: Uint8Array): Generator<Field> {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = data[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    if (type === 0) yield { field, value: varint() };
    else if (type === 1) {
      yield { field, value: view.getFloat64(at, true) };
      at += 8;
    } else if (type === 5) {
      yield { field, value: view.getFloat32(at, true) };
      at += 4;
    } else {
      const size = varint();
      yield { field, value: data.subarray(at, at + size) };
      at += size;
    }
  }
}

function readEvent(data: Uint8Array): { step: number; scalars: Record<string, number> } {
  const event = { step: 0, scalars: {} as Record<string, number> };
  for (const { field, value } of fieldsOf(data)) {
    if (field === 2) event.step = value as number;
    if (field !== 5) continue;
    for (const entry of fieldsOf(value as Uint8Array)) {
      const [tag, number] = [...fieldsOf(entry.value as Uint8Array)].map((inner) => inner.value);
      event.scalars[new TextDecoder().decode(tag as Uint8Array)] = number as number;
    }
  }
  return event;
}

describe('tensorBoard', () => {
  const eventsOf = async (run: string) => {
    const [name, ...others] = await readdir(join(folder, run));
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    return readEvents(new Uint8Array(await readFile(join(folder, run, name))));
  };

  test('writes epochs and validation under the tags of Keras', async () => {
    const { history } = await line().fit(x, y, {
      ...fitOptions,
      epochs: 2,
      validationData: [x, y],
      callbacks: callbacks.tensorBoard({ logDir: folder }),
    });
    const [version, ...train] = await eventsOf('train');
    expect(version.scalars).toEqual({});
    expect(train.map(({ step }) => step)).toEqual([0, 1]);
    expect(train[1].scalars).toEqual({
      epoch_loss: Math.fround(history.loss[1]),
      epoch_mae: Math.fround(history.mae[1]),
      epoch_learning_rate: Math.fround(0.1),
    });
    const validation = (await eventsOf('validation')).slice(1);
    expect(validation.map(({ step, scalars }) => [step, ...Object.keys(scalars)])).toEqual([
      [2, 'evaluation_loss_vs_iterations', 'evaluation_mae_vs_iterations'],
      [0, 'epoch_loss', 'epoch_mae'],
      [4, 'evaluation_loss_vs_iterations', 'evaluation_mae_vs_iterations'],
      [1, 'epoch_loss', 'epoch_mae'],
    ]);
    expect(validation[3].scalars.epoch_loss).toBe(Math.fround(history.val_loss[1]));
  });

  test('writes batches where it is told to', async () => {
    const board = callbacks.tensorBoard({ logDir: folder, updateFreq: 2 });
    await line().fit(x, y, { ...fitOptions, epochs: 3, callbacks: board });
    const batches = (await eventsOf('train')).filter(({ scalars }) => 'batch_loss' in scalars);
    expect(batches.map(({ step }) => step)).toEqual([0, 2, 4]);
    expect(() => callbacks.tensorBoard({ updateFreq: 0 })).toThrow(/updateFreq is 0/);
  });
});

describe('modelCheckpoint', () => {
  const said = async (task: () => Promise<unknown>): Promise<string> => {
    let text = '';
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
      text += line;
      return true;
    });
    try {
      await task();
    } finally {
      spy.mockRestore();
    }
    return text;
  };

  test('saves each epoch under its own name', async () => {
    const model = line();
    const path = join(folder, 'runs', 'e{epoch:02d}-{loss:.1f}.keras');
    const { history } = await model.fit(x, y, {
      ...fitOptions,
      epochs: 2,
      callbacks: callbacks.modelCheckpoint(path),
    });
    const names = (await readdir(join(folder, 'runs'))).sort();
    expect(names).toEqual(history.loss.map((loss, i) => `e0${i + 1}-${loss.toFixed(1)}.keras`));
    const loaded = await loadModel(join(folder, 'runs', names[1]));
    expect(await loaded.getWeights()[0].array()).toEqual(await model.getWeights()[0].array());
  });

  test('keeps the best, in the words of Keras', async () => {
    const saved: string[] = [];
    const path = join(folder, 'best.weights.h5');
    const callback = callbacks.modelCheckpoint(path, {
      saveBestOnly: true,
      saveWeightsOnly: true,
      verbose: 1,
      monitor: 'val_loss',
    });
    const fake = { metrics: [], saveWeights: async (to: string) => void saved.push(to) };
    callback.setModel(fake as unknown as Model);
    const text = await said(async () => {
      for (const [epoch, value] of [1, 2, 0.5].entries())
        await callback.onEpochEnd(epoch, { val_loss: value });
    });
    expect(saved).toEqual([path, path]);
    expect(text).toBe(
      [
        `\nEpoch 1: val_loss improved from None to 1.00000, saving model to ${path}\n`,
        `\nEpoch 1: finished saving model to ${path}\n`,
        '\nEpoch 2: val_loss did not improve from 1.00000\n',
        `\nEpoch 3: val_loss improved from 1.00000 to 0.50000, saving model to ${path}\n`,
        `\nEpoch 3: finished saving model to ${path}\n`,
      ].join(''),
    );
  });

  test('saves every so many batches, across epochs', async () => {
    const path = join(folder, 'm-{epoch}-{batch}.weights.h5');
    await line().fit(x, y, {
      ...fitOptions,
      batchSize: 1,
      epochs: 2,
      callbacks: callbacks.modelCheckpoint(path, { saveFreq: 2, saveWeightsOnly: true }),
    });
    expect((await readdir(folder)).sort()).toEqual([
      'm-1-2.weights.h5',
      'm-2-1.weights.h5',
      'm-2-3.weights.h5',
    ]);
  });

  test('refuses names that say something else, and keys that are not there', async () => {
    expect(() => callbacks.modelCheckpoint('a.txt')).toThrow(/must end with .keras/);
    expect(() => callbacks.modelCheckpoint('a.weights.h5')).toThrow(/saveWeightsOnly false/);
    expect(() => callbacks.modelCheckpoint('a.keras', { saveWeightsOnly: true })).toThrow(/.weights.h5/);
    expect(() => callbacks.modelCheckpoint('a.keras', { saveFreq: 'batch' as never })).toThrow(/saveFreq/);
    const callback = callbacks.modelCheckpoint(join(folder, '{val_loss}.keras'));
    await expect(line().fit(x, y, { ...fitOptions, callbacks: callback })).rejects.toThrow(/names val_loss/);
  });
});
