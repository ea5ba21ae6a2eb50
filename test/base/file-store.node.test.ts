import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskFileStore } from '../../src/base/file-store.ts';

const disk = diskFileStore()!;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a file is written whole, in folders made for it, and nothing else is left behind', async () => {
  const path = join(folder, 'a', 'b', 'file');
  await disk.write(path, Uint8Array.of(1, 2, 3));
  await disk.write(path, Uint8Array.of(4, 5));
  expect([...(await readFile(path))]).toEqual([4, 5]);
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['file']);
});

test('a write that fails leaves the old file and no temporary one', async () => {
  const path = join(folder, 'taken');
  await mkdir(join(path, 'inside'), { recursive: true }); // a folder cannot be renamed over
  await expect(disk.write(path, Uint8Array.of(1))).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['taken']);
  await writeFile(join(folder, 'file'), 'old');
  await expect(disk.write(join(folder, 'file', 'below'), Uint8Array.of(1))).rejects.toThrow();
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('old');
});

test('what is not there, or is a folder, reads as undefined', async () => {
  expect(await disk.read(join(folder, 'nothing'), 10)).toBeUndefined();
  expect(await disk.read(folder, 10)).toBeUndefined();
  await writeFile(join(folder, 'file'), 'x');
  expect(await disk.read(join(folder, 'file', 'below'), 10)).toBeUndefined();
});

test('a file beyond the limit is not read', async () => {
  await writeFile(join(folder, 'large'), new Uint8Array(11));
  await expect(disk.read(join(folder, 'large'), 10)).rejects.toThrow('11 bytes, expected at most 10');
  expect((await disk.read(join(folder, 'large'), 11))?.length).toBe(11);
});

test('removing twice does no harm', async () => {
  await writeFile(join(folder, 'file'), 'x');
  await chmod(join(folder, 'file'), 0o400);
  await disk.remove(join(folder, 'file'));
  await disk.remove(join(folder, 'file'));
  expect(await readdir(folder)).toEqual([]);
});
