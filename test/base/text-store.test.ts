/** In Node the texts are files of the cache folder, in Chromium they lie in IndexedDB; the promises are the same. */
import { expect, test } from 'vitest';
import { textStore } from '../../src/base/text-store.ts';
import { temporaryCache } from '../support/cache.ts';

temporaryCache();
const store = textStore('test')!;

test('a text that was never written is undefined', async () => {
  expect(await store.read('nothing')).toBeUndefined();
});

test('a text comes back as it was written, and the latest is kept', async () => {
  await store.write('one', 'ä → 😀\n');
  await store.write('two', '');
  expect(await store.read('one')).toBe('ä → 😀\n');
  expect(await store.read('two')).toBe('');
  await store.write('one', 'new');
  expect(await store.read('one')).toBe('new');
  expect(await textStore('another kind')!.read('one')).toBeUndefined();
});

test('whoever reads while others write sees one whole text', async () => {
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000));
  await store.write('raced', texts[0]);
  const writes = texts.map((text) => store.write('raced', text));
  const reads = await Promise.all(Array.from({ length: 10 }, () => store.read('raced')));
  await Promise.all(writes);
  for (const text of [...reads, await store.read('raced')]) expect(texts.includes(text!)).toBe(true);
});

test('says where a text lies', () => {
  expect(store.place('one')).toMatch(/one$/);
});
