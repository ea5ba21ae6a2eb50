/** Nothing that is kept from call to call outlives the network, the flags or the settings that it was made from. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  init,
  initializers,
  layers,
  loadModel,
  optimizers,
  schedules,
  sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';

beforeAll(async () => {
  await init({ seed: 5 });
});

const quiet = { verbose: 0, shuffle: false } as const;
const x = tensor([
  [1, 2],
  [3, -1],
  [0.5, 4],
]);
const y = tensor([[1], [2], [3]]);

class Scale extends layers.Layer {
  by = 2;
  parts = { shift: 0 };
  f = (t: Tensor): Tensor => t;
  override call(t: Tensor): Tensor {
    return this.f(t.mul(this.by).add(this.parts.shift));
  }
}
const dense = (units: number, value = 0.5) =>
  layers.dense({ units, kernelInitializer: initializers.constant({ value }), useBias: false });

function made() {
  const scale = new Scale({ inputShape: [2] });
  const inner = sequential([
    layers.dense({ units: 2, inputShape: [2], kernelInitializer: 'ones' }),
    dense(2),
  ]);
  const model = sequential([scale, inner, dense(2), dense(1)]);
  const optimizer = optimizers.sgd({ learningRate: 0, momentum: 0.5 });
  model.compile({ optimizer, loss: 'mse', metrics: ['mae'] });
  return { model, inner, scale, optimizer };
}
type Made = ReturnType<typeof made>;

/** Every call that keeps something, and what each says of the network: the loss, or the predictions. */
async function allOf({ model }: Made, targets: Tensor) {
  const whole = { ...quiet, batchSize: 3 };
  const { history } = await model.fit(x, targets, whole);
  const bytes = await (await loadModel(await model.toBytes(), custom)).predict(x, { verbose: 0 });
  const explained = await model.explain({ step: 'predict', x, measure: false });
  return {
    fit: history.loss[0],
    evaluate: (await model.evaluate(x, targets, { verbose: 0, batchSize: 3 })).loss,
    trainOnBatch: (await model.trainOnBatch(x, targets)).loss,
    testOnBatch: (await model.testOnBatch(x, targets)).loss,
    predict: await (await model.predict(x, { verbose: 0 })).array(),
    save: await bytes.array(),
    explain: explained.kernels.length,
  };
}
const custom = { compile: false, customLayers: { Scale: (config: object) => new Scale(config) } };

describe('a change between any two calls is followed by all of them', () => {
  const changes: Record<string, (made: Made) => void> = {
    'a layer is taken away': ({ model }) => void model.pop(),
    'a layer is put in place of another': ({ model }) => {
      model.pop();
      model.add(dense(1, 3));
    },
    'a layer is added': ({ model }) => void model.add(layers.activation('tanh')),
    'the model inside loses a layer': ({ inner }) => void inner.pop(),
    'the model inside gets another layer': ({ inner }) => {
      inner.pop();
      inner.add(dense(2, -1));
    },
    'a property of an own layer': ({ scale }) => {
      scale.by = -3;
    },
    'an entry of such a property': ({ scale }) => {
      scale.parts.shift = 4;
    },
    'a function of an own layer': ({ scale }) => {
      scale.f = (t) => t.square();
    },
  };
  test.each(Object.keys(changes))('%s', async (name) => {
    const one = made();
    await allOf(one, y);
    changes[name](one);
    const { model } = one;
    const predictions = model.apply(x, { training: false });
    const targets = tensor(Array.from({ length: 3 }, (_, i) => Array(predictions.shape[1]).fill(i + 1)));
    const right = await predictions.sub(targets).square().mean().item();
    const found = await allOf(one, targets);
    for (const call of ['fit', 'evaluate', 'trainOnBatch', 'testOnBatch'] as const)
      expect(found[call], call).toBeCloseTo(right, 3);
    expect(found.predict).toEqual(await predictions.array());
    if (!name.includes('own layer') && !name.includes('such a property'))
      expect(found.save).toEqual(found.predict);
  });

  test('flags, loss, metrics and the rule of the optimizer', async () => {
    const one = made();
    const { model, inner, optimizer } = one;
    await allOf(one, y);
    const weights = () => Promise.all(model.weights.map((w) => w.array()));
    optimizer.learningRate = 0.01;
    inner.trainable = false;
    const before = await weights();
    await model.trainOnBatch(x, y);
    const frozen = await weights();
    expect(frozen.map((w, i) => JSON.stringify(w) === JSON.stringify(before[i]))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    inner.trainable = true;
    await model.fit(x, y, quiet);
    expect(await inner.weights[0].array()).not.toEqual(frozen[0]);
    // Plain descent from here on: momentum, set to 0, moves nothing after a gradient of 0.
    Object.assign(optimizer, { momentum: 0, learningRate: 0.001 });
    const at = await weights();
    await model.trainOnBatch(x, y);
    const twin = made();
    await twin.model.setWeights(at.map((w) => tensor(w as number[])));
    twin.model.compile({ optimizer: optimizers.sgd(0.001), loss: 'mse' });
    await twin.model.trainOnBatch(x, y);
    expect(await weights()).toEqual(await Promise.all(twin.model.weights.map((w) => w.array())));
    model.compile({ optimizer: 'sgd', loss: 'mae', metrics: ['mse'] });
    expect(Object.keys(await model.testOnBatch(x, y))).toEqual(['loss', 'mse']);
    expect(Object.keys(await model.evaluate(x, y, { verbose: 0 }))).toEqual(['loss', 'mse']);
  });

  test('a list of layers that was handed out is a copy', async () => {
    const { model } = made();
    (model.layers as unknown[]).pop();
    expect(model.layers).toHaveLength(4);
    expect((await model.predict(x, { verbose: 0 })).shape).toEqual([3, 1]);
  });

  test('what has not changed is traced once', async () => {
    let traces = 0;
    const counted = layers.custom({
      build() {},
      call(t) {
        // Shapes are asked for with one sample.
        if (t.shape[0] > 1) Object.assign(this, { latest: ++traces });
        return t;
      },
    });
    const model = sequential([layers.input([2]), counted, dense(1)]);
    const learningRate = schedules.exponentialDecay({
      initialLearningRate: 0.1,
      decaySteps: 5,
      decayRate: 0.5,
    });
    model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'mse' });
    await model.trainOnBatch(x, y);
    const first = traces;
    await model.trainOnBatch(x, y);
    await model.trainOnBatch(x, y);
    expect(traces).toBe(first);
  });
});
