/** Layers against what Keras 3.15.1 computed (fixtures/record_layers.py): results, gradients, statistics. */
import { beforeEach, expect, test } from 'vitest';
import { gradients, init, layers, type Tensor, tensor } from '../../src/index.ts';
import { withoutNeutral } from '../../src/nn/saving/foreign-options.ts';
import { OwnObjects } from '../../src/nn/saving/own.ts';
import recorded from './fixtures/keras-layers.json';

interface Numbers {
  readonly shape: readonly number[];
  /** In base64. */
  readonly f32: string;
}
interface Case {
  readonly class_name: string;
  readonly config: object;
  readonly training: boolean;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly g: Numbers;
  readonly dx: Numbers;
  readonly dw: readonly Numbers[];
  readonly weights: readonly Numbers[];
  readonly after?: readonly Numbers[];
}

beforeEach(async () => {
  await init({ seed: 3 });
});

const valuesOf = ({ f32 }: Numbers): Float32Array =>
  new Float32Array(Uint8Array.from(atob(f32), (c) => c.charCodeAt(0)).buffer);

const from = (numbers: Numbers): Tensor => tensor(valuesOf(numbers), { shape: [...numbers.shape] });

/** The numbers are those of Keras, as far as sums of so many terms can agree. */
async function expectSame(x: Tensor, right: Numbers, what: string): Promise<void> {
  expect(x.shape, what).toEqual(right.shape);
  const values = [...valuesOf(right)];
  const size = Math.max(1, ...values.map(Math.abs));
  const apart = [...(await x.data())].map((value, i) => Math.abs(value - values[i]));
  expect(Math.max(0, ...apart), what).toBeLessThan(4e-6 * size);
}

const none = new OwnObjects({});
const cases = recorded.cases as unknown as readonly Case[];
const named = cases.map((one) => {
  const told = Object.entries(one.config).filter(([key]) => !/initializer|regularizer|constraint/.test(key));
  return [`${one.class_name} ${JSON.stringify(Object.fromEntries(told))} of [${one.x.shape}]`, one] as const;
});

test.each(named)('%s computes what Keras computes', async (_, one) => {
  const config = withoutNeutral(one.config as never, none);
  const layer = layers.fromConfig({ className: one.class_name, config });
  const x = from(one.x);
  layer.buildFor([null, ...x.shape.slice(1)]);
  expect(layer.weights.map(({ shape }) => shape)).toEqual(one.weights.map(({ shape }) => shape));
  await layer.setWeights(one.weights.map(from));
  expect(layer.computeOutputShape([null, ...x.shape.slice(1)])).toEqual([null, ...one.y.shape.slice(1)]);
  const before = layer.getWeights();
  const y = layer.apply(x, { training: one.training });
  const trained = layer.trainableWeights;
  const [dx, ...dw] = gradients(y, [x, ...trained], { seed: from(one.g) });
  await Promise.all([
    expectSame(y, one.y, 'y'),
    expectSame(dx, one.dx, 'dx'),
    ...one.dw.map((right, i) => expectSame(dw[i], right, trained[i].name)),
  ]);
  if (!one.after) return;
  await layer.setWeights(before);
  for (const factor of [1, 0.5, 2]) layer.apply(from(one.x).mul(factor), { training: true });
  for (const [i, right] of one.after.entries())
    await expectSame(layer.nonTrainableWeights[i], right, layer.nonTrainableWeights[i].name);
});
