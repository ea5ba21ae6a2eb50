/** Ids to rows of numbers, and back to gradients. */
import { beforeEach, describe, expect, test } from 'vitest';
import { gradients, init, layers, tensor, ValueError } from '../../src/index.ts';
import { maskOf } from '../../src/nn/layers/masks.ts';

beforeEach(async () => {
  await init({ seed: 3 });
});

describe('embedding', () => {
  test('gives each id its row, also ids that come as f32', async () => {
    const layer = layers.embedding(5, 2);
    layer.buildFor([null, 3]);
    await layer.embeddings!.assign(
      tensor([
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
        [8, 9],
      ]),
    );
    expect(layer.computeOutputShape([null, 3])).toEqual([null, 3, 2]);
    const rows = [8, 9, 0, 1, 8, 9];
    expect([...(await layer.apply(tensor([[4, 0, 4]], { dtype: 'i32' })).data())]).toEqual(rows);
    expect([...(await layer.apply(tensor([[4, 0, 4]]).mul(1)).data())]).toEqual(rows);
  });

  test('adds up the gradients of an id in their order, to the same bits on every run', async () => {
    const layer = layers.embedding({ inputDim: 3, outputDim: 1 });
    layer.buildFor([null, 4]);
    const ids = tensor([[2, 0, 2, 2]], { dtype: 'i32' });
    const weights = tensor([[[0.1], [5], [0.2], [0.3]]]);
    const run = async () => {
      const [d] = gradients(layer.apply(ids).mul(weights).sum(), [layer.embeddings!]);
      return [...(await d.data())];
    };
    const [a, b] = [await run(), await run()];
    const f = Math.fround;
    expect(a).toEqual([5, 0, f(f(f(0.1) + f(0.2)) + f(0.3))]);
    expect(b).toEqual(a);
  });

  test('adds up the gradients of a large vocabulary to the same numbers', async () => {
    const layer = layers.embedding(50_000, 3);
    const ids = Int32Array.from({ length: 400 }, (_, i) => (i % 7 === 0 ? 49_999 : (i * i * 13) % 50_000));
    const weights = Float32Array.from({ length: 1200 }, (_, i) => ((i * 37) % 101) / 50 - 1);
    const y = layer.apply(tensor(ids, { shape: [4, 100] }));
    const [d] = gradients(y.mul(tensor(weights, { shape: [4, 100, 3] })).sum(), [layer.embeddings!]);
    const got = await d.data();
    const exact = new Float64Array(150_000);
    ids.forEach((id, j) => {
      for (let k = 0; k < 3; k++) exact[3 * id + k] += weights[3 * j + k];
    });
    expect(got.findIndex((x, i) => !(Math.abs(x - exact[i]) < 1e-5))).toBe(-1);
  });

  test('refuses ids outside its vocabulary and ids that are no whole numbers', async () => {
    const layer = layers.embedding(5, 2);
    for (const id of [5, -1, 0.5]) expect(() => layer.apply(tensor([[1, id]]))).toThrow(ValueError);
    expect(() => layer.apply(tensor([[1, 5]], { dtype: 'i32' }))).toThrow(/index 5 at position 1/);
  });

  test('gives NaN, and no other row, for an id that the GPU computes and that is outside', async () => {
    const layer = layers.embedding(5, 2, { embeddingsInitializer: 'ones' });
    const ids = tensor([[1, 2, 3]], { dtype: 'i32' }).mul(tensor([[4, 3, -1]], { dtype: 'i32' }));
    const y = layer.apply(ids);
    expect([...(await y.data())]).toEqual([1, 1, NaN, NaN, NaN, NaN]);
    const [d] = gradients(y.sum(), [layer.embeddings!]);
    expect([...(await d.data())]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  test('masks id 0 where it is asked to', async () => {
    const layer = layers.embedding({ input_dim: 5, output_dim: 2, mask_zero: true } as never);
    const y = layer.apply(tensor([[1, 0, 3]], { dtype: 'i32' }));
    expect([...(await maskOf(y)!.data())]).toEqual([1, 0, 1]);
    expect(maskOf(layers.embedding(5, 2).apply(tensor([[1, 0, 3]])))).toBe(null);
  });
});
