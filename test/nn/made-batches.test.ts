/** Batches that a dataset makes on the way: many go together, the host works ahead, and whatever ends a run leaves nothing. */
import { beforeEach, describe, expect, test } from 'vitest';
import { RandomSequence } from '../../src/base/random.ts';
import {
  callbacks,
  data,
  type Engine,
  layers,
  type Model,
  optimizers,
  resetNames,
  sequential,
  setRandomSeed,
  tensor,
} from '../../src/index.ts';
import { sharedEngine } from '../support/engine.ts';

beforeEach(resetNames);

const { Dataset } = data;
const [FEATURES, CLASSES] = [5, 3];
const quiet = { verbose: 0 } as const;

interface Drawn {
  readonly x: { readonly data: Uint8Array; readonly shape: number[] };
  readonly y: Uint8Array;
}

function draw(count: number, seed = 7): Drawn {
  const random = new RandomSequence(seed, 0);
  const bytes = Uint8Array.from({ length: count * FEATURES }, () => random.below(256));
  const y = Uint8Array.from({ length: count }, (_, i) => bytes[i * FEATURES] % CLASSES);
  return { x: { data: bytes, shape: [count, FEATURES] }, y };
}

/** Rows `from` … `to` − 1, as a batch. */
const part = ({ x, y }: Drawn, from: number, to: number): [Drawn['x'], Uint8Array] => [
  { data: x.data.subarray(from * FEATURES, to * FEATURES), shape: [to - from, FEATURES] },
  y.subarray(from, to),
];

/** Batches between these rows. */
const between = (drawn: Drawn, ends: readonly number[]) =>
  ends.slice(1).map((end, i) => part(drawn, ends[i], end));

async function network() {
  setRandomSeed(7);
  const engine = await sharedEngine();
  const model = sequential([
    layers.input([FEATURES]),
    layers.rescaling(1 / 255),
    layers.dense(6, {
      activation: 'tanh',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 1 } },
    }),
    layers.dense(CLASSES, {
      activation: 'softmax',
      kernelInitializer: { className: 'GlorotUniform', config: { seed: 2 } },
    }),
  ]);
  model.compile({
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  // The model's weights say where batches go that belong to no engine.
  await model.predict(tensor(new Uint8Array(FEATURES), { shape: [1, FEATURES], engine }), quiet);
  return model;
}

const state = async (model: Model) =>
  Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));

describe('made batches', () => {
  test('train to the bits of the same rows, many in a submit, with a write for each column', async () => {
    const engine = await sharedEngine();
    const drawn = draw(64 * 8 + 3);
    const [byRows, made] = [await network(), await network()];
    await byRows.fit(tensor(drawn.x.data, { shape: drawn.x.shape, engine }), drawn.y, {
      ...quiet,
      batchSize: 8,
      epochs: 3,
      shuffle: false,
    });
    const dataset = Dataset.fromTensorSlices([drawn.x, drawn.y])
      .map((row) => row)
      .batch(8);
    const seen: ReturnType<Engine['stats']>[] = [];
    await made.fit(dataset, {
      ...quiet,
      epochs: 3,
      callbacks: { onEpochEnd: () => void seen.push(engine.stats()) },
    });
    expect(await state(made)).toEqual(await state(byRows));

    const [, before, after] = seen;
    const [submits, writes, reads] = (['submits', 'writes', 'reads'] as const).map(
      (key) => after[key] - before[key],
    );
    // The sums, and the last batch, which is smaller and goes alone: a submit for itself and one for its reading.
    expect(reads).toBe(2);
    const turns = submits - 3;
    // How many go together depends on how fast they are made.
    expect(turns).toBeLessThan(64);
    // Each turn has x and y; so has the last batch; a counter and two sums begin anew.
    expect(writes).toBe(2 * turns + 2 + 3);
  });

  test('of uneven sizes and kinds train one after the other, as trainOnBatch does', async () => {
    const engine = await sharedEngine();
    const drawn = draw(40);
    const batches = between(drawn, [0, 8, 16, 19, 27, 28, 36, 40]);
    const onGpu = ([x, y]: (typeof batches)[number]) => [
      tensor(x.data, { shape: x.shape, engine }).cast('f32'),
      tensor(y, { engine }),
    ];
    const elements = batches.map((batch, i) => (i === 3 ? onGpu(batch) : batch));
    const [made, single] = [await network(), await network()];
    const told: number[] = [];
    const { history } = await made.fit(
      Dataset.fromGenerator<unknown>(() => elements, { cardinality: 7 }),
      {
        ...quiet,
        callbacks: { onEpochEnd: () => void told.push(1) },
      },
    );
    let loss = 0;
    for (const [x, y] of elements) {
      const logs = await single.trainOnBatch(x, y);
      loss += logs.loss * ((y as Uint8Array).length ?? (y as ReturnType<typeof tensor>).size);
    }
    expect(await state(made)).toEqual(await state(single));
    expect(history.loss[0]).toBeCloseTo(loss / 40, 5);
  });

  test('are told one by one where somebody listens, with the mean so far', async () => {
    const drawn = draw(20);
    const batches = between(drawn, [0, 6, 12, 18, 20]);
    const [made, single] = [await network(), await network()];
    const seen: number[] = [];
    await made.fit(
      Dataset.fromGenerator<unknown>(() => batches, { cardinality: 4 }),
      {
        ...quiet,
        callbacks: { onTrainBatchEnd: (_batch: number, logs: { loss: number }) => void seen.push(logs.loss) },
      },
    );
    let sum = 0;
    let count = 0;
    for (const [i, [x, y]] of batches.entries()) {
      sum += (await single.trainOnBatch(x, y)).loss * y.length;
      count += y.length;
      expect(seen[i]).toBeCloseTo(sum / count, 5);
    }
  });

  test('are made while the GPU works on those before', async () => {
    const engine = await sharedEngine();
    const { queue } = engine.device;
    const original = queue.onSubmittedWorkDone;
    let underWay = 0;
    let most = 0;
    queue.onSubmittedWorkDone = async function (this: GPUQueue) {
      most = Math.max(most, ++underWay);
      await original.call(this);
      underWay--;
    };
    try {
      const drawn = draw(8);
      const seen: number[] = [];
      const dataset = Dataset.fromGenerator(
        function* () {
          for (let i = 0; i < 300; i++) {
            seen.push(underWay);
            yield part(drawn, 0, 8);
          }
        },
        { cardinality: 300 },
      );
      await (await network()).fit(dataset, quiet);
      expect(Math.max(...seen)).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(2);
    } finally {
      queue.onSubmittedWorkDone = original;
    }
  });

  test('whose number nobody knows are made once an epoch; the progress line learns it at the end', async () => {
    const drawn = draw(24);
    let passes = 0;
    const dataset = Dataset.fromGenerator<unknown>(() => {
      passes++;
      return between(drawn, [0, 8, 16, 24]);
    });
    const text: string[] = [];
    const terminal = {
      isTerminal: true,
      color: false,
      columns: 80,
      write: (line: string) => void text.push(line),
    };
    const steps: unknown[] = [];
    const model = await network();
    await model.fit(dataset, {
      epochs: 2,
      callbacks: [
        callbacks.progressBar({ terminal }),
        {
          onTrainBatchEnd: () => void steps.push(model.history!.params.steps),
          onEpochEnd: () => void steps.push(model.history!.params.steps),
        },
      ],
    });
    expect(passes).toBe(2);
    expect(steps).toEqual([null, null, null, 3, null, null, null, 3]);
    expect(text.join('')).toContain('      1/Unknown 0s');
    expect(text.at(-1)).toContain('3/3 ━━━━━━━━━━━━━━━━━━━━ ');

    await model.evaluate(dataset, { callbacks: callbacks.progressBar({ terminal }) });
    expect(text.at(-1)).toContain('3/3 ━');
    await model.predict(
      dataset.map((element) => (element as unknown[])[0]),
      {
        callbacks: callbacks.progressBar({ terminal }),
      },
    );
    expect(text.at(-1)).toContain('3/3 ━');
    expect(passes).toBe(4);
  });

  test('are predicted together, also when they are uneven', async () => {
    const engine = await sharedEngine();
    const drawn = draw(90);
    const model = await network();
    const direct = [
      ...(await (await model.predict(tensor(drawn.x.data, { shape: drawn.x.shape, engine }), quiet)).data()),
    ];
    for (const ends of [
      [0, 30, 60, 90],
      [0, 30, 60, 61, 90],
    ]) {
      const dataset = Dataset.fromGenerator<unknown>(() => between(drawn, ends), {
        cardinality: ends.length - 1,
      });
      expect([...(await (await model.predict(dataset, quiet)).data())]).toEqual(direct);
    }
  });
});

test('large batches are not predicted together: a submit stays a submit', async () => {
  const engine = await sharedEngine();
  const drawn = draw(3000);
  const model = await network();
  const steps: number[] = [];
  const dataset = Dataset.fromGenerator<unknown>(
    () => between(drawn, [0, 600, 1200, 1800, 2400, 3000]).map(([x]) => x),
    {
      cardinality: 5,
    },
  );
  const told = { ...quiet, callbacks: { onProgress: (step: number) => void steps.push(step) } };
  const made = await (await model.predict(dataset, told)).data();
  const x = tensor(drawn.x.data, { shape: drawn.x.shape, engine });
  const rows = Dataset.fromTensorSlices([x]).batch(600);
  expect([...(await (await model.predict(rows, told)).data())]).toEqual([...made]);
  expect(steps).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
});

describe('whatever ends a run', () => {
  /** Runs twice and says what the second run left. */
  async function left(run: (model: Model, round: number) => Promise<unknown>) {
    const engine = await sharedEngine();
    const model = await network();
    const sizes = [];
    for (const round of [0, 1, 2]) {
      await run(model, round);
      await engine.idle();
      const { tensors, liveBytes, allocatedBytes } = engine.memory();
      sizes.push({ tensors, liveBytes, allocatedBytes });
    }
    const [, before, after] = sizes;
    // Less is no leak: earlier garbage may be collected meanwhile.
    for (const key of ['tensors', 'liveBytes', 'allocatedBytes'] as const)
      expect(after[key], key).toBeLessThanOrEqual(before[key]);
    return model;
  }

  const drawn = draw(64);
  /** Batches of 8; `at` is called before the batch of that number. */
  const batches = (at: (batch: number) => void, ended: () => void) =>
    Dataset.fromGenerator(
      function* () {
        try {
          for (let i = 0; i < 8; i++) {
            at(i);
            yield part(drawn, 8 * i, 8 * i + 8);
          }
        } finally {
          ended();
        }
      },
      { cardinality: 8 },
    );
  const none = (): void => {};

  test('an error of the generator: it is told as it is, and the model trains on', async () => {
    let ended = 0;
    const model = await left(async (one) => {
      const failing = batches(
        (batch) => {
          if (batch === 5) throw new Error('the disk is gone');
        },
        () => ended++,
      );
      await expect(one.fit(failing, quiet)).rejects.toThrow('the disk is gone');
      await expect(one.evaluate(failing, quiet)).rejects.toThrow('the disk is gone');
      await expect(
        one.predict(
          failing.map(([x]) => x),
          quiet,
        ),
      ).rejects.toThrow('the disk is gone');
    });
    expect(ended).toBe(9);
    const { history } = await model.fit(batches(none, none), quiet);
    expect(history.loss[0]).toBeGreaterThan(0);
  });

  test('a batch with labels that are no classes: the whole batches before it have been trained', async () => {
    const model = await network();
    const bad = batches(none, none).map(([x, y]) => [x, y]);
    const wrong = Dataset.fromGenerator<unknown>(
      () => [part(drawn, 0, 8), [part(drawn, 8, 16)[0], new Uint8Array(8).fill(9)]],
      { cardinality: 2 },
    );
    await expect(model.fit(wrong, quiet)).rejects.toThrow('y[0] is 9');
    await model.fit(bad, quiet);
  });

  test('a signal: fit rejects with AbortError, and the dataset is let go', async () => {
    let ended = 0;
    await left(async (model) => {
      const controller = new AbortController();
      const dataset = batches(
        (batch) => {
          if (batch === 4) controller.abort();
        },
        () => ended++,
      );
      await expect(
        model.fit(dataset, {
          ...quiet,
          signal: controller.signal,
          callbacks: { onTrainBatchEnd: none },
        }),
      ).rejects.toThrow('aborted');
    });
    expect(ended).toBe(3);
  });

  test('stopTraining after a batch: no further batch is asked for', async () => {
    let asked = 0;
    let ended = 0;
    await left(async (model) => {
      asked = 0;
      await model.fit(
        batches(
          () => asked++,
          () => ended++,
        ),
        {
          ...quiet,
          epochs: 2,
          callbacks: {
            onTrainBatchEnd: (batch: number) => {
              if (batch === 2) model.stopTraining = true;
            },
          },
        },
      );
      expect(asked).toBe(3);
    });
    expect(ended).toBe(3);
  });

  test('streamed arrays too: an error in a callback and a signal', async () => {
    const engine = await sharedEngine();
    const x = tensor(drawn.x.data, { shape: drawn.x.shape, engine });
    await left(async (model, round) => {
      const controller = new AbortController();
      const options = {
        ...quiet,
        stream: true,
        batchSize: 8,
        epochs: 3,
        signal: controller.signal,
        callbacks: {
          onEpochEnd: () => {
            if (round === 0) throw new Error('a callback fails');
            controller.abort();
          },
        },
      };
      await expect(model.fit(x, drawn.y, options)).rejects.toThrow(
        round === 0 ? 'a callback fails' : 'aborted',
      );
    });
    expect(x.storage).toBeNull();
  });
});
