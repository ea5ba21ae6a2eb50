/** Networks in files: those of real Keras predict here what they predicted there, and ours come back as they were. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Functional,
  type layers as Layers,
  layers,
  loadModel,
  Model,
  model,
  type StepBatch,
  type Tensor,
  tensor,
} from '../../../src/index.ts';

interface Recorded {
  readonly layers: readonly string[];
  readonly inputs: readonly number[][];
  readonly shapes: readonly number[][];
  readonly predictions: readonly number[][];
  readonly summary: string;
}

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const networks: Record<string, Recorded> = JSON.parse(new TextDecoder().decode(file('networks.json')));
const inputsOf = ({ inputs, shapes }: Recorded): Tensor[] =>
  inputs.map((data, i) => tensor(Float32Array.from(data), { shape: shapes[i] }));

/** The outputs for a recording's inputs, one list for each. */
async function answers(net: Functional, recorded: Recorded): Promise<number[][]> {
  const xs = inputsOf(recorded);
  const ys = [net.apply(xs.length === 1 ? xs[0] : xs)].flat() as Tensor[];
  return Promise.all(ys.map(async (y) => [...(await y.data())]));
}

function close(got: readonly (readonly number[])[], right: readonly (readonly number[])[]): void {
  expect(got.map(({ length }) => length)).toEqual(right.map(({ length }) => length));
  for (const [i, values] of got.entries())
    for (const [j, value] of values.entries()) expect(Math.abs(value - right[i][j])).toBeLessThan(1e-6);
}

describe.each(Object.keys(networks))('the network %s', (name) => {
  const recorded = networks[name];

  it.each(['keras', 'h5'])(
    'of real Keras is read from .%s, with its layers in order and its predictions',
    async (ending) => {
      const net = (await loadModel(file(`network-${name}.${ending}`))) as Functional;
      expect(net.layers.map((layer) => layer.name)).toEqual(recorded.layers);
      close(await answers(net, recorded), recorded.predictions);
    },
  );

  it('is shown as Keras shows it, to the character', async () => {
    const net = (await loadModel(file(`network-${name}.keras`))) as Functional;
    const shown = net.summary({ lineLength: 98, expandNested: true, print: false });
    expect(shown.trimEnd()).toBe(recorded.summary.trimEnd());
  });

  it.each(['keras', 'h5', 'json'] as const)('comes back from our own .%s to the bit', async (format) => {
    const net = (await loadModel(file(`network-${name}.keras`))) as Functional;
    const path = join(mkdtempSync(join(tmpdir(), 'weft-network-')), `model.${format}`);
    await net.save(path);
    const again = (await loadModel(path)) as Functional;
    expect(again.layers.map((layer) => layer.name)).toEqual(recorded.layers);
    expect(await answers(again, recorded)).toEqual(await answers(net, recorded));
  });
});

describe('files of networks', () => {
  const make = (): { x: ReturnType<typeof Layers.input>; net: Functional } => {
    const x = layers.input([2], { name: 'x' });
    return {
      x,
      net: model({
        inputs: { left: x },
        outputs: { sum: layers.add().apply([x, layers.dense(2).apply(x)]) },
      }),
    };
  };

  it('keep names of inputs and outputs', async () => {
    const { net } = make();
    const again = (await loadModel(await net.toBytes('keras'))) as Functional;
    expect([again.inputForm, again.outputForm]).toEqual([['left'], ['sum']]);
  });

  it('refuse a network that begins inside another one', async () => {
    const { net } = make();
    const inside = net.layers[1].output as Layers.SymbolicTensor<Layers.Layer>;
    const part = model({ inputs: inside, outputs: layers.dense(1).apply(inside) });
    await expect(part.toBytes('keras')).rejects.toThrow(/begin with layers.input/);
  });
});

describe('how a network of several outputs was compiled comes back', () => {
  const a = layers.input([4], { name: 'a' });
  const b = layers.input([3], { name: 'b' });
  const h = layers.concatenate().apply([a, b]);
  const kind = layers.dense({ units: 3, activation: 'softmax', name: 'k' }).apply(h);
  const size = layers.dense({ units: 1, name: 's' }).apply(h);
  const data = {
    x: {
      a: [
        [1, 2, 3, 4],
        [2, 3, 4, 5],
      ],
      b: [
        [1, 2, 3],
        [0, 1, 0],
      ],
    },
    y: { kind: [0, 2], size: [[1], [2]] },
  };
  const quiet = { verbose: 0 } as const;

  it.each(['net.keras', 'net.h5', 'net.json'])('from %s', async (name) => {
    const net = model({ inputs: { a, b }, outputs: { kind, size } });
    net.compile({
      optimizer: 'adam',
      loss: { kind: 'sparseCategoricalCrossentropy', size: 'mse' },
      metrics: { kind: ['accuracy'], size: 'mae' },
      lossWeights: { kind: 1, size: 0.5 },
    });
    await net.fit(data.x, data.y, quiet);
    const path = join(mkdtempSync(join(tmpdir(), 'weft-')), name);
    await net.save(path);
    const again = await loadModel(path);
    // TensorFlow.js knows no records: its files hold lists, and outputs are called after their layers.
    const isList = name.endsWith('.json');
    const { kind: kinds, size: sizes } = data.y;
    const told = await again.evaluate(data.x, isList ? [kinds, sizes] : data.y, quiet);
    const wanted = Object.entries(await net.evaluate(data.x, data.y, quiet)).map(([key, value]) => [
      isList ? key.replace('kind', 'k').replace('size', 's') : key,
      value,
    ]);
    expect(told).toEqual(Object.fromEntries(wanted));
  });
});

describe('a network of a class of one’s own', () => {
  class Told extends Model {
    override trainStep(batch: StepBatch) {
      return { ...super.trainStep(batch), mean: batch.x.mean() };
    }
  }
  class Called extends Told {
    override call(x: Tensor | readonly Tensor[]) {
      return x as Tensor;
    }
  }
  const data = [
    [1, 2],
    [3, 4],
  ];
  const make = (Class: typeof Told) => {
    const x = layers.input([2]);
    return new Class({ inputs: x, outputs: layers.dense(1).apply(x) });
  };

  it('comes back as one, of the class that the loader is given', async () => {
    const net = make(Told);
    net.compile({ loss: 'mse', optimizer: 'sgd' });
    for (const name of ['own.keras', 'own.h5', 'own.json']) {
      const path = join(mkdtempSync(join(tmpdir(), 'weft-')), name);
      await net.save(path);
      await expect(loadModel(path)).rejects.toThrow(/"Told" is the user's own/);
      await expect(loadModel(path, { customObjects: { Told: layers.Dense } })).rejects.toThrow(
        /extends Model/,
      );
      const again = await loadModel(path, { customObjects: { Told } });
      expect(again).toBeInstanceOf(Told);
      const predicted = async (one: Model) => [...(await (await one.predict(data, { verbose: 0 })).data())];
      expect(await predicted(again)).toEqual(await predicted(net));
      expect(Object.keys((await again.fit(data, [1, 2], { verbose: 0 })).history)).toEqual(['loss', 'mean']);
    }
  });

  it('is refused where its call is its own: files hold layers', async () => {
    await expect(make(Called).toBytes()).rejects.toThrow(/is of class Called/);
  });
});
