import { beforeEach, describe, expect, test } from 'vitest';
import { activations, layers, resetNames, sequential, type Tensor, tensor, zeros } from '../../src/index.ts';

beforeEach(resetNames);

const numbers = async (x: Tensor) => [...(await x.data())];

describe('layers', () => {
  test('are named as Keras names them, in the order of their making', () => {
    const made = [
      layers.dense(1),
      layers.dense(1),
      layers.flatten(),
      layers.dense({ units: 1, name: 'out' }),
      layers.dense(1),
    ];
    expect(made.map(({ name }) => name)).toEqual(['dense', 'dense_1', 'flatten', 'out', 'dense_2']);
  });

  test('take the main option in front, or all in one object, in either spelling', () => {
    const config = (layer: ReturnType<typeof layers.dense>) => ({ ...layer.getConfig(), name: null });
    const a = layers.dense(3, { activation: 'relu', useBias: false });
    const b = layers.dense({ units: 3, activation: 'relu', use_bias: false } as never);
    expect(config(a)).toEqual(config(b));
  });

  test('refuse what they do not know', () => {
    expect(() => layers.dense({ units: 3, activatoin: 'relu' } as never)).toThrow(/"activatoin" is unknown/);
    expect(() => layers.dense({ units: 3, kernelRegularizer: 'l3' })).toThrow(
      /kernelRegularizer: regularizer is "l3"/,
    );
    expect(() => layers.dense({ units: 3, activityRegularizer: 'l3' })).toThrow(
      /activityRegularizer: regularizer is "l3"/,
    );
    expect(() => layers.flatten({ dtype: 'float16' })).toThrow(/float32/);
    expect(() => layers.reshape([-1, -1])).toThrow(/targetShape/);
    expect(() => layers.rescaling(Number.NaN)).toThrow(/scale/);
  });

  test('a dense layer acts on the last axis', async () => {
    const dense = layers.dense(2, { kernelInitializer: 'ones', biasInitializer: 'ones' });
    const y = dense.apply(
      tensor([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ]),
    );
    expect(y.shape).toEqual([2, 2, 2]);
    expect(await numbers(y)).toEqual([4, 4, 8, 8, 12, 12, 16, 16]);
    expect(() => dense.apply(tensor([[1, 2, 3]]))).toThrow(/\[null, 3\]; expected \[null, 2\]/);
    expect(() => layers.dense(2).apply(tensor([1, 2]))).toThrow(/\[samples, ..., inputs\]/);
  });

  test('bytes are rescaled, flattened and reshaped', async () => {
    const bytes = tensor(Uint8Array.of(0, 51, 102, 255), { shape: [2, 2, 1] });
    for (const [i, value] of (await numbers(layers.rescaling(1 / 255).apply(bytes))).entries())
      expect(value).toBeCloseTo([0, 0.2, 0.4, 1][i], 6);
    expect(await numbers(layers.rescaling({ scale: 2, offset: -1 }).apply(bytes))).toEqual([
      -1, 101, 203, 509,
    ]);
    expect(layers.flatten().apply(bytes).shape).toEqual([2, 2]);
    expect(layers.reshape([1, -1]).apply(bytes).shape).toEqual([2, 1, 2]);
    expect(() => layers.reshape([3]).apply(bytes)).toThrow(/2 values/);
  });

  test('their config makes the same layer again', () => {
    const made = [
      layers.dense(3, { activation: 'gelu', kernelInitializer: 'heNormal' }),
      layers.dense(3, { kernelRegularizer: 'l2', biasConstraint: 'non_neg', kernelConstraint: 'maxNorm' }),
      layers.dropout(0.25, { seed: 3 }),
      layers.reshape([2, -1]),
      layers.activation('mish'),
      layers.rescaling(0.5, { offset: 1 }),
      layers.flatten(),
    ];
    for (const layer of made) {
      const config = layer.getConfig();
      const again = layers.fromConfig({
        className: layer.className,
        config: JSON.parse(JSON.stringify(config)),
      });
      expect(again.getConfig()).toEqual(config);
    }
    expect(() => layers.fromConfig({ className: 'toString' })).toThrow(/Known are Activation, .*Dense/);
  });

  test('every activation has its value', async () => {
    const x = tensor([-4, -0.5, 0.5, 4]);
    const at = async (name: keyof typeof activations) => numbers(activations[name](x));
    const close = (got: number[], wanted: number[]) =>
      wanted.forEach((one, i) => {
        expect(Math.abs(got[i] - one)).toBeLessThan(1e-5 + 1e-5 * Math.abs(one));
      });
    close(await at('leakyRelu'), [-0.8, -0.1, 0.5, 4]);
    close(await at('hardSigmoid'), [0, 0.416667, 0.583333, 1]);
    close(await at('silu'), [-0.071945, -0.18877, 0.31123, 3.928055]);
    close(await at('gelu'), [-0.0001267, -0.1542688, 0.3457312, 3.9998733]);
    close(await at('mish'), [-0.072592, -0.220747, 0.375245, 3.997413]);
    close(await at('hardTanh'), [-1, -0.5, 0.5, 1]);
    close(await at('exponential'), [-4, -0.5, 0.5, 4].map(Math.exp));
  });
});

describe('dropout', () => {
  const ones = tensor(new Float32Array(4000).fill(1), { shape: [40, 100] });

  test('drops a share in training, scales the rest, and does nothing otherwise', async () => {
    const drop = layers.dropout(0.25, { seed: 1 });
    const y = await numbers(drop.apply(ones, { training: true }));
    const kept = y.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(kept.length / 4000).toBeGreaterThan(0.72);
    expect(kept.length / 4000).toBeLessThan(0.78);
    expect(await numbers(drop.apply(ones))).toEqual(await numbers(ones));
  });

  test('drops others at the next step, and the same in another run', async () => {
    const run = async (seed: number) => {
      const drop = layers.dropout(0.5, { seed });
      const first = await numbers(drop.apply(ones, { training: true }));
      return [first, await numbers(drop.apply(ones, { training: true }))];
    };
    const [first, second] = await run(1);
    expect(first).not.toEqual(second);
    expect(await run(1)).toEqual([first, second]);
    expect((await run(2))[0]).not.toEqual(first);
  });
});

describe("a layer of one's own", () => {
  class Scale extends layers.Layer {
    gain = this.weights[0];
    override build([, size]: layers.BatchShape) {
      this.gain = this.addWeight('gain', [size as number], 'ones');
    }
    override call(x: Tensor) {
      return x.mul(this.gain).mul(3);
    }
  }

  test('is a class, or an object', async () => {
    const scale = layers.custom({
      className: 'Scale',
      build([, size]) {
        this.addWeight('gain', [size as number], 'ones');
      },
      call(x) {
        return x.mul(this.weight('gain')).mul(3);
      },
    });
    for (const layer of [new Scale(), scale]) {
      const model = sequential([layers.input([2]), layer, layers.dense(1, { kernelInitializer: 'ones' })]);
      expect(model.countParams()).toBe(5);
      expect(await numbers(await model.predict(tensor([[1, 2]]), { verbose: 0 }))).toEqual([9]);
      expect(model.summary({ print: false })).toContain('(Scale)');
    }
  });

  test('tells its output shape by being called', () => {
    const halves = { call: (x: Tensor) => x.slice([0, 0], [x.shape[0], x.shape[1] / 2]) };
    const model = sequential([layers.input([6]), halves, layers.dense(1)]);
    expect(model.weights[0].shape).toEqual([3, 1]);
    expect(() => sequential([{ nothing: 1 } as never])).toThrow(/expected a layer/);
  });
});

describe('a sequential model', () => {
  test('is built from its input, from its first layer, or from data', async () => {
    expect(sequential([layers.input([4]), layers.dense(2)]).weights[0].shape).toEqual([4, 2]);
    expect(sequential([layers.dense(2, { inputShape: [4] })]).weights[0].shape).toEqual([4, 2]);
    expect(sequential([layers.dense(2, { inputDim: 4 } as never)]).weights[0].shape).toEqual([4, 2]);
    const open = sequential([layers.dense(2)]);
    expect(open.built).toBe(false);
    expect(() => open.outputShape).toThrow(/not built/);
    await open.predict(zeros([3, 5]), { verbose: 0 });
    expect(open.weights[0].shape).toEqual([5, 2]);
    open.add(layers.dense(1));
    expect(open.weights[2].shape).toEqual([2, 1]);
  });

  test('refuses what does not fit', () => {
    const named = () => layers.dense(1, { name: 'same' });
    expect(() => sequential([layers.input([2]), named(), named()])).toThrow(/two layers are called "same"/);
    expect(() => sequential([layers.input([2]), layers.dense(1), layers.input([2])])).toThrow(
      /comes first and once/,
    );
    expect(() => sequential([]).pop()).toThrow(/no layer/);
    expect(() => sequential([layers.input([2]), layers.dense(1)]).build([null, 3])).toThrow(
      /\[null, 3\]; expected \[null, 2\]/,
    );
    expect(() => sequential([]).apply(zeros([1, 2]))).toThrow(/no layers/);
    expect(() => sequential([layers.input([2]), 7 as never])).toThrow(/expected a layer/);
    expect(() => sequential([layers.dense(2)], { nmae: 'a' } as never)).toThrow(/unknown/);
  });

  test('counts, freezes and thaws its weights', () => {
    const model = sequential([layers.input([4]), layers.dense(3), layers.dense(2, { trainable: false })]);
    const count = (weights: readonly { size: number }[]) => weights.reduce((sum, { size }) => sum + size, 0);
    expect([model.countParams(), count(model.trainableWeights), count(model.nonTrainableWeights)]).toEqual([
      23, 15, 8,
    ]);
    model.trainable = false;
    expect([count(model.trainableWeights), count(model.nonTrainableWeights)]).toEqual([0, 23]);
    model.trainable = true;
    expect(count(model.trainableWeights)).toBe(15);
    expect(model.getLayer('dense_1')).toBe(model.getLayer(-1));
    expect(() => model.getLayer('dense_7')).toThrow(/there are dense, dense_1/);
  });

  test('gives copies of its weights, takes new ones, and changes none when one does not fit', async () => {
    const model = sequential([layers.input([2]), layers.dense(2)]);
    const before = model.getWeights();
    await model.setWeights([
      [
        [1, 2],
        [3, 4],
      ],
      Float32Array.of(5, 6),
    ]);
    expect(await numbers(model.getWeights()[0])).toEqual([1, 2, 3, 4]);
    expect(await numbers(before[1])).toEqual([0, 0]);
    expect(() => model.setWeights([new Float32Array(4), new Float32Array(3)])).toThrow(
      /weight 1 \(bias\) has shape \[2\]; \[3\] came/,
    );
    expect(() => model.setWeights([new Float32Array(4)])).toThrow(/1 weights came/);
    expect(await numbers(model.getWeights()[1])).toEqual([5, 6]);
  });

  test('can be a layer, and is made again from its config', async () => {
    const inner = sequential([layers.input([2]), layers.dense(3, { activation: 'relu' })], { name: 'inner' });
    const model = sequential([layers.input([2]), inner, layers.dense(1)], { name: 'outer' });
    expect(model.weights.map(({ shape }) => shape)).toEqual([[2, 3], [3], [3, 1], [1]]);
    expect(model.summary({ print: false, expandNested: true })).toContain('   └ dense (Dense)');
    const { Sequential } = await import('../../src/index.ts');
    const again = Sequential.fromConfig(JSON.parse(JSON.stringify(model.getConfig())));
    expect(again.getConfig()).toEqual(model.getConfig());
    expect(again.countParams()).toBe(model.countParams());
  });
});
