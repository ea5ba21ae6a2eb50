/** What a page has in place of disks: handles, dropped files, downloads. */
import { describe, expect, test } from 'vitest';
import { layers, loadModel, SaveError, sequential } from '../../../src/index.ts';

const inPage = typeof document !== 'undefined';
const small = () => sequential([layers.input([3]), layers.dense(2)]);

describe.skipIf(!inPage)('in a page', () => {
  test('the private file system of the origin keeps models', async () => {
    const root = await navigator.storage.getDirectory();
    const model = small();
    const before = await model.weights[0].data();
    const file = await root.getFileHandle('model.keras', { create: true });
    await model.save(file);
    expect(await (await loadModel(file)).weights[0].data()).toEqual(before);
    await model.saveWeights(await root.getFileHandle('model.weights.h5', { create: true }));
    await root.removeEntry('model.keras');
    await root.removeEntry('model.weights.h5');
  });

  test('a folder takes the two files of TensorFlow.js, and dropped files are read together', async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('model', { create: true });
    const model = small();
    await model.save(folder);
    const files: File[] = [];
    for await (const handle of (
      folder as unknown as { values(): AsyncIterable<FileSystemFileHandle> }
    ).values())
      files.push(await handle.getFile());
    expect(files.length).toBe(2);
    expect(await (await loadModel(files)).weights[0].data()).toEqual(await model.weights[0].data());
    await expect(loadModel(files.filter(({ name }) => name.endsWith('.json')))).rejects.toThrow(
      /not among the files/,
    );
    await root.removeEntry('model', { recursive: true });
  });

  test('a handle that refuses is a SaveError', async () => {
    const handle = {
      name: 'x.keras',
      createWritable: async () => {
        throw new DOMException('no', 'NotAllowedError');
      },
    } as never;
    await expect(small().save(handle)).rejects.toThrow(SaveError);
  });

  test('a name is downloaded', async () => {
    const downloads: string[] = [];
    const { click } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.click = function () {
      downloads.push(this.download);
    };
    try {
      await small().save('garments.keras');
    } finally {
      HTMLAnchorElement.prototype.click = click;
    }
    expect(downloads).toEqual(['garments.keras']);
  });
});
