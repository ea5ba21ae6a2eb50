/** What the playground computes without a GPU: pictures from files, and what probabilities say. */

import { expect, test } from 'vitest';
import { data, FormatError, LimitError } from 'weft-gpu';
import { drawGarments, picturesFrom } from '../../demo/playground/data.ts';
import { describeFailure, Refusal } from '../../demo/playground/failure.ts';
import { judge, worstMistakes } from '../../demo/playground/watch.ts';
import { idx, idxFiles } from './pictures.ts';

const bytes = (length: number, value = 0): Uint8Array => new Uint8Array(length).fill(value);

test('of several pairs the largest is learned from', async () => {
  const small = idxFiles(30).map((file) => ({ ...file, name: `t10k-${file.name}` }));
  const { name, count, labels, classNames } = await picturesFrom([...small, ...idxFiles(50)]);
  expect([name, count, labels.length]).toEqual(['my-images-idx3-ubyte.gz', 50, 50]);
  expect(classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('a pair for training comes before an equal one for tests', async () => {
  const [images, labels] = idxFiles(30);
  const named = (kind: string) => [
    { ...images, name: `${kind}-images` },
    { ...labels, name: `${kind}-labels` },
  ];
  expect((await picturesFrom([...named('test'), ...named('train')])).name).toBe('train-images');
});

test.each([[[40, 28, 28]], [[40, 28, 28, 1]], [[40, 784]]])(
  'an archive with pictures of shape %j is read',
  async (shape) => {
    const archive = await data.encodeNpz({
      x_train: { data: bytes(40 * 784, 7), shape },
      y_train: { data: Int32Array.from({ length: 40 }, (_, i) => i % 10), shape: [40] },
    });
    const { images, labels, name } = await picturesFrom([{ name: 'mine.npz', bytes: archive }]);
    expect([name, images.length, labels[13]]).toEqual(['mine.npz, x_train', 40 * 784, 3]);
  },
);

test.each([
  [
    'pictures of another size',
    [idx([40, 32, 32], bytes(40 * 1024)), idx([40], bytes(40))],
    /no pictures of 28/,
  ],
  ['pictures lying on their side', [idx([40, 14, 56], bytes(40 * 784)), idx([40], bytes(40))], /no pictures/],
  ['too few pictures', [idx([4, 28, 28], bytes(4 * 784)), idx([4], bytes(4))], /holds 4 pictures/],
  ['labels beyond ten classes', [idx([40, 28, 28], bytes(40 * 784)), idx([40], bytes(40, 10))], /label 10/],
  ['nothing', [], /Found nothing/],
])('%s are refused', async (_, files, message) => {
  const named = files.map((one, i) => ({ name: `file ${i}`, bytes: one }));
  const error = await picturesFrom(named).catch((one: unknown) => one);
  expect(error).toBeInstanceOf(Refusal);
  expect((error as Refusal).message).toMatch(message);
});

test('garments are drawn the same each time', () => {
  const [one, other] = [drawGarments(), drawGarments()];
  expect(one.count).toBe(20_000);
  expect(Buffer.compare(other.images, one.images)).toBe(0);
  expect(new Set(one.labels).size).toBe(10);
});

test('probabilities give loss, accuracy, confusion and mistakes', () => {
  const probabilities = new Float32Array(30);
  probabilities[3] = 1; // right, and sure of it
  probabilities.set([0.25, 0.75], 10); // wrong
  probabilities[25] = 1; // wrong, and sure of it
  const labels = Uint8Array.of(3, 0, 9);
  const judgement = judge(probabilities, labels);
  expect(judgement.accuracy).toBeCloseTo(1 / 3);
  expect(judgement.loss).toBeCloseTo((0 + Math.log(4) + 7 * Math.log(10)) / 3, 4);
  expect(judgement.confusion[33]).toBe(1);
  expect(judgement.confusion[1]).toBe(1);
  expect(judgement.confusion[95]).toBe(1);
  const images = Uint8Array.from({ length: 3 * 784 }, (_, i) => Math.floor(i / 784));
  const worst = worstMistakes(judgement, probabilities, { images, labels }, 1);
  expect(worst).toEqual([
    { pixels: bytes(784, 2), label: 9, guess: 5, guessProbability: 1, labelProbability: 0 },
  ]);
});

test('a network that has diverged has no loss, and looks it', () => {
  const { loss } = judge(new Float32Array(10).fill(Number.NaN), Uint8Array.of(4));
  expect(loss).toBeNaN();
});

test('messages are for visitors: without names of functions, and with the advice of the page', () => {
  const message = (error: unknown): string => describeFailure(error).message;
  expect(message(new FormatError('parseIdx: a.gz, byte 0: found 3c.'))).toBe('a.gz, byte 0: found 3c.');
  expect(message(new LimitError('allocate: too much. Fix: split it.'))).toBe('too much.');
  expect(message(new Refusal('FORMAT', 'names: of files stay.', ''))).toBe('names: of files stay.');
});

test('whatever was thrown, there are words for it', () => {
  for (const error of [new Error('x'), 'text', null, undefined, { code: 7 }, { code: 'constructor' }]) {
    const { title, fix, canRestart } = describeFailure(error);
    expect([title.length > 0, fix.length > 0, canRestart]).toEqual([true, true, true]);
  }
});
