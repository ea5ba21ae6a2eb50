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

/** The same bytes in a Buffer that begins at an odd place, as `readFile` may give small files. */
function oddBuffer(bytes: Uint8Array): Buffer {
  const whole = Buffer.alloc(bytes.length + 1);
  whole.set(bytes, 1);
  return whole.subarray(1);
}

test('a Buffer is read like its bytes, wherever it begins', async () => {
  const shown = await readFile(fixture);
  expect(await data.parseNpz(oddBuffer(shown))).toEqual(arrays);
});

test('a Buffer with numbers in the other order is as it was after it was read', () => {
  const bytes = data.encodeNpy({ data: Float32Array.of(1, 2), shape: [2] });
  const text = new TextDecoder('latin1').decode(bytes).replace('<f4', '>f4');
  const given = Buffer.from(text, 'latin1');
  const before = given.toString('hex');
  expect(data.parseNpy(given)).toEqual(data.parseNpy(new Uint8Array(given)));
  expect(given.toString('hex')).toBe(before);
});
