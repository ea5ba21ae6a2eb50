/** BackupAndRestore: a run that was cut off goes on to the bytes of one that was not; on disk, and in a page in OPFS. */
import { beforeAll, describe, expect, test } from 'vitest';
import { diskFileStore, folderFileStore } from '../../src/base/file-store.ts';
import { builtin } from '../../src/base/platform.ts';
import {
  callbacks,
  data,
  initializers,
  layers,
  metrics,
  optimizers,
  sequential,
  tensor,
} from '../../src/index.ts';
import { decodeBackup, encodeBackup } from '../../src/nn/callbacks/backup-file.ts';
import { generator } from '../reference/random.ts';

const disk = diskFileStore();
const os = builtin<typeof import('node:os')>('node:os');
const files = disk ?? folderFileStore(() => navigator.storage.getDirectory());
let count = 0;
/** A folder that is not there yet. */
const fresh = (): string => {
  const name = `weft-backup-${Date.now()}-${count++}`;
  return os && disk ? disk.join(os.tmpdir(), name) : name;
};
const there = (folder: string) => files.read(files.join(folder, 'backup.weft'), 1e8);

const SAMPLES = 40;
const random = generator(3);
const x = Array.from({ length: SAMPLES }, () => [0, 1, 2].map(() => random.between(-1, 1)));
const y = x.map(([a, b, c]) => [a * b + c]);

/** The same each time: what is random of itself is kept by the process test. */
function made() {
  const kernelInitializer = initializers.heNormal({ seed: 5 });
  const model = sequential([
    layers.input([3]),
    layers.dense(6, { activation: 'tanh', kernelInitializer }),
    layers.dropout({ rate: 0.2, seed: 1 }),
    layers.dense(1, { kernelInitializer }),
  ]);
  model.compile({ optimizer: optimizers.rmsprop(0.2), loss: 'mse', metrics: [metrics.r2Score()] });
  return model;
}

interface Run {
  readonly folder?: string;
  readonly options?: callbacks.BackupAndRestoreOptions;
  /** The epoch and batch at whose end it is cut off. */
  readonly cut?: readonly [number, number];
}

const cutOff = new Error('cut off');

/** Trains a new model; gives all that a run leaves. */
async function run({ folder, options, cut }: Run = {}) {
  const model = made();
  let epoch = 0;
  const scissors = {
    onEpochBegin(now: number) {
      epoch = now;
    },
    onTrainBatchEnd(batch: number) {
      if (cut && epoch === cut[0] && batch === cut[1]) throw cutOff;
    },
  };
  const stop = callbacks.earlyStopping({ patience: 4, restoreBestWeights: true });
  const fitted = model.fit(x, y, {
    verbose: 0,
    batchSize: 6,
    epochs: 7,
    shuffle: false,
    validationSplit: 0.2,
    callbacks: [
      ...(folder ? [callbacks.backupAndRestore(folder, options)] : []),
      stop,
      callbacks.reduceLROnPlateau({ patience: 1, factor: 0.5 }),
      scissors,
    ],
  });
  if (cut) {
    await expect(fitted).rejects.toBe(cutOff);
    return null;
  }
  const { history, epoch: epochs } = await fitted;
  return {
    weights: await Promise.all(model.weights.map(async (one) => [...(await one.data())])),
    history,
    epochs,
    bestEpoch: stop.bestEpoch,
    iterations: await model.optimizer.iterations.item(),
    rate: model.optimizer.learningRate,
  };
}

describe('a run that was cut off goes on to the bytes of an unbroken one', () => {
  let whole: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    whole = await run();
    expect(whole!.rate).toBeLessThan(0.2);
    expect(whole!.bestEpoch).toBeLessThan(6);
  });

  test.each<[string, callbacks.BackupAndRestoreOptions['saveFreq'], (readonly [number, number])[]]>([
    [
      'after each epoch, cut twice',
      'epoch',
      [
        [1, 2],
        [3, 0],
      ],
    ],
    [
      'in the middle of epochs, cut twice',
      4,
      [
        [0, 4],
        [2, 3],
      ],
    ],
  ])('%s', async (_, saveFreq, cuts) => {
    const folder = fresh();
    for (const cut of cuts) {
      await run({ folder, options: { saveFreq }, cut });
      expect(await there(folder)).toBeDefined();
    }
    expect(await run({ folder, options: { saveFreq } })).toEqual(whole);
    expect(await there(folder), 'the backup goes when training ends').toBeUndefined();
  });

  test('a run that has ended is not trained again where its backup is kept', async () => {
    const options = { deleteCheckpoint: false };
    const folder = fresh();
    await run({ folder, options });
    expect(await run({ folder, options })).toEqual(whole);
    await files.remove(files.join(folder, 'backup.weft'));
  });
});

describe('backupAndRestore refuses', () => {
  const train = (list: callbacks.CallbackFunctions[]) =>
    made().fit(x, y, { verbose: 0, epochs: 2, callbacks: list });

  test('a backup of a run with other callbacks, and leaves it', async () => {
    const folder = fresh();
    await run({ folder, cut: [2, 0] });
    await expect(train([callbacks.backupAndRestore(folder)])).rejects.toThrow(
      /backup\.weft is of a run with other callbacks/,
    );
    expect(await there(folder)).toBeDefined();
    await files.remove(files.join(folder, 'backup.weft'));
  });

  test('a file that is no backup, only the beginning of one, or one with a damaged bit', async () => {
    const folder = fresh();
    await run({ folder, cut: [2, 0] });
    const bytes = (await there(folder))!;
    // One bit of a weight: the run would go on, with other numbers.
    const damaged = bytes.slice();
    damaged[Math.floor(bytes.length / 2)] ^= 1;
    for (const broken of [bytes.slice(0, 3), bytes.slice(0, -1), new Uint8Array(99), damaged]) {
      await files.write(files.join(folder, 'backup.weft'), broken);
      await expect(run({ folder })).rejects.toMatchObject({ code: 'FORMAT' });
    }
    await files.remove(files.join(folder, 'backup.weft'));
  });

  test('batches of a made dataset in the middle of an epoch, and places that are none', async () => {
    const rows = data.Dataset.fromTensorSlices([tensor(x), tensor(y)])
      .map((row) => row)
      .batch(5);
    const folder = fresh();
    await expect(
      made().fit(rows, { verbose: 0, callbacks: callbacks.backupAndRestore(folder, { saveFreq: 2 }) }),
    ).rejects.toThrow(/saveFreq is 2.*'epoch'/);
    expect(() => callbacks.backupAndRestore('')).toThrow(/backupDir is ""/);
    expect(() => callbacks.backupAndRestore('x', { saveFreq: 0 })).toThrow(/saveFreq is 0/);
  });

  test('values that no JSON has are kept', async () => {
    const model = new Uint8Array([1, 2, 3]);
    const state = {
      best: Number.NaN,
      most: Number.POSITIVE_INFINITY,
      zero: -0,
      none: null,
      list: [1, 'a', true],
    };
    const moment = { epoch: 3, step: 0, seen: null, stopped: false, callbacks: [null, state] };
    const back = decodeBackup(await encodeBackup(moment, model), 'here');
    expect(back.model).toEqual(model);
    expect(back.moment).toMatchObject(moment);
  });
});
