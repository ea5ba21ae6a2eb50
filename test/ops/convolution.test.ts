/** Convolution, pooling and resizing by their public names: Keras's sizes, ties, gradients of gradients, what is refused. */
import { describe, expect, test } from 'vitest';
import {
  avgPool,
  ConfigError,
  capture,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  depthwiseConv1d,
  depthwiseConv2d,
  gradcheck,
  gradients,
  maxPool,
  ones,
  optimizers,
  resize,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  variable,
  zeros,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const line = (...values: number[]): Tensor => tensor(values, { shape: [1, values.length, 1] });
const random = (...shape: number[]): Tensor =>
  tensor(
    generator(shape.length).array(
      shape.reduce((n, m) => n * m, 1),
      -1,
      1,
    ),
    { shape },
  );

describe('transposed convolution', () => {
  // keras.ops.conv_transpose (3.15.1, JAX) of 1, 2, 3, … with the filter 1, 10, 100, …
  test.each([
    [3, 2, {}, [1, 12, 23, 30]],
    [3, 3, { strides: 2 }, [1, 10, 102, 20, 203, 30, 300]],
    [3, 2, { strides: 3 }, [1, 10, 0, 2, 20, 0, 3, 30, 0]],
    [3, 3, { strides: 2, padding: 'same' }, [1, 10, 102, 20, 203, 30]],
    [3, 4, { strides: 2, padding: 'same' }, [10, 102, 1020, 203, 2030, 300]],
    [3, 3, { strides: 2, padding: 'same', outputPadding: 1 }, [1, 10, 102, 20, 203, 30]],
    [3, 3, { strides: 2, outputPadding: 1 }, [1, 10, 102, 20, 203, 30, 300, 0]],
    [3, 1, { strides: 2, padding: 'same' }, [1, 0, 2, 0, 3, 0]],
    [3, 3, { padding: 'same', dilations: 2 }, [13, 20, 130]],
    [
      4,
      5,
      { strides: 3, padding: 'same', outputPadding: 0 },
      [100, 1002, 10020, 200, 2003, 20030, 300, 3004, 30040, 400],
    ],
    [2, 2, { strides: 3, padding: 'same' }, [1, 10, 0, 2, 20, 0]],
  ] as const)(
    'of %i numbers by %i taps with %j is what Keras gives',
    async (length, taps, options, expected) => {
      const x = line(...Array.from({ length }, (_, i) => i + 1));
      const filter = tensor(
        Array.from({ length: taps }, (_, i) => 10 ** i),
        { shape: [taps, 1, 1] },
      );
      expect(await numbers(conv1dTranspose(x, filter, options))).toEqual(expected);
    },
  );

  test('has axes, channels and a bias of its own', async () => {
    const y = conv2dTranspose(ones([2, 3, 4, 5]), ones([3, 2, 6, 5]), { strides: [2, 1], bias: ones([6]) });
    expect(y.shape).toEqual([2, 7, 5, 6]);
    expect((await numbers(y)).slice(0, 6)).toEqual([6, 6, 6, 6, 6, 6]);
    expect(conv3dTranspose(ones([1, 2, 2, 2, 3]), ones([2, 2, 2, 1, 3])).shape).toEqual([1, 3, 3, 3, 1]);
  });
});

test('a causal convolution sees nothing of what comes after', async () => {
  const filter = tensor([1, 10, 100], { shape: [3, 1, 1] });
  expect(await numbers(conv1d(line(1, 2, 3, 4), filter, { padding: 'causal' }))).toEqual([
    100, 210, 321, 432,
  ]);
});

test('the bias has its gradient beside that of the filters, and numbers of any dtype are taken', async () => {
  const x = tensor(new Uint8Array(2 * 4 * 4 * 3).fill(2), { shape: [2, 4, 4, 3] });
  const [w, b] = [ones([2, 2, 3, 5]), tensor([1, 2, 3, 4, 5])];
  const y = conv2d(x, w, { bias: b });
  expect((await numbers(y)).slice(0, 5)).toEqual([25, 26, 27, 28, 29]);
  const [dw, db] = gradients(conv2d(x, w, { bias: b }).sum(), [w, b]);
  expect(await numbers(db)).toEqual([18, 18, 18, 18, 18]);
  expect((await numbers(dw)).every((one) => one === 36)).toBe(true);
});

test('a variable, its slots and the slices of its gradient are one kernel', async () => {
  const [w, b] = [variable(random(3, 3, 8, 4)), variable(zeros([4]))];
  const adam = optimizers.adam();
  const step = capture((x: Tensor) => {
    const loss = conv2d(x, w, { padding: 'same', bias: b }).square().mean();
    adam.apply([w, b], gradients(loss, [w, b]));
    return loss;
  });
  await (await step(random(5, 8, 8, 8))).data();
  const labels = step.explain().map(({ label }) => label);
  expect(labels.filter((label) => label.includes('convFilterSlices+convBiasSlices'))).toHaveLength(1);
  // Of the filters and of the bias.
  expect(labels.filter((label) => label.includes('sumSlices'))).toHaveLength(2);
});

test('the gradient of a maximum goes to the first of equals, in row order', async () => {
  const x = tensor([3, 3, 1, 3, 0, 0, 0, 0, 2, 5, 5, 2], { shape: [1, 3, 4, 1] });
  const [apart] = gradients(maxPool(x, [2, 2], { padding: 'same' }).sum(), [x]);
  expect(await numbers(apart)).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0]);
  const [overlapping] = gradients(maxPool(x, 2, { strides: 1 }).sum(), [x]);
  expect(await numbers(overlapping)).toEqual([1, 1, 0, 1, 0, 0, 0, 0, 0, 2, 1, 0]);
});

test('a NaN in a window is its maximum', async () => {
  expect(await numbers(maxPool(line(1, Number.NaN, 3, 4), 2))).toEqual([Number.NaN, 4]);
});

test('averages count what lies in the input', async () => {
  expect(await numbers(avgPool(line(2, 4, 6), 2, { padding: 'same' }))).toEqual([3, 6]);
  expect(await numbers(avgPool(line(2, 4, 6, 8), 3, { strides: 1, padding: 'same' }))).toEqual([3, 4, 6, 7]);
});

test('one depthwise filter per channel is one group per channel', async () => {
  const x = random(2, 6, 5, 4);
  const w = random(3, 3, 4, 2);
  const grouped = conv2d(x, w.transpose([0, 1, 2, 3]).reshape([3, 3, 1, 8]), { groups: 4, padding: 'same' });
  const own = await numbers(depthwiseConv2d(x, w, { padding: 'same' }));
  for (const [i, value] of (await numbers(grouped)).entries()) expect(own[i]).toBeCloseTo(value, 5);
  expect(depthwiseConv1d(ones([1, 5, 2]), ones([2, 2, 3])).shape).toEqual([1, 4, 6]);
});

test('gradients of gradients are right', async () => {
  const bent = (y: Tensor): Tensor => y.square().mul(y).mean();
  const slopes = (f: (x: Tensor, w: Tensor) => Tensor) => (x: Tensor, w: Tensor) => {
    const [dx, dw] = gradients(bent(f(x, w)), [x, w]);
    return dx.square().sum().add(dw.square().sum());
  };
  const inputs = [random(2, 5, 4, 2), random(2, 3, 2, 3)];
  const options = { elements: 6, relative: 2e-3, absolute: 2e-4 };
  for (const [name, f] of Object.entries({
    conv2d: (x: Tensor, w: Tensor) => conv2d(x, w, { padding: 'same', strides: 2 }),
    pools: (x: Tensor, w: Tensor) => avgPool(maxPool(conv2d(x, w), [1, 2]), [2, 1], { padding: 'same' }),
    depthwiseConv2d: (x: Tensor, w: Tensor) => depthwiseConv2d(x, w, { dilations: [2, 1] }),
    resize: (x: Tensor, w: Tensor) => resize(conv2d(x, w, { padding: 'same' }), [3, 7]),
  })) {
    const report = await gradcheck(slopes(f), inputs, options);
    expect(report.passed, `${name}: ${JSON.stringify(report.results)}`).toBe(true);
  }
  const turned = (x: Tensor, w: Tensor) => conv2dTranspose(x, w, { strides: 2 });
  const report = await gradcheck(slopes(turned), [inputs[0], random(2, 3, 3, 2)], options);
  expect(report.passed, JSON.stringify(report.results)).toBe(true);
});

test('resizing is what Keras and TensorFlow.js make of it', async () => {
  const x = tensor([1, 2, 3, 4], { shape: [1, 1, 4, 1] });
  // keras.ops.image.resize (3.15.1); tf.image.resizeBilinear, plain and with alignCorners.
  expect(await numbers(resize(x, [1, 2]))).toEqual([1.5, 3.5]);
  expect(await numbers(resize(x, [1, 6], { interpolation: 'nearest' }))).toEqual([1, 2, 2, 3, 4, 4]);
  expect(await numbers(resize(x, [1, 8], { halfPixelCenters: false }))).toEqual([
    1, 1.5, 2, 2.5, 3, 3.5, 4, 4,
  ]);
  expect(await numbers(resize(x, [1, 7], { alignCorners: true }))).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4]);
});

describe('what cannot be is refused before anything is computed', () => {
  const x = zeros([1, 4, 4, 6]);
  test.each([
    [() => conv2d(x, ones([5, 3, 6, 2])), ShapeError, /conv2d: x \[1, 4, 4, 6\].*window of \[5, 3\].*'same'/],
    [() => conv2d(x, ones([3, 3, 6, 2]), { dilations: 2 }), ShapeError, /window of \[5, 5\]/],
    [() => conv2d(x, ones([3, 3, 5, 2])), ShapeError, /x has 6 channels, the filters take 5/],
    [() => conv2d(x, ones([3, 3, 1, 4]), { groups: 4 }), ShapeError, /6 channels and 4 filters.*4 groups/],
    [() => conv2d(x, ones([3, 3, 2, 4]), { groups: 3 }), ShapeError, /6 channels and 4 filters.*3 groups/],
    [() => conv2d(x, ones([2, 2, 6, 1]), { strides: 2, dilations: [1, 2] }), ValueError, /both above 1/],
    [() => conv2d(x, ones([2, 2, 6, 1]), { strides: 0 }), ValueError, /strides is 0/],
    [() => conv2d(x, ones([2, 2, 6, 1]), { padding: 'causal' }), ConfigError, /padding is "causal"/],
    [() => conv2d(x, ones([2, 2, 6, 1]), { padding: 'full' as never }), ConfigError, /"full"/],
    [() => conv2d(x, ones([2, 2, 6, 1]), { stride: 2 } as never), ConfigError, /option "stride" is unknown/],
    [() => conv2d(x, ones([2, 2, 6, 3]), { bias: ones([2]) }), ShapeError, /bias \[2\]; expected \[3\]/],
    [() => conv2d(zeros([4, 4, 6]), ones([2, 2, 6, 1])), ShapeError, /expected rank 4 of both/],
    [() => conv3d(x, ones([2, 2, 6, 1])), ShapeError, /expected rank 5 of both/],
    [() => conv2dTranspose(x, ones([2, 2, 6, 3])), ShapeError, /x has 6 channels, the filters take 3/],
    [() => maxPool(x, 5), ShapeError, /maxPool: x \[1, 4, 4, 6\]: a window of \[5, 5\]/],
    [() => maxPool(zeros([4, 4]), 2), ShapeError, /expected rank 3, 4 or 5/],
    [() => avgPool(x, [2, 2, 2]), ValueError, /windowSize is \[2,2,2\]/],
    [() => depthwiseConv2d(x, ones([2, 2, 5, 1])), ShapeError, /x has 6 channels, the filter is for 5/],
    [() => resize(x, [0, 3]), ValueError, /size is 0/],
    [() => resize(zeros([4, 4, 6]), [2, 2]), ShapeError, /expected \[samples, height, width, channels\]/],
  ])('%s', (call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });
});
