/** Convolutional networks in files: those of real Keras (record_conv_files.py) predict and train here as there, ours come back. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layers, loadModel, type Sequential, sequential, type Tensor, tensor } from '../../../src/index.ts';

interface Recorded {
  readonly x: readonly number[];
  readonly shape: readonly number[];
  readonly labels: readonly number[];
  readonly params: number;
  readonly predictions: readonly number[];
  readonly loss: number | null;
  readonly after: readonly number[] | null;
}

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const networks: Record<string, Recorded> = JSON.parse(new TextDecoder().decode(file('conv-files.json')));

async function expectClose(y: Tensor, right: readonly number[]): Promise<void> {
  const values = await y.data();
  expect(values.length).toBe(right.length);
  expect(Math.max(...right.map((value, i) => Math.abs(value - values[i])))).toBeLessThan(3e-6);
}

const quiet = { verbose: 0 } as const;

describe.each(Object.entries(networks))('the network "%s"', (name, recorded) => {
  const x = (): Tensor => tensor(Float32Array.from(recorded.x), { shape: recorded.shape });
  const y = (): Tensor => tensor(Int32Array.from(recorded.labels));

  it.each(['keras', 'h5'])(
    'of real Keras is read from .%s, predicts the same and trains on',
    async (ending) => {
      const net = (await loadModel(file(`conv-${name}.${ending}`))) as Sequential;
      expect(net.countParams()).toBe(recorded.params);
      await expectClose(await net.predict(x(), quiet), recorded.predictions);
      const { loss } = await net.trainOnBatch(x(), y());
      if (recorded.loss === null) return;
      expect(loss).toBeCloseTo(recorded.loss, 5);
      await expectClose(await net.predict(x(), quiet), recorded.after!);
    },
  );

  it.each(['keras', 'h5', 'json'] as const)('comes back from our own .%s to the bit', async (format) => {
    const net = (await loadModel(file(`conv-${name}.keras`))) as Sequential;
    const path = join(mkdtempSync(join(tmpdir(), 'weft-conv-')), `model.${format}`);
    await net.save(path);
    const again = (await loadModel(path)) as Sequential;
    expect(again.layers.map((layer) => layer.getConfig())).toEqual(
      net.layers.map((layer) => layer.getConfig()),
    );
    expect([...(await (await again.predict(x(), quiet)).data())]).toEqual([
      ...(await (await net.predict(x(), quiet)).data()),
    ]);
  });
});

describe('quantized weights of TensorFlow.js', () => {
  /** A saved dense layer whose kernel lies in the file as `bytes`. */
  const withKernel = async (bytes: Uint8Array, quantization: object): Promise<string> => {
    const model = sequential([layers.input([2]), layers.dense(2)]);
    const folder = mkdtempSync(join(tmpdir(), 'weft-quantized-'));
    await model.save(join(folder, 'model.json'));
    const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
    json.weightsManifest[0].paths = ['packed.bin'];
    json.weightsManifest[0].weights[0].quantization = quantization;
    writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
    writeFileSync(join(folder, 'packed.bin'), new Uint8Array([...bytes, ...new Uint8Array(8)]));
    return join(folder, 'model.json');
  };
  const bytesOf = (numbers: Uint16Array): Uint8Array => new Uint8Array(numbers.buffer);

  it.each([
    ['uint8', Uint8Array.of(0, 1, 2, 255), { dtype: 'uint8', scale: 0.5, min: -1 }, [-1, -0.5, 0, 126.5]],
    [
      'uint16',
      bytesOf(Uint16Array.of(0, 1, 256, 65_535)),
      { dtype: 'uint16', scale: 0.25, min: 2 },
      [2, 2.25, 66, 16_385.75],
    ],
    [
      'float16',
      bytesOf(Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7bff)),
      { dtype: 'float16' },
      [1, -2.5, 2 ** -24, 65_504],
    ],
  ] as const)('as %s are read', async (_, bytes, quantization, expected) => {
    const model = await loadModel(await withKernel(bytes, quantization));
    expect([...(await model.weights[0].data())]).toEqual(expected);
  });

  it('of other kinds, and files of another length, are refused', async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    await expect(
      withKernel(bytes, { dtype: 'uint4', scale: 1, min: 0 }).then((path) => loadModel(path)),
    ).rejects.toThrow(/quantized as "uint4".*uint8, uint16, float16 is read/);
    await expect(
      withKernel(bytes, { dtype: 'uint8', scale: 'x', min: 0 }).then((path) => loadModel(path)),
    ).rejects.toThrow(/with scale "x"/);
    await expect(
      withKernel(bytes, { dtype: 'uint16', scale: 1, min: 0 }).then((path) => loadModel(path)),
    ).rejects.toThrow(/take 16 bytes; their files hold 12/);
  });
});
