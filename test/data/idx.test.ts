import { describe, expect, test } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { RandomSequence } from '../../src/base/random.ts';
import { parseIdx } from '../../src/data/idx.ts';
import { counting, encodeIdx, gzip } from './support/idx-files.ts';

const images = encodeIdx([3, 4, 5], counting(60));

/** The FormatError of a file that must not be read. */
async function refusal(bytes: Uint8Array, options = {}): Promise<string> {
  const error = await parseIdx(bytes, { file: 'some-file', ...options }).then(
    ({ shape }) => new Error(`was read as [${shape}]`),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toContain('some-file');
  return error.message;
}

describe('parseIdx', () => {
  test('reads a plain file without copying it', async () => {
    const { data, shape } = await parseIdx(images, { rank: 3 });
    expect(shape).toEqual([3, 4, 5]);
    expect(data).toEqual(counting(60));
    expect(data.buffer).toBe(images.buffer);
  });

  test('reads a gzipped file', async () => {
    const { data, shape } = await parseIdx(await gzip(images), { rank: 3 });
    expect(shape).toEqual([3, 4, 5]);
    expect(data).toEqual(counting(60));
  });

  test('reads a file that is a view into something larger', async () => {
    const within = new Uint8Array(images.length + 7);
    within.set(images, 7);
    expect((await parseIdx(within.subarray(7))).data).toEqual(counting(60));
  });

  test('refuses a plain file cut at any byte, and one that is too long', async () => {
    for (let length = 0; length < images.length; length++) await refusal(images.slice(0, length));
    expect(await refusal(new Uint8Array([...images, 0]))).toContain('takes 60 bytes of data, 61 are there');
  });

  test('refuses a gzipped file cut at any byte', async () => {
    const packed = await gzip(images);
    for (let length = 0; length < packed.length; length++) await refusal(packed.slice(0, length));
  });

  test('names the place and what was expected there', async () => {
    const changed = (at: number, byte: number) => images.map((old, i) => (i === at ? byte : old));
    expect(await refusal(changed(0, 1))).toContain('byte 0: found 01 00 08 03, expected 00 00 08');
    expect(await refusal(changed(2, 0x0d))).toContain('byte 2: found type 13 (32-bit floats), expected 8');
    expect(await refusal(changed(2, 0x77))).toContain('found type 119 (unknown)');
    expect(await refusal(changed(3, 0))).toContain('byte 3: found 0 dimensions');
    expect(await refusal(images, { rank: 1 })).toContain('byte 3: found 3 dimensions, expected 1');
    expect(await refusal(changed(4, 0xff))).toContain('more than the 67108864 allowed');
    expect(await refusal(changed(7, 4))).toContain('[4,4,5] takes 80 bytes of data, 60 are there');
    expect(await refusal(new TextEncoder().encode('<!DOCTYPE html>'))).toContain('looks like an HTML page');
  });

  test('sizes whose product overflows 64 bits are refused, not wrapped round', async () => {
    const huge = encodeIdx([0xffffffff, 0xffffffff, 0xffffffff], counting(8));
    expect(await refusal(huge)).toContain('more than the');
    expect(await refusal(await gzip(huge))).toContain('more than the');
  });

  test('stops unpacking at the first byte beyond the promise', async () => {
    const bomb = new Uint8Array(64 * 1024 * 1024);
    bomb.set(encodeIdx([10], counting(10)));
    const packed = await gzip(bomb);
    const begun = performance.now();
    expect(await refusal(packed)).toContain('takes 10 bytes of data, more follow');
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test('a file of any bytes is read or refused, never anything else', async () => {
    const random = new RandomSequence(1, 0);
    const packed = await gzip(images);
    for (let i = 0; i < 200; i++) {
      const bytes = (i % 2 === 0 ? images : packed).slice();
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        bytes[random.below(Math.min(bytes.length, 40))] = random.below(256);
      }
      const result = await parseIdx(bytes).catch((error) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(FormatError);
      else expect(result.data.length).toBe(result.shape.reduce((a: number, b: number) => a * b, 1));
    }
  });
});
