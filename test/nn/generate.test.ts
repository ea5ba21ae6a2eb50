/** Writing with models of tokens: each token is what the model says of those before it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { data, generate, init, layers, model as network, sequential, tensor } from '../../src/index.ts';

beforeAll(async () => {
  await init({ seed: 4 });
});

const [CONTEXT, WORDS] = [8, 11];

/** A block of a transformer, causal, with positions. */
function writer(activation: string | null = null) {
  const ids = layers.input([CONTEXT]);
  const words = layers.embedding(WORDS, 12).apply(ids);
  const attended = layers
    .multiHeadAttention({ numHeads: 2, keyDim: 6, useCausalMask: true })
    .apply([words, words]);
  const y = layers.layerNormalization().apply(layers.add().apply([words, attended]));
  return network({ inputs: ids, outputs: layers.dense(WORDS, { activation }).apply(y as never) });
}

/** The likeliest next token by the whole model. */
async function likeliest(model: ReturnType<typeof writer>, tokens: number[]): Promise<number> {
  const seen = tokens.slice(-CONTEXT);
  const padded = [...seen, ...Array(CONTEXT - seen.length).fill(7)];
  const y = model.apply(tensor(padded, { shape: [1, CONTEXT], dtype: 'i32' })) as never as ReturnType<
    typeof tensor
  >;
  const row = [...(await y.data())].slice((seen.length - 1) * WORDS, seen.length * WORDS);
  return row.indexOf(Math.max(...row));
}

test('without chance each token is the likeliest of the whole forward pass, beyond the context, too', async () => {
  const model = writer();
  const heard: number[] = [];
  const ids = await generate(model, [3, 1], {
    maxNewTokens: 12,
    temperature: 0,
    onToken: (id) => void heard.push(id),
  });
  const expected = [3, 1];
  while (expected.length < 14) expected.push(await likeliest(model, expected));
  expect([...ids]).toEqual(expected);
  expect(heard).toEqual(expected.slice(2));
});

test('draws follow the probabilities, and the seed', async () => {
  const model = writer('softmax');
  const write = (options: object) => generate(model, [1], { maxNewTokens: 1, ...options });
  const counts = new Map<number, number>();
  for (let seed = 0; seed < 60; seed++) {
    const [, id] = await write({ seed, topK: 2 });
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect(counts.size).toBe(2);
  expect(counts.has(await likeliest(model, [1]))).toBe(true);
  expect((await write({ seed: 9, topP: 1e-6 }))[1]).toBe(await likeliest(model, [1]));
  const long = (seed: number) => generate(model, [1], { maxNewTokens: 10, seed });
  expect(await long(5)).toEqual(await long(5));
  expect(await long(5)).not.toEqual(await long(6));
});

test('a recurrent net writes what it was taught, until it is stopped', async () => {
  const tokenizer = data.charTokenizer('abc.');
  const text = tokenizer.encode('.abcabcabcabc.abcabcabcabc.abcabcabcabc.abcabcabcabc');
  const model = sequential([
    layers.input([6]),
    layers.embedding(tokenizer.vocabularySize, 6),
    layers.gru(16, { returnSequences: true }),
    layers.dense(tokenizer.vocabularySize, { activation: 'softmax' }),
  ]);
  model.compile({
    optimizer: { className: 'adam', config: { learningRate: 0.05 } },
    loss: 'sparseCategoricalCrossentropy',
  });
  const windows = data.timeseriesDatasetFromArray(Int32Array.from(text), null, {
    sequenceLength: 7,
    batchSize: 46,
  });
  const pairs = windows.map((batch) => {
    const { data: all, shape } = batch as { data: Int32Array; shape: number[] };
    const part = (from: number) => ({
      data: Int32Array.from({ length: shape[0] * 6 }, (_, i) => all[Math.floor(i / 6) * 7 + (i % 6) + from]),
      shape: [shape[0], 6],
    });
    return [part(0), part(1)];
  });
  await model.fit(pairs, { epochs: 60, verbose: 0 });
  const ids = await generate(model, tokenizer.encode('bc'), {
    maxNewTokens: 4,
    temperature: 0,
    stop: [...tokenizer.encode('b')],
  });
  expect(tokenizer.decode(ids)).toBe('bcab');
  const told: number[] = [];
  await generate(model, [1], { maxNewTokens: 9, onToken: (id, i) => told.push(id) > 0 && i < 2 });
  expect(told).toHaveLength(3);
});

describe('refuses, with what to do,', () => {
  const model = sequential([layers.input([4]), layers.embedding(5, 3), layers.dense(5)]);
  const summed = sequential([layers.input([4]), layers.embedding(5, 3), layers.flatten(), layers.dense(5)]);
  const open = sequential([
    layers.embedding(5, 3),
    layers.gru(3, { returnSequences: true }),
    layers.dense(5),
  ]);
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['no prompt', () => generate(model, [], { maxNewTokens: 1 }), /prompt is empty/],
    [
      'a prompt that is longer than the context',
      () => generate(model, [1, 2, 3, 4, 1], { maxNewTokens: 1 }),
      /5 tokens and the model sees 4/,
    ],
    [
      'a prompt of no tokens',
      () => generate(model, [0.5], { maxNewTokens: 1 }),
      /token 0 of the prompt is 0\.5/,
    ],
    ['a token outside', () => generate(model, [9], { maxNewTokens: 1 }), /knows 0 to 4/],
    ['a model that gives one answer', () => generate(summed, [1], { maxNewTokens: 1 }), /every step/],
    ['a model of any length', () => generate(open, [1], { maxNewTokens: 1 }), /contextLength/],
    [
      'a context beyond the model',
      () => generate(model, [1], { maxNewTokens: 1, contextLength: 9 }),
      /sees 4/,
    ],
    [
      'a temperature below 0',
      () => generate(model, [1], { maxNewTokens: 1, temperature: -1 }),
      /temperature is -1/,
    ],
    ['no number of tokens', () => generate(model, [1], {} as never), /maxNewTokens/],
    ['an unknown option', () => generate(model, [1], { maxNewTokens: 1, length: 3 } as never), /length/],
  ])('%s', async (_, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
  });
});
