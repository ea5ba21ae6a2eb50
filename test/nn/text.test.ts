/** Layers that prepare words and numbers, against what Keras 3.15.1 made of the same (fixtures/record_text.py). */
import { beforeAll, describe, expect, test } from 'vitest';
import { data, init, layers, sequential, tensor } from '../../src/index.ts';
import type { Layer } from '../../src/nn/layers/layer.ts';
import { withoutNeutral } from '../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../src/nn/saving/own.ts';
import recorded from './fixtures/text.json';

beforeAll(async () => {
  await init({ seed: 3 });
});

const none = new OwnObjects({});
const make = <L>(className: string, config: object): L =>
  layers.fromConfig({ className, config: withoutNeutral(config as never, none) }) as unknown as L;

interface Array_ {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

function close(mine: Array_, theirs: Array_, what: string): void {
  expect(mine.shape, what).toEqual(theirs.shape);
  const apart = Array.from(mine.data, (value, i) => Math.abs(value - theirs.data[i]));
  expect(Math.max(0, ...apart), what).toBeLessThan(2e-6);
}

test('textVectorization has the vocabulary and the numbers of Keras', async () => {
  for (const { config, vocabulary, y, others } of recorded.vectorizers) {
    const layer = make<ReturnType<typeof layers.textVectorization>>('TextVectorization', config);
    const what = JSON.stringify(config);
    await layer.adapt(recorded.texts);
    expect(layer.getVocabulary(), what).toEqual(vocabulary);
    close(layer.apply(recorded.texts), y, what);
    close(layer.apply(recorded.others), others, what);
    // What it found is a part of what it is.
    const again = layers.fromConfig({
      className: 'TextVectorization',
      config: layer.getConfig(),
    }) as never as typeof layer;
    expect(again.getVocabulary(), what).toEqual(vocabulary);
    close(again.apply(recorded.others), others, what);
  }
});

test('stringLookup and integerLookup have the ids and rows of Keras', async () => {
  for (const { class_name: className, config, data: given, vocabulary, x, y } of recorded.lookups) {
    const layer = make<ReturnType<typeof layers.stringLookup>>(className, config);
    const what = `${className} ${JSON.stringify(config)}`;
    if (config.vocabulary === null) await layer.adapt(given);
    expect(layer.getVocabulary(), what).toEqual(vocabulary);
    close(layer.apply(x), y, what);
    const again = layers.fromConfig({ className, config: layer.getConfig() }) as never as typeof layer;
    close(again.apply(x), y, what);
  }
});

test('hashing has the bins of TensorFlow, for words of every length and for numbers', () => {
  for (const { config, x, y } of recorded.hashes)
    close(make<ReturnType<typeof layers.hashing>>('Hashing', config).apply(x), y, JSON.stringify(config));
});

test('discretization and categoryEncoding have the intervals and rows of Keras', async () => {
  for (const { class_name: className, config, x, given, y, ...rest } of recorded.numbers) {
    const layer = make<Layer & { adapt(data: unknown): Promise<void> }>(className, config);
    const what = `${className} ${JSON.stringify(config)}`;
    if (given) await layer.adapt(given);
    if ('boundaries' in rest)
      close(
        { data: layer.getConfig().binBoundaries as number[], shape: [] },
        { data: rest.boundaries as number[], shape: [] },
        what,
      );
    const input = tensor(x, className === 'CategoryEncoding' ? { dtype: 'i32' } : {});
    const mine = layer.apply(input);
    close({ data: await mine.data(), shape: mine.shape }, y, what);
    expect(layer.computeOutputShape([null, ...input.shape.slice(1)]).slice(1), what).toEqual(
      mine.shape.slice(1),
    );
  }
});

test('words of a text train a model', async () => {
  const texts = ['good film', 'bad film', 'very good', 'very bad', 'good', 'bad'];
  const vectorize = layers.textVectorization({ outputSequenceLength: 3 });
  await vectorize.adapt(data.Dataset.fromGenerator(() => [texts.slice(0, 3), texts.slice(3)]));
  const model = sequential([
    layers.input([3]),
    layers.embedding(vectorize.vocabularySize, 4, { maskZero: true }),
    layers.globalAveragePooling1d(),
    layers.dense(1, { activation: 'sigmoid' }),
  ]);
  model.compile({
    optimizer: { className: 'adam', config: { learningRate: 0.1 } },
    loss: 'binaryCrossentropy',
    metrics: ['accuracy'],
  });
  const labels = Float32Array.from([1, 0, 1, 0, 1, 0]);
  const x = vectorize.apply(texts);
  await model.fit(x, labels, { epochs: 30, batchSize: 6, verbose: 0 });
  const { accuracy } = await model.evaluate(x, labels, { verbose: 0 });
  expect(accuracy).toBe(1);
});

describe('refuse, with what to do,', () => {
  const vectorize = layers.textVectorization();
  test.each<[string, () => unknown, RegExp]>([
    ['a vocabulary that is not there', () => vectorize.apply(['a']), /no vocabulary yet.*adapt/],
    ['an empty vocabulary', () => layers.stringLookup({ vocabulary: [] }), /vocabulary is empty/],
    ['a word that is there twice', () => layers.stringLookup({ vocabulary: ['a', 'b', 'a'] }), /"a" twice/],
    [
      'more words than there may be',
      () => layers.stringLookup({ vocabulary: ['a', 'b'], maxTokens: 2 }),
      /at most maxTokens, 2/,
    ],
    [
      'a mask among the words',
      () => layers.stringLookup({ vocabulary: ['a', ''], maskToken: '' }),
      /stands for no word/,
    ],
    [
      'an unknown word where none may be',
      () => layers.stringLookup({ vocabulary: ['a'], numOovIndices: 0 }).apply(['b']),
      /"b" is not in the vocabulary/,
    ],
    [
      'salt where nothing is hashed',
      () => layers.integerLookup({ vocabulary: [1], salt: 3 }),
      /oovMethod: 'farmhash'/,
    ],
    ['text that is no text', () => vectorize.apply([3 as never]), /got 3; expected text/],
    [
      'lists of several lengths',
      () => layers.stringLookup({ vocabulary: ['a'] }).apply([['a'], ['a', 'a']]),
      /padSequences/,
    ],
    [
      'a place inside a network',
      () => vectorize.apply(layers.input([1])),
      /no part of a network.*dataset\.map/,
    ],
    ['a tensor', () => vectorize.apply(tensor([1])), /prepares data on the host/],
    [
      'rows of a length',
      () => layers.textVectorization({ outputMode: 'count', outputSequenceLength: 3 }),
      /is for ids/,
    ],
    [
      'words back as rows',
      () => layers.stringLookup({ vocabulary: ['a'], invert: true, outputMode: 'count' }),
      /invert gives words/,
    ],
    [
      'weights without words',
      () => layers.stringLookup({ outputMode: 'tf_idf', idfWeights: [1] }),
      /idfWeights are those of a vocabulary/,
    ],
    ['boundaries that fall', () => layers.discretization([1, 0]), /rising/],
    ['neither boundaries nor a number of them', () => layers.discretization({}), /binBoundaries, or numBins/],
    [
      'intervals that are not known',
      () => layers.discretization({ numBins: 3 }).apply(tensor([1])),
      /Call adapt first/,
    ],
    ['a number outside', () => layers.categoryEncoding(3).apply(tensor([[3]], { dtype: 'i32' })), /3/],
  ])('%s', (_, attempt, message) => {
    expect(attempt).toThrow(message);
  });

  test('to adapt what was given, or to nothing', async () => {
    await expect(layers.stringLookup({ vocabulary: ['a'] }).adapt(['a'])).rejects.toThrow(/was given/);
    await expect(layers.stringLookup().adapt([])).rejects.toThrow(/no words/);
    await expect(layers.discretization([1]).adapt([1])).rejects.toThrow(/were given/);
    await expect(layers.discretization({ numBins: 2 }).adapt([Number.NaN])).rejects.toThrow(/NaN/);
  });
});

test('weights of what stands for words, given with a complete vocabulary, come back from a config', () => {
  const layer = layers.stringLookup({
    vocabulary: ['[UNK]', 'a', 'b'],
    idfWeights: [9, 2, 4],
    outputMode: 'tf_idf',
  });
  const again = layers.fromConfig({
    className: 'StringLookup',
    config: layer.getConfig(),
  }) as never as typeof layer;
  for (const one of [layer, again]) {
    expect([...one.apply(['x', 'b', 'b']).data]).toEqual([9, 0, 8]);
    expect(one.getVocabulary()).toEqual(['[UNK]', 'a', 'b']);
  }
});

test('ids become words again', () => {
  const back = layers.stringLookup({ vocabulary: ['a', 'b'], invert: true });
  expect(
    back.apply([
      [1, 2],
      [0, 9],
    ]),
  ).toEqual([
    ['a', 'b'],
    ['[UNK]', '[UNK]'],
  ]);
});
