/** Functions, layers and optimizers of the user's in files: they come back as they were, or somebody is told why not. */
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  activations,
  ConfigError,
  FormatError,
  init,
  initializers,
  layers,
  loadModel,
  type Model,
  metrics,
  optimizers,
  registerSerializable,
  type Sequential,
  Sequential as SequentialClass,
  sequential,
  type Tensor,
} from '../../../src/index.ts';

beforeAll(async () => {
  await init({ seed: 5 });
});

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterEach(() => warn.mockClear());
const told = (): string => warn.mock.calls.flat().join('\n');

const formats = ['keras', 'h5'] as const;
const one = (options: object): Sequential =>
  sequential([layers.input([1]), layers.dense({ units: 1, kernelInitializer: 'ones', ...options })]);
const answer = async (model: Model, x = -3): Promise<number> =>
  (await model.predict([[x]], { verbose: 0 })).item();

describe.each(formats)('.%s', (format) => {
  test('a function that is called like one of ours does not come back as ours', async () => {
    const relu = (t: Tensor): Tensor => t.mul(2);
    for (const model of [
      one({ activation: relu }),
      sequential([layers.input([1]), layers.activation(relu)]),
    ]) {
      const bytes = await model.toBytes(format);
      await expect(loadModel(bytes)).rejects.toThrow(FormatError);
      await expect(loadModel(bytes)).rejects.toThrow(/"relu" is the user's own.*customObjects: \{ relu \}/s);
      const again = await loadModel(bytes, { customObjects: { relu } });
      expect(await answer(again)).toBe(await answer(model));
      // And ours stays ours beside it.
      const ours = await one({ activation: 'relu' }).toBytes(format);
      expect(await answer(await loadModel(ours, { customObjects: { relu } }))).toBe(0);
    }
  });

  test('our own functions are ours, whatever a minifier calls them', async () => {
    const again = await loadModel(await one({ activation: activations.relu6 }).toBytes(format));
    expect(again.layers[0].getConfig().activation).toBe('relu6');
    expect(await answer(again, 9)).toBe(6);
  });

  test('an initializer that nobody gives is not needed for weights that are in the file', async () => {
    const twos = (shape: readonly number[]): Float32Array => new Float32Array(shape[0] * shape[1]).fill(2);
    const bytes = await one({ kernelInitializer: twos }).toBytes(format);
    const again = await loadModel(bytes);
    expect(await answer(again)).toBe(-6);
    // What came without it goes on without it, and says so where weights would be drawn.
    const third = await loadModel(await again.toBytes(format), { customObjects: { twos } });
    expect(third.layers[0].getConfig().kernelInitializer).toBe(twos);
    const config = { ...again.layers[0].getConfig(), name: 'new' };
    expect(() => layers.fromConfig({ className: 'Dense', config }).build([null, 1])).toThrow(
      /"twos" is the user's own/,
    );
  });

  test('regularizers, constraints, losses, metrics and optimizers of one’s own go on as they were', async () => {
    const tiny = (w: Tensor): Tensor => w.square().sum().mul(0.5);
    const capped = (w: Tensor): Tensor => w.clip(-0.9, 0.9);
    const tripled = (t: Tensor, p: Tensor): Tensor => t.sub(p).square().mul(3);
    const far = (t: Tensor, p: Tensor): Tensor => t.sub(p).abs();
    class Half extends optimizers.Optimizer {
      readonly slotNames = ['last'];
      constructor(options: optimizers.OptimizerOptions = {}) {
        super('Half', { ...plain, ...options } as Required<optimizers.OptimizerOptions>);
      }
      protected override update(w: Tensor, g: Tensor, [last]: readonly Tensor[], rate: Tensor) {
        return { value: w.sub(g.mul(rate).mul(0.5)).sub(last.mul(0.1)), slots: [g] };
      }
    }
    const plain = {
      learningRate: 0.1,
      weightDecay: null,
      clipnorm: null,
      clipvalue: null,
      globalClipnorm: null,
      name: null,
    };
    const model = one({ kernelRegularizer: tiny, biasConstraint: capped });
    model.compile({ optimizer: new Half(), loss: tripled, metrics: [far] });
    await model.trainOnBatch([[1]], [[5]]);
    const customObjects = { tiny, capped, tripled, far, Half };
    const again = await loadModel(await model.toBytes(format), { customObjects });
    expect(again.optimizer).toBeInstanceOf(Half);
    for (let i = 0; i < 3; i++)
      expect(await again.trainOnBatch([[1]], [[5]])).toEqual(await model.trainOnBatch([[1]], [[5]]));
    expect(await again.weights[1].array()).toEqual(await model.weights[1].array());
    expect(Math.abs(((await model.weights[1].array()) as number[])[0])).toBeLessThanOrEqual(0.9);
  });

  test('what was registered needs not be given', async () => {
    const doubled = registerSerializable(`doubled ${format}`, (t: Tensor) => t.mul(2));
    class Plus extends layers.Layer {
      override call(x: Tensor): Tensor {
        return x.add(1);
      }
    }
    registerSerializable(`my>Plus ${format}`, Plus);
    const model = sequential([layers.input([1]), layers.activation(doubled), new Plus()]);
    const bytes = await model.toBytes(format);
    expect(told()).toBe('');
    expect(await answer(await loadModel(bytes), 4)).toBe(9);
  });

  test('a layer of one’s own keeps its options, in their spelling, and functions among them', async () => {
    const seen: object[] = [];
    const bend = (t: Tensor): Tensor => t.square();
    class Bent extends layers.Layer {
      private readonly own: { bend: (t: Tensor) => Tensor };
      constructor({ bend, axis, keep_it, keepThis, ...options }: Record<string, unknown> = {}) {
        super(options, 'Dense');
        seen.push({ axis, keep_it, keepThis });
        this.own = { bend: bend as (t: Tensor) => Tensor };
      }
      override call(x: Tensor): Tensor {
        return this.own.bend(x);
      }
      override getConfig(): Record<string, unknown> {
        return { ...super.getConfig(), ...this.own, axis: -1, keep_it: [1, null], keepThis: { a: 'b' } };
      }
    }
    const model = sequential([layers.input([1]), new Bent({ bend, axis: -1 })]);
    // Called like one of ours, it never becomes ours.
    const bytes = await model.toBytes(format);
    await expect(loadModel(bytes)).rejects.toThrow(/is the user's own/);
    await expect(loadModel(bytes, { customObjects: { bend } })).rejects.toThrow(/"Dense" is the user's own/);
    const again = await loadModel(bytes, { customObjects: { Dense: Bent, bend } });
    expect(await answer(again)).toBe(9);
    expect(seen.at(-1)).toEqual({ axis: -1, keep_it: [1, null], keepThis: { a: 'b' } });
  });

  test('a class that extends one of ours is not taken for it', async () => {
    class Negative extends layers.Dense {
      override call(x: Tensor, context: layers.CallContext): Tensor {
        return super.call(x, context).neg();
      }
    }
    const model = sequential([layers.input([1]), new Negative({ units: 1, kernelInitializer: 'ones' })]);
    const bytes = await model.toBytes(format);
    await expect(loadModel(bytes)).rejects.toThrow(/"Dense" is the user's own/);
    expect(await answer(await loadModel(bytes, { customObjects: { Dense: Negative } }))).toBe(3);
  });
});

describe('save refuses what loadModel could not make again', () => {
  const refused = async (model: Sequential, reason: RegExp): Promise<void> => {
    for (const format of formats) {
      await expect(model.toBytes(format)).rejects.toThrow(ConfigError);
      await expect(model.toBytes(format)).rejects.toThrow(reason);
    }
    // Weights alone need no words.
    expect((await model.toBytes('weights.h5')).length).toBeGreaterThan(0);
  };

  test('a function without a name, or two of one name', async () => {
    const make = (k: number) => (t: Tensor) => t.mul(k);
    await refused(one({ activation: make(2) }), /dense\w*\.activation is a function without a name/);
    const [first, second] = [{ f: (t: Tensor) => t.mul(2) }, { f: (t: Tensor) => t.mul(3) }];
    await refused(
      sequential([layers.input([1]), layers.activation(first.f), layers.activation(second.f)]),
      /both called "f"/,
    );
    await refused(
      sequential([
        layers.input([1]),
        layers.custom({ className: 'Own', call: (t) => t.mul(2) }),
        layers.custom({ className: 'Own', call: (t) => t.mul(3) }),
      ]),
      /both called "Own"/,
    );
  });

  test('a name under which another thing is registered', async () => {
    registerSerializable('taken', (t: Tensor) => t.mul(7));
    const taken = (t: Tensor): Tensor => t.mul(8);
    await refused(one({ activation: taken }), /both called "taken"/);
  });

  test('options that JSON cannot hold', async () => {
    const withConfig = (config: Record<string, unknown>) =>
      sequential([layers.input([1]), layers.custom({ className: 'Own', call: (t) => t, config })]);
    await refused(withConfig({ far: Number.POSITIVE_INFINITY }), /far is Infinity, which JSON cannot hold/);
    await refused(withConfig({ list: [1, Number.NaN] }), /list\.1 is NaN/);
    await refused(withConfig({ numbers: new Float32Array(2) }), /numbers is an object/);
    await refused(withConfig({ deep: JSON.parse('{"__proto__": 1}') }), /__proto__/);
    let deep: unknown = 0;
    for (let i = 0; i < 120; i++) deep = [deep];
    await refused(withConfig({ deep }), /nested more than 100 deep/);
  });

  test('a model of a class of one’s own that looks like ours', async () => {
    class Doubling extends SequentialClass {
      override call(x: Tensor, context: layers.CallContext): Tensor {
        return super.call(x, context).mul(2);
      }
    }
    const model = new Doubling([layers.input([1]), layers.dense(1)]);
    await refused(model, /is of class Doubling; files describe models made by sequential and model/);
    await refused(sequential([layers.input([1]), model]), /is of class Doubling/);
  });
});

test('save says once which names loadModel has to be given', async () => {
  const onceTold = (t: Tensor): Tensor => t.mul(2);
  const model = one({ activation: onceTold });
  await model.toBytes();
  expect(told()).toMatch(/"onceTold" is your own and not in the file: give it to loadModel as customObjects/);
  warn.mockClear();
  await model.toBytes();
  expect(told()).toBe('');
});

test('functions in a config make the layer again in memory', () => {
  const bent = (t: Tensor): Tensor => t.square();
  const first = layers.dense({ units: 2, activation: bent, kernelInitializer: bent as never });
  const config = first.getConfig();
  expect(config).toMatchObject({ activation: bent, kernelInitializer: bent });
  const again = layers.fromConfig({ className: 'Dense', config });
  expect(again.getConfig()).toEqual(config);
  const rule = new initializers.Initializer('Mine', { a: 1 }, () => new Float32Array(2));
  expect(layers.dense({ units: 2, kernelInitializer: rule }).getConfig().kernelInitializer).toBe(rule);
});

test('a function called softmax at the end is applied, also beside a loss that absorbs softmax', async () => {
  const softmax = (t: Tensor): Tensor => t.mul(0).add(0.5);
  const model = sequential([layers.input([2]), layers.dense({ units: 2, activation: softmax })]);
  model.compile({ loss: 'categoricalCrossentropy', metrics: [metrics.meanAbsoluteError()] });
  const { loss } = await model.testOnBatch([[1, 2]], [[1, 0]]);
  expect(loss).toBeCloseTo(Math.log(2), 5);
});

test('registerSerializable refuses what is no name or no thing', () => {
  expect(() => registerSerializable('', () => 1)).toThrow(/name is ""; expected text/);
  expect(() => registerSerializable('x', 7 as never)).toThrow(/x is 7; expected a function/);
});
