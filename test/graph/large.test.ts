import { expect, it } from 'vitest';
import { gather, LimitError, tensor } from '../../src/index.ts';
import { testEngine } from '../support/engine.ts';

/** Counting from 0, so that every element says where it came from. */
const counting = (rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, (_, i) => i % 16_777_216);

it('rows of data larger than one binding are gathered like any others', async () => {
  // The least binding that WebGPU allows is 128 MiB, so the data has to be larger than that.
  const engine = await testEngine({ limits: { maxStorageBufferBindingSize: 128 << 20 } });
  const [rows, columns] = [50_000, 784];
  const x = tensor(counting(rows, columns), { shape: [rows, columns], engine });
  const picked = [0, 42_799, 42_800, 42_801, 49_999];
  const y = gather(x, picked).mul(2);
  const data = await y.data();
  for (const [i, row] of picked.entries())
    for (const column of [0, 1, 783])
      expect(data[i * columns + column]).toBe(2 * ((row * columns + column) % 16_777_216));
  // All of it in one place is another matter.
  await expect(x.add(1).data()).rejects.toThrow(LimitError);
});
