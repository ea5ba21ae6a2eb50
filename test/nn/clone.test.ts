/** cloneModel: the same architecture, other weights. */
import { describe, expect, it } from 'vitest';
import { cloneModel, layers, Model, model, sequential, type Tensor } from '../../src/index.ts';

const flat = async (list: readonly Tensor[]): Promise<number[][]> =>
  Promise.all(list.map(async (one) => [...(await one.data())]));
const x = [
  [1, 2, 3, 4],
  [0.5, -1, 2, 0],
];

function network() {
  const input = layers.input([4], { name: 'x' });
  const shared = layers.dense({ units: 4, name: 'shared', activation: 'tanh', kernelRegularizer: 'l2' });
  const tower = sequential([layers.input([4]), layers.dense(3), layers.dropout(0.5)], { name: 'tower' });
  const once = shared.apply(input);
  const scale = layers.custom({
    name: 'scale',
    build([, size]) {
      this.addWeight('gain', [size as number], 'ones');
    },
    call(y) {
      return y.mul(this.weight('gain'));
    },
  });
  return model({
    inputs: input,
    outputs: {
      a: tower.apply(shared.apply(once)),
      b: scale.apply(layers.lambda((y: Tensor) => y.mul(2)).apply(once)),
    },
    name: 'net',
  });
}

describe('a clone', () => {
  it('has the names, shapes and forms of its model, shares what that shares, and computes the same with its weights', async () => {
    const net = network();
    const copy = cloneModel(net);
    expect(copy.layers.map(({ name, className }) => [name, className])).toEqual(
      net.layers.map(({ name, className }) => [name, className]),
    );
    expect(copy.weights.map(({ shape }) => shape)).toEqual(net.weights.map(({ shape }) => shape));
    expect(await flat(copy.getWeights())).not.toEqual(await flat(net.getWeights()));
    await copy.setWeights(net.getWeights());
    const outputs = async (one: typeof net) =>
      flat(Object.values((await one.predict(x, { verbose: 0 })) as object) as Tensor[]);
    const before = await outputs(net);
    expect(await outputs(copy)).toEqual(before);
    copy.compile({ loss: { a: 'mse' } });
    await copy.fit(
      x,
      {
        a: [
          [0, 0, 0],
          [1, 1, 1],
        ],
      },
      { verbose: 0 },
    );
    expect(await outputs(net)).toEqual(before);
    expect(await outputs(copy)).not.toEqual(before);
  });

  it('of layers in a row is one too, with other layers where they are given', () => {
    const net = sequential([
      layers.input([4]),
      layers.dense({ units: 3, name: 'h', activation: 'relu' }),
      layers.dense(2),
    ]);
    const copy = cloneModel(net, {
      cloneFunction: (layer) => (layer.name === 'h' ? layers.dense({ units: 5, name: 'wide' }) : null),
    });
    expect(copy.layers.map(({ name }) => name)).toEqual(['wide', net.layers[1].name]);
    expect(copy.outputShape).toEqual([null, 2]);
    expect(copy.countParams()).toBe(4 * 5 + 5 + 5 * 2 + 2);
  });

  it('of a model that says in call what it is, is refused', () => {
    class Own extends Model {
      override call(y: Tensor | readonly Tensor[]) {
        return y as Tensor;
      }
    }
    expect(() => cloneModel(new Own())).toThrow(/says in its call/);
    expect(() => cloneModel(network(), { cloneFunction: 3 as never })).toThrow(/cloneFunction is 3/);
  });
});
