/** The archive that scripts/keras-check shows to NumPy is the one that is written today. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { data } from '../../src/data/index.ts';

const fixture = new URL('../nn/saving/fixtures/from-weft.npz', import.meta.url);
const arrays = {
  floats: { data: Float32Array.of(1.5, Number.NaN, -0, 4, 5, Number.POSITIVE_INFINITY), shape: [2, 3] },
  bytes: { data: Uint8Array.of(1, 2, 255), shape: [3] },
  whole: { data: Int32Array.of(-7), shape: [] },
};

test('what NumPy was shown is what is written, and reads back to the bit', async () => {
  const shown = new Uint8Array(await readFile(fixture));
  expect(await data.parseNpz(shown)).toEqual(arrays);
  expect(await data.encodeNpz(arrays)).toEqual(shown);
});
