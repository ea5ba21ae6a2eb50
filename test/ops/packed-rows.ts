/** Products of rows gathered from bytes, against those of the same rows gathered on the host. */
import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { capture, gather, matmul, type Tensor, tensor } from '../../src/index.ts';
import { generator } from '../reference/random.ts';

const [COUNT, BATCH, COLUMNS] = [50, 33, 10];

/** The forward product and the weight's gradient of bytes are those of their copy as f32; gives the dispatches. */
export async function expectBytesAsCopies(engine: Engine, extent: number, what: string): Promise<number> {
  const random = generator(6);
  const index = Int32Array.from({ length: BATCH }, (_, i) => (i * 7) % COUNT);
  const bytes = Uint8Array.from(random.array(COUNT * extent, 0, 256), Math.floor);
  const images = tensor(bytes, { shape: [COUNT, extent / 2, 2], engine });
  const rows = tensor(index, { dtype: 'i32', engine });
  const w = tensor(random.array(extent * COLUMNS, -1, 1), { shape: [extent, COLUMNS], engine });
  const dz = tensor(random.array(BATCH * COLUMNS, -1, 1), { shape: [BATCH, COLUMNS], engine });
  const both = (x: Tensor, kernel: Tensor, g: Tensor) => [
    matmul(x, kernel),
    matmul(x, g, { transposeA: true }),
  ];
  const fromBytes = capture((all: Tensor, chosen: Tensor, kernel: Tensor, g: Tensor) =>
    both(gather(all, chosen).cast('f32').div(255).reshape([BATCH, extent]), kernel, g),
  );
  const got = await Promise.all((await fromBytes(images, rows, w, dz)).map((y) => y.data()));
  const copy = Float32Array.from({ length: BATCH * extent }, (_, i) =>
    Math.fround(bytes[index[Math.floor(i / extent)] * extent + (i % extent)] / 255),
  );
  const x = tensor(copy, { shape: [BATCH, extent], engine });
  const wanted = await Promise.all((await capture(both)(x, w, dz)).map((y) => y.data()));
  for (const [k, y] of got.entries()) {
    const errors = Float64Array.from(y, (value, i) => Math.abs(value - wanted[k][i]));
    // Of NaN the largest is NaN, which is not less.
    expect(Math.max(...errors), what).toBeLessThan(1e-4);
  }
  return fromBytes.dispatches;
}
