/** Networks of layers: what they compute, how they train, and how they refuse what is no network. */
import { describe, expect, it } from 'vitest';
import { layers, Model, model, optimizers, relu, sequential, type Tensor, tensor } from '../../src/index.ts';

const quiet = { verbose: 0 } as const;
const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const line = (n: number, seed = 1): number[] => Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + seed));
const rows = (n: number, width: number, seed = 1): number[][] =>
  Array.from({ length: n }, (_, i) => line(width, seed + i));

describe('a network', () => {
  it('computes what its layers say: a residual way, a shared layer, a nested model', async () => {
    const x = layers.input([2]);
    const shared = layers.dense({ units: 2, kernelInitializer: 'ones', useBias: false });
    const once = shared.apply(x);
    const twice = shared.apply(once);
    const inner = sequential([layers.input([2]), layers.dense({ units: 1, kernelInitializer: 'ones' })]);
    const net = model({ inputs: x, outputs: inner.apply(layers.add().apply([x, twice])) });
    // once = (s, s), twice = (2s, 2s) for s = a + b; out = a + 2s + b + 2s
    expect(
      await numbers(
        await net.predict(
          [
            [1, 2],
            [3, 4],
          ],
          quiet,
        ),
      ),
    ).toEqual([15, 35]);
    expect(net.outputShape).toEqual([null, 1]);
    expect(net.weights).toHaveLength(3);
    expect(net.layers.map(({ className }) => className)).toEqual([
      'InputLayer',
      'Dense',
      'Add',
      'Sequential',
    ]);
  });

  it('merges as Keras does, element by element, joined, and by products', async () => {
    const a = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const b = [
      [3, 2, 1],
      [-1, 0, 1],
    ];
    const merged = async (layer: layers.Layer): Promise<number[][]> =>
      (await layer.apply([tensor(a), tensor(b)]).array()) as number[][];
    expect(await merged(layers.add())).toEqual([
      [4, 4, 4],
      [3, 5, 7],
    ]);
    expect(await merged(layers.subtract())).toEqual([
      [-2, 0, 2],
      [5, 5, 5],
    ]);
    expect(await merged(layers.multiply())).toEqual([
      [3, 4, 3],
      [-4, 0, 6],
    ]);
    expect(await merged(layers.average())).toEqual([
      [2, 2, 2],
      [1.5, 2.5, 3.5],
    ]);
    expect(await merged(layers.maximum())).toEqual([
      [3, 2, 3],
      [4, 5, 6],
    ]);
    expect(await merged(layers.minimum())).toEqual([
      [1, 2, 1],
      [-1, 0, 1],
    ]);
    expect(await merged(layers.concatenate())).toEqual([
      [1, 2, 3, 3, 2, 1],
      [4, 5, 6, -1, 0, 1],
    ]);
    expect(await merged(layers.dot(1))).toEqual([[10], [2]]);
    const [[one], [two]] = await merged(layers.dot(1, { normalize: true }));
    expect(one).toBeCloseTo(10 / 14, 5);
    expect(two).toBeCloseTo(2 / Math.sqrt(77 * 2), 5);
    const wide = layers
      .dot([1, 2])
      .apply([
        tensor(rows(2, 12).flat(), { shape: [2, 3, 4] }),
        tensor(rows(2, 15).flat(), { shape: [2, 5, 3] }),
      ]);
    expect(wide.shape).toEqual([2, 4, 5]);
    // Values of fewer axes get axes of size 1 after the samples.
    expect(
      layers.add().apply([tensor(rows(2, 12).flat(), { shape: [2, 3, 4] }), tensor(rows(2, 4))]).shape,
    ).toEqual([2, 3, 4]);
  });

  it('trains: its steps are those of the same layers in a row', async () => {
    const make = (functional: boolean) => {
      const list = () => [
        layers.dense({
          units: 5,
          activation: 'tanh',
          kernelInitializer: () => line(20),
          biasInitializer: 'ones',
        }),
        layers.dense({ units: 3, activation: 'softmax', kernelInitializer: () => line(15, 2) }),
      ];
      if (!functional) return sequential([layers.input([4]), ...list()]);
      const x = layers.input([4]);
      let y: layers.SymbolicTensor<layers.Layer> | layers.Layer = x;
      for (const layer of list()) y = layer.apply(y);
      return model({ inputs: x, outputs: y });
    };
    const states: number[][] = [];
    for (const functional of [true, false]) {
      const net = make(functional);
      net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
      const { history } = await net.fit(
        rows(20, 4),
        Array.from({ length: 20 }, (_, i) => i % 3),
        {
          ...quiet,
          epochs: 3,
          batchSize: 8,
          shuffle: false,
          validationSplit: 0.2,
        },
      );
      const { loss } = await net.evaluate(rows(6, 4), [0, 1, 2, 0, 1, 2], quiet);
      states.push([
        ...Object.values(history).flat(),
        loss,
        ...(await Promise.all(net.weights.map(numbers))).flat(),
      ] as number[]);
    }
    expect(states[0]).toEqual(states[1]);
  });

  it('is cut out of another one, for its features, and shares their weights', async () => {
    const x = layers.input([3]);
    const features = layers.dense({ units: 4, activation: 'relu', name: 'features' });
    const whole = model({ inputs: x, outputs: layers.dense(1).apply(features.apply(x)) });
    const part = model({ inputs: whole.inputs, outputs: whole.getLayer('features').output });
    whole.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'mse' });
    await whole.fit(rows(8, 3), line(8), quiet);
    const input = rows(2, 3, 5);
    const right = features.apply(tensor(input));
    expect(await numbers(await part.predict(input, quiet))).toEqual(await numbers(right));
    expect(part.weights).toEqual(features.weights);
  });

  it('freezes with its parent: what is inside neither trains nor drops out', async () => {
    const inner = sequential([
      layers.input([2]),
      layers.dense({ units: 2, kernelInitializer: 'ones' }),
      layers.dropout(0.9),
    ]);
    const x = layers.input([2]);
    const net = model({
      inputs: x,
      outputs: layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(inner.apply(x)),
    });
    inner.trainable = false;
    net.compile({ optimizer: 'sgd', loss: 'mse' });
    const { history } = await net.fit([[1, 2]], [6], quiet);
    expect(history.loss).toEqual([0]);
    expect(net.trainableWeights).toHaveLength(2);
  });
});

describe('what is no network is refused by name', () => {
  const x = layers.input([4], { name: 'x' });
  const y = layers.input([4], { name: 'y' });
  const h = layers.dense({ units: 3, name: 'h' }).apply(x);
  const cases: [string, () => unknown, RegExp][] = [
    [
      'an input that is not given',
      () => model({ inputs: y, outputs: h }),
      /depends on x, which is not among the inputs/,
    ],
    [
      'an input that reaches no output',
      () => model({ inputs: [x, y], outputs: h }),
      /input 1 \(y\) reaches no output/,
    ],
    ['an input that is given twice', () => model({ inputs: [x, x], outputs: h }), /given twice/],
    [
      'two layers of one name',
      () => model({ inputs: x, outputs: layers.dense({ units: 2, name: 'h' }).apply(h) }),
      /two layers are called "h"/,
    ],
    ['no outputs', () => model({ inputs: x } as never), /outputs is missing/],
    ['an empty list', () => model({ inputs: [], outputs: h }), /empty list/],
    [
      'a tensor for a symbolic one',
      () => model({ inputs: x, outputs: tensor([1]) as never }),
      /expected a symbolic tensor/,
    ],
    [
      'a layer that was not applied',
      () => model({ inputs: x, outputs: layers.dense(2) }),
      /is the layer dense/,
    ],
    [
      'shapes that do not fit at a merge',
      () => layers.add().apply([x, h]),
      /shapes \[null, 4\] and \[null, 3\] do not fit: sizes 4 and 3 differ/,
    ],
    ['one value for a merge', () => layers.concatenate().apply(x), /one value came; expected a list/],
    [
      'three values for a difference',
      () => layers.subtract().apply([x, x, x]),
      /a list of 3 came; expected a list of 2/,
    ],
    [
      'an axis that is that of the samples',
      () => layers.concatenate({ axis: 0 }).apply([x, x]),
      /that of the samples/,
    ],
    ['numbers of a symbolic tensor', () => h.data(), /has no numbers/],
    ['arithmetic with symbolic tensors', () => h.add(), /add: Symbolic.*layers\.add\(\)\.apply\(\[a, b\]\)/],
    ['functions of symbolic tensors', () => relu(h as never), /tensor: data is .*layers\.lambda/],
    ['the output of a layer without calls', () => layers.dense(2).output, /never/],
  ];
  for (const [name, make, message] of cases)
    it(name, () => {
      expect(make).toThrow(message);
    });

  it('samples of another shape, when it is applied', async () => {
    const net = model({ inputs: x, outputs: h });
    await expect(net.predict([[1, 2, 3]], quiet)).rejects.toThrow(/\[null, 4\]/);
    expect(() => net.apply([tensor([[1, 2, 3, 4]]), tensor([[1, 2, 3, 4]])])).toThrow(
      /2 inputs came; expected 1: x/,
    );
  });
});

describe('a model of one’s own', () => {
  class Residual extends Model {
    inner = layers.dense({ units: 3, activation: 'tanh', kernelInitializer: 'ones' });
    rest = { out: [layers.dense({ units: 1, kernelInitializer: 'ones' })], gain: 2 };

    override call(x: Tensor, context: layers.CallContext): Tensor {
      return this.rest.out[0].apply(x.add(this.inner.apply(x, context)), context);
    }
  }

  it('has the layers that it keeps, in lists and records too, and trains them', async () => {
    const net = new Residual();
    expect(net.layers).toEqual([net.inner, net.rest.out[0]]);
    net.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'mse' });
    const before = (await (await net.predict([[1, 0, -1]], quiet)).item()) as number;
    expect(before).toBeCloseTo(0, 6);
    expect(net.outputShape).toEqual([null, 1]);
    expect(net.weights).toHaveLength(4);
    const { history } = await net.fit(rows(16, 3), line(16), { ...quiet, epochs: 20 });
    expect(history.loss.at(-1)!).toBeLessThan(history.loss[0] as number);
    net.inner.trainable = false;
    expect(net.trainableWeights).toEqual(net.rest.out[0].weights);
    const bytes = await net.toBytes('safetensors');
    const again = new Residual();
    again.buildFor([null, 3]);
    await again.loadWeights(bytes);
    expect(await numbers(await again.predict(rows(2, 3), quiet))).toEqual(
      await numbers(await net.predict(rows(2, 3), quiet)),
    );
    await expect(net.toBytes('keras')).rejects.toThrow(/Residual.*saveWeights/);
  });

  it('may be a network too, and is refused by name where it is neither', async () => {
    class Named extends Model {
      twice(x: Tensor): Tensor {
        return this.apply(x).mul(2);
      }
    }
    const x = layers.input([2]);
    const net = new Named({
      inputs: x,
      outputs: layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(x),
    });
    expect(await numbers(net.twice(tensor([[1, 2]])))).toEqual([6]);
    expect(new Model({ inputs: x, outputs: layers.add().apply([x, x]) }).className).toBe('Functional');
    expect(() => new Model()).toThrow(/inputs is missing/);
    await expect(new Named().predict([[1, 2]], quiet)).rejects.toThrow(/no inputs and outputs of layers/);
  });

  it('hands layers their weights, and takes them', async () => {
    const layer = layers.dense({ units: 1 });
    layer.buildFor([null, 2]);
    await layer.setWeights([[[3], [4]], [5]]);
    expect(await Promise.all(layer.getWeights().map(numbers))).toEqual([[3, 4], [5]]);
    expect(() => layer.setWeights([[1]])).toThrow(/1 weights came; dense.* has 2/);
  });
});
