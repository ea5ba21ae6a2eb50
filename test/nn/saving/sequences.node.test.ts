/** Layers for sequences in files: those of real Keras predict here what they predicted there, and ours come back as they were. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Functional, loadModel, type Sequential, type Tensor, tensor } from '../../../src/index.ts';
import recorded from '../fixtures/sequences.json';

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));

async function close(y: Tensor, right: unknown): Promise<void> {
  const [a, b] = [[...(await y.data())], (right as number[]).flat(Infinity) as number[]];
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(2e-6);
}

it('masks that Keras writes down as ops of a network come from the layers again; others are refused', async () => {
  const { x, y } = recorded.models.masked;
  const inputs = x.map((one) => tensor(one as number[][]));
  const bytes = file('sequences-masked.keras');
  const model = (await loadModel(bytes)) as Functional;
  expect(model.layers.map(({ className }) => className).sort()).toEqual(
    ['Concatenate', 'Embedding', 'GRU', 'GRU', 'InputLayer', 'InputLayer', 'LSTM', 'LSTM', 'Masking'].sort(),
  );
  await close(model.apply(inputs), y);
  const again = (await loadModel(await model.toBytes('keras'))) as Functional;
  await close(again.apply(inputs), y);
});

it('masks that were merged, added or cut are those that Keras has', async () => {
  const { x, y } = recorded.merged;
  const inputs = x.map((one) => tensor(one));
  const model = (await loadModel(file('sequences-merged.keras'))) as Functional;
  await close(model.apply(inputs), y);
  const again = (await loadModel(await model.toBytes('keras'))) as Functional;
  await close(again.apply(inputs), y);
});

describe.each(['keras', 'h5'] as const)('in .%s', (form) => {
  it('embedding, recurrent layers in both directions and layers for each step are read and written', async () => {
    const { x, y } = recorded.models.stack;
    const model = (await loadModel(file(`sequences-stack.${form}`))) as Sequential;
    await close(model.apply(tensor(x)), y);
    const again = (await loadModel(await model.toBytes(form))) as Sequential;
    await close(again.apply(tensor(x)), y);
    expect(again.layers.map((layer) => layer.getConfig())).toEqual(
      model.layers.map((layer) => layer.getConfig()),
    );
  });

  it('a decoder that begins with the states of an encoder is read and written', async () => {
    const { x, y } = recorded.models.both;
    const inputs = x.map((one) => tensor(one));
    const model = (await loadModel(file(`sequences-both.${form}`))) as Functional;
    await close(model.apply(inputs) as Tensor, y);
    const again = (await loadModel(await model.toBytes(form))) as Functional;
    await close(again.apply(inputs) as Tensor, y);
  });
});
