/** The playground's worker by itself: what it answers to commands. */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Engine, layers, type Sequential, sequential } from 'weft-gpu';
import { SAVE_FORMATS, type Settings } from '../../demo/playground/protocol.ts';
import { BareWorker, launch, SMALL } from './bare-worker.ts';
import { drawn, idx, idxFiles, type PictureFile } from './pictures.ts';

/** What the worker offers to the curious. */
declare const playground: { readonly engine: Engine };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

/** One worker serves the tests that leave it whole: its device, its kernels and its garments are made once. */
let shared: BareWorker | undefined;

/** The worker with a new network at step 0, and nothing more to hear about it. */
async function ready(settings: Partial<Settings> = {}): Promise<BareWorker> {
  shared ??= await BareWorker.open(browser);
  await shared.begin();
  await configure(shared, settings);
  await shared.begin();
  return shared;
}

async function configure(worker: BareWorker, settings: Partial<Settings>): Promise<void> {
  await worker.send(
    { type: 'inspect', what: { weights: 0, confusion: false, mistakes: 0 } },
    { type: 'configure', settings: { ...SMALL, ...settings } },
  );
  await worker.next('ready');
  await worker.next('validation');
}

/** For a test after which the worker is of no use. */
async function close(): Promise<void> {
  await shared?.close();
  shared = undefined;
}

const sum = (numbers: ArrayLike<number>): number =>
  Array.from(numbers).reduce((total, one) => total + one, 0);

type FileFormat = Parameters<Sequential['toBytes']>[0];

async function toBytes(list: Parameters<typeof sequential>[0], format: FileFormat = 'keras') {
  const model = sequential(list);
  try {
    return await model.toBytes(format);
  } finally {
    model.dispose();
  }
}

test('a network learns garments in 300 steps', async () => {
  shared = await BareWorker.open(browser);
  const worker = shared;
  await worker.send({ type: 'configure', settings: SMALL });
  const ready = await worker.next('ready');
  expect(ready.settings).toEqual(SMALL);
  expect(ready.network).toEqual(['dense 784 → 16, relu', 'dense 16 → 10, softmax']);
  expect(ready.parameters).toBe(784 * 16 + 16 + 160 + 10);
  expect(ready.dispatchesPerStep).toBeLessThanOrEqual(10);
  expect((await worker.next('validation')).accuracy).toBeLessThan(0.35);

  await worker.send({ type: 'step', count: 300 });
  let progress = await worker.next('progress');
  while (progress.step < 300) progress = await worker.next('progress');
  expect(progress.accuracy).toBeGreaterThan(0.5);
  expect((await worker.step(10, 310)).accuracy).toBeGreaterThan(0.5);
});

test('training goes on until it is paused, and from there again; a reset starts over', async () => {
  const worker = await ready();
  await worker.send({ type: 'train' });
  expect(await worker.next('state')).toMatchObject({ training: true });
  while ((await worker.next('progress')).step < 100);
  await worker.send({ type: 'pause' });
  const paused = await worker.pausedAt();
  expect(paused).toMatchObject({ stepsPerSecond: 0, imagesPerSecond: 0 });
  expect((await worker.step(1, paused.step + 1)).step).toBe(paused.step + 1);

  await worker.send({ type: 'train' });
  expect((await worker.next('progress')).step).toBeGreaterThan(paused.step);
  await worker.send({ type: 'reset' });
  expect(await worker.next('ready')).toMatchObject({ settings: SMALL });
  expect((await worker.next('progress')).step).toBe(0);
  expect((await worker.next('validation')).accuracy).toBeLessThan(0.35);
});

test('of steps in a hurry only the last is looked at', async () => {
  const worker = await ready();
  const before = await worker.count('validation');
  await worker.send(...Array(19).fill({ type: 'step', count: 1 }));
  expect((await worker.step(1, 20)).step).toBe(20);
  expect((await worker.count('validation')) - before).toBeLessThan(15);
});

test('what a hurry leaves out is told after the last command, whatever that is', async () => {
  const worker = await ready();
  await worker.step(100);
  await worker.send({ type: 'reset' });
  await worker.send({ type: 'inspect', what: { weights: 0, confusion: false, mistakes: 0 } });
  expect(await worker.next('validation')).toMatchObject({ step: 0 });
});

test('the same settings give the same numbers, another seed gives others', async () => {
  const lossAfter = async (seed: number): Promise<number> => (await (await ready({ seed })).step(40)).loss;
  const [first, other, again] = [await lossAfter(1), await lossAfter(2), await lossAfter(1)];
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  // In another worker too.
  await close();
  expect(await lossAfter(1)).toBe(first);
});

test('the learning rate changes while training, and nothing is compiled for it', async () => {
  const worker = await ready({ optimizer: 'sgd', learningRate: 0.05 });
  await worker.send({ type: 'train' });
  while ((await worker.next('progress')).step < 60);
  await worker.send({ type: 'learningRate', value: 1e-6 });
  await worker.next('progress');
  await worker.send({ type: 'pause' });
  const { step } = await worker.pausedAt();
  const before = await worker.step(1, step + 1);
  const after = await worker.step(40, step + 41);
  expect(Math.abs(after.loss - before.loss)).toBeLessThan(1e-3);
  await worker.send({ type: 'learningRate', value: 0.05 });
  // It moves again; where 40 noisy steps lead depends on when it was paused, and once it may be back again.
  const changes: number[] = [];
  for (const last of [81, 121, 161]) {
    const { loss } = await worker.step(40, step + last);
    changes.push(Math.abs(loss - before.loss));
  }
  expect(Math.max(...changes)).toBeGreaterThan(1e-3);
  expect(await worker.count('busy')).toBe(0);
});

test('pictures of what it learns come when somebody looks', async () => {
  const worker = await ready();
  await worker.step(150);
  expect(await worker.count('weights', 'confusion', 'mistakes', 'probabilities')).toBe(0);

  await worker.send({ type: 'inspect', what: { weights: 12, confusion: true, mistakes: 5 } });
  const weights = await worker.next('weights');
  expect(weights).toMatchObject({ shown: 12, units: 16, step: 150 });
  expect(weights.values).toHaveLength(12 * 784);
  const { counts } = await worker.next('confusion');
  expect(sum(counts)).toBe(1000);
  const right = sum(Array.from({ length: 10 }, (_, i) => counts[11 * i]));
  const mistakes = await worker.next('mistakes');
  expect(mistakes.count).toBe(1000 - right);
  expect(mistakes.worst).toHaveLength(5);
  const [worst] = mistakes.worst;
  expect(worst.pixels).toHaveLength(784);
  expect(worst.guess).not.toBe(worst.label);
  expect(worst.guessProbability).toBeGreaterThan(worst.labelProbability);

  const TROUSER = 1;
  await worker.send({ type: 'picture', pixels: drawn(TROUSER) });
  const { values } = await worker.next('probabilities');
  expect(sum(values)).toBeCloseTo(1, 5);
  expect(values[TROUSER]).toBe(Math.max(...Array.from(values)));
  await worker.send({ type: 'train' });
  for (const type of ['probabilities', 'weights', 'confusion'] as const)
    expect((await worker.next(type)).step).toBeGreaterThan(150);
});

test('dropped files are learned from, kept, and found again', async () => {
  const worker = await ready();
  await worker.sendFiles('openData', idxFiles(600));
  const opened = await worker.next('ready');
  expect(opened.settings).toEqual({ ...SMALL, data: 'file' });
  expect(opened.data).toMatchObject({
    source: 'file',
    trainCount: 540,
    validationCount: 60,
    watchedCount: 60,
  });
  expect(opened.data.name).toBe('my-images-idx3-ubyte.gz');
  expect((await worker.next('kept')).sources).toEqual(['file']);
  expect((await worker.step(100)).accuracy).toBeGreaterThan(0.4);

  await worker.reload();
  expect((await worker.next('kept')).sources).toEqual(['file']);
  await worker.send({ type: 'configure', settings: { ...SMALL, data: 'file' } });
  expect((await worker.next('ready')).data).toEqual(opened.data);
  await worker.send({ type: 'forgetData', source: 'file' });
  expect((await worker.next('kept')).sources).toEqual([]);
});

test('F52 files that are no pictures, or huge, change nothing and are told', async () => {
  const worker = await ready();
  await worker.send({ type: 'train' });
  await worker.next('progress');
  const html = new TextEncoder().encode('<html><script>alert(1)</script>');
  const [images, labels] = idxFiles(60);
  const twenty = idx([60], new Uint8Array(60).fill(20));
  const failures: [string, PictureFile[], RegExp][] = [
    ['FORMAT', [{ name: '<img src=x onerror=alert(1)>.gz', bytes: html }], /<img src=x onerror=alert\(1\)>/],
    ['FORMAT', [{ ...images, bytes: images.bytes.subarray(0, 900) }, labels], /gzip/],
    ['NOT_PICTURES', [labels], /no pictures of 28 × 28/],
    ['NOT_PICTURES', [images, { name: 'few', bytes: idx([7], new Uint8Array(7)) }], /no as many labels/],
    ['NOT_PICTURES', [images, { name: 'many', bytes: twenty }], /label 20/],
  ];
  for (const [code, files, message] of failures) {
    await worker.sendFiles('openData', files);
    const failure = await worker.next('failure');
    expect(failure).toMatchObject({ code, canRestart: false });
    expect(failure.message).toMatch(message);
  }
  await worker.sendHugeFile('openData');
  expect(await worker.next('failure')).toMatchObject({ code: 'TOO_LARGE' });
  const { step } = await worker.next('progress');
  expect((await worker.next('progress')).step).toBeGreaterThan(step);
});

test('data come from an address that is asked for, with progress', async () => {
  const worker = await ready();
  const [images, labels] = idxFiles(60);
  const asked: string[] = [];
  const served = new Map([
    ['train-images-idx3-ubyte.gz', images.bytes],
    ['train-labels-idx1-ubyte.gz', labels.bytes],
  ]);
  await worker.page.route('https://data.test/**', (route) => {
    asked.push(route.request().url());
    const body = served.get(route.request().url().split('/').at(-1)!);
    const headers = { 'access-control-allow-origin': '*' };
    return body
      ? route.fulfill({ body: Buffer.from(body), headers })
      : route.fulfill({ status: 404, headers });
  });
  await worker.send({ type: 'fetchData', address: 'https://data.test/mine' });
  expect(await worker.next('dataProgress')).toMatchObject({ file: 'train-labels-idx1-ubyte.gz' });
  expect((await worker.next('ready')).data).toMatchObject({ source: 'file', trainCount: 54 });
  expect(asked).toHaveLength(2);

  for (const address of ['https://data.test/mine/other.npz', 'javascript:alert(1)', 'nonsense']) {
    await worker.send({ type: 'fetchData', address });
    const failure = await worker.next('failure');
    expect(failure).toMatchObject({ code: 'DOWNLOAD', canRestart: false });
    expect(failure.message).toContain(address);
  }
  await worker.page.unroute('https://data.test/**');
});

test('training goes on during a download, which can be stopped', async () => {
  const worker = await ready();
  const [, labels] = idxFiles(60);
  await worker.page.route('https://data.test/**', (route) => {
    const headers = { 'access-control-allow-origin': '*' };
    // The labels come, the pictures never do.
    if (route.request().url().includes('labels'))
      return route.fulfill({ body: Buffer.from(labels.bytes), headers });
  });
  await worker.send({ type: 'fetchData', address: 'https://data.test/mine' });
  await worker.next('dataProgress');
  expect((await worker.step(30)).step).toBe(30);
  await worker.send({ type: 'cancelData' });
  expect(await worker.next('failure')).toMatchObject({ code: 'ABORT', canRestart: false });
  expect((await worker.step(10, 40)).step).toBe(40);
  await worker.page.unroute('https://data.test/**');
});

test('a data set that is not here is asked for, and garments stay meanwhile', async () => {
  const worker = await ready();
  await worker.send({ type: 'configure', settings: { ...SMALL, data: 'fashion_mnist' } });
  expect((await worker.next('ready')).settings.data).toBe('garments');
  const missing = await worker.next('dataMissing');
  expect(missing).toMatchObject({ source: 'fashion_mnist', address: expect.stringMatching(/^https:/) });
});

test('models are saved and loaded in every format', async () => {
  const worker = await ready();
  for (const format of SAVE_FORMATS) {
    const trained = await worker.step(30);
    await worker.send({ type: 'save', format });
    const { name, bytes } = await worker.next('saved');
    expect(name).toBe(`weft-playground.${format}`);
    await worker.send({ type: 'reset' });
    expect((await worker.next('validation')).loss).not.toBe(trained.loss);

    await worker.sendFiles('load', [{ name, bytes: Uint8Array.from(bytes) }]);
    expect(await worker.next('ready')).toMatchObject({ settings: SMALL, editable: true });
    const loaded = await worker.next('validation');
    expect(loaded).toMatchObject({ step: 0, loss: trained.loss, accuracy: trained.accuracy });
    expect((await worker.step(30)).loss).toBeLessThan(loaded.loss);
    await worker.send({ type: 'reset' });
    await worker.next('validation');
  }
});

test('models for something else are refused, and the network stays', async () => {
  const worker = await ready();
  const before = await worker.step(30);
  const fiveClasses = await toBytes([layers.input([784]), layers.dense(5, { activation: 'softmax' })]);
  const smallPictures = await toBytes([layers.input([64]), layers.dense(10, { activation: 'softmax' })]);
  const otherShape = await toBytes([layers.input([784]), layers.dense(10)], 'safetensors');
  const failures: [string, PictureFile, RegExp][] = [
    ['WRONG_MODEL', { name: 'five.keras', bytes: fiveClasses }, /five\.keras: its output is \[5\]/],
    ['WRONG_MODEL', { name: 'small.keras', bytes: smallPictures }, /small\.keras: its input is \[64\]/],
    ['SHAPE', { name: 'other.safetensors', bytes: otherShape }, /other\.safetensors/],
    ['FORMAT', { name: 'half.keras', bytes: fiveClasses.subarray(0, 2000) }, /half\.keras/],
    ['FORMAT', { name: '<b>text</b>.h5', bytes: new TextEncoder().encode('hello') }, /<b>text<\/b>/],
  ];
  for (const [code, file, message] of failures) {
    await worker.sendFiles('load', [file]);
    const failure = await worker.next('failure');
    expect(failure.message).toMatch(message);
    expect(failure).toMatchObject({ code, canRestart: false });
  }
  await worker.send({ type: 'inspect', what: { weights: 0, confusion: true, mistakes: 0 } });
  expect(await worker.next('validation')).toMatchObject({ step: 30, loss: before.loss });
});

test('a model of other layers is taken, and told not to be editable', async () => {
  const worker = await ready();
  const bytes = await toBytes([
    layers.input([28, 28]),
    layers.rescaling(1 / 255),
    layers.flatten(),
    layers.dense(12, { activation: 'tanh' }),
    layers.dropout(0.1),
    layers.dense(10),
  ]);
  await worker.sendFiles('load', [{ name: 'mine.keras', bytes }]);
  const { editable, network } = await worker.next('ready');
  expect(editable).toBe(false);
  expect(network).toEqual(['dense 784 → 12, tanh', 'dense 12 → 10, linear']);
  expect((await worker.step(150)).accuracy).toBeGreaterThan(0.4);
});

test('a network that diverges stops, and says why', async () => {
  const linear = { units: 16, activation: 'linear' as const };
  const worker = await ready({ layers: [linear, linear], optimizer: 'momentum', learningRate: 10 });
  await worker.send({ type: 'train' });
  expect((await worker.next('notice')).text).toMatch(/diverged.*smaller learning rate/);
  await worker.pausedAt();
});

test('the kernels of a step are explained, and training goes on after it', async () => {
  const worker = await ready();
  await worker.send({ type: 'train' });
  await worker.next('progress');
  await worker.send({ type: 'explain' });
  const { profile } = await worker.next('explained');
  expect(profile.kernels.length).toBeLessThanOrEqual(10);
  expect(profile.kernels[0].shader).toMatch(/@compute/);
  const { step } = await worker.next('progress');
  expect((await worker.next('progress')).step).toBeGreaterThan(step);
});

test('a network that the device has no room for is refused, and the old one goes on', async () => {
  const worker = await ready();
  await worker.inside(() => {
    const { device } = playground.engine;
    const limit = 64 << 20;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (options) => {
      if (options.size > limit) throw new RangeError('no memory');
      return create(options);
    };
  });
  const layers = [4096, 4096, 4096].map((units) => ({ units, activation: 'relu' as const }));
  await worker.send({ type: 'configure', settings: { ...SMALL, layers } });
  const failure = await worker.next('failure');
  expect(failure.code).toBe('OUT_OF_MEMORY');
  expect(failure.canRestart).toBe(false);
  expect((await worker.step(60)).step).toBe(60);
});

test.each([true, false])('the loss of the device is told at once (training: %s)', async (training) => {
  const worker = await ready();
  if (training) {
    await worker.send({ type: 'train' });
    await worker.next('progress');
  }
  await worker.inside(() => playground.engine.device.destroy());
  expect(await worker.next('failure')).toMatchObject({ code: 'DEVICE_LOST', canRestart: true });
  await close();
});
