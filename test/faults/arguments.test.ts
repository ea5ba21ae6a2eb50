/** F01 to F14: what bad arguments get, and that odd but legal ones work. */
import { describe, expect, test } from 'vitest';
import {
  add,
  argMax,
  argMin,
  concat,
  div,
  expandDims,
  gather,
  gradients,
  layers,
  logSoftmax,
  losses,
  matmul,
  max,
  mean,
  min,
  mul,
  oneHot,
  ones,
  optimizers,
  relu,
  reshape,
  sequential,
  slice,
  softmax,
  softmaxCrossEntropy,
  squeeze,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  variable,
  WeftError,
  where,
  zeros,
} from '../../src/index.ts';
import { generator } from '../reference/random.ts';
import { testEngine } from '../support/engine.ts';
import { refused, refusedLater } from './refused.ts';

describe('F01 matmul of shapes that do not fit', () => {
  test('names both shapes and the flags', () =>
    refused(() => matmul(zeros([2, 3]), zeros([4, 2])), 'SHAPE', /matmul/, /\[2, 3\]/, /\[4, 2\]/));
  test.each([
    [{ transposeB: true }, [2, 3], [3, 2]],
    [{ transposeA: true }, [2, 3], [3, 2]],
    [{ transposeA: true, transposeB: true }, [3, 2], [3, 2]],
  ])('with %o', (flags, a, b) =>
    refused(
      () => matmul(zeros(a), zeros(b), flags),
      'SHAPE',
      /matmul/,
      ...Object.keys(flags).map((flag) => new RegExp(flag, 'i')),
    ),
  );
  test('batches of 4 and 5', () =>
    refused(() => matmul(zeros([4, 3, 2]), zeros([5, 2, 3])), 'SHAPE', /\b4\b/, /\b5\b/));
  test('a matrix and a vector', () => refused(() => matmul(zeros([2, 2]), zeros([2])), 'SHAPE', /\[2\]/));
});

describe('F02 operands that do not broadcast', () => {
  test.each(Object.entries({ add, sub, mul, div }))('%s', async (name, op) => {
    await refused(() => op(zeros([4]), zeros([3])), 'SHAPE', name, /\[4\]/, /\[3\]/);
    await refused(() => op(zeros([2, 3]), zeros([2, 2])), 'SHAPE', name, /\[2, 3\]/, /\[2, 2\]/);
  });
  test('where', () => refused(() => where(tensor([true, false]), zeros([2]), zeros([3])), 'SHAPE', /where/));
});

describe('F03 shapes of another size', () => {
  test('reshape says how many elements there are and how many were asked for', () =>
    refused(() => reshape(zeros([2, 3]), [4, 2]), 'SHAPE', /reshape/, /\b6\b/, /\b8\b/));
  test('reshape with two unknown sizes', () =>
    refused(() => reshape(zeros([2, 3]), [-1, -1]), 'SHAPE', /reshape/));
  test('reshape with an unknown size that does not divide', () =>
    refused(() => reshape(zeros([2, 3]), [4, -1]), 'SHAPE', /\b6\b/));
  test('concat of unequal other sizes', () =>
    refused(() => concat([zeros([2, 3]), zeros([2, 4])], 0), 'SHAPE', /concat/, /\[2, 3\]/, /\[2, 4\]/));
  test('concat of nothing', () => refused(() => concat([], 0), 'VALUE', /concat/));
});

describe('F04 axes', () => {
  const x = zeros([2, 3, 4]);
  const ops: Record<string, (axis: never) => Tensor> = {
    sum: (axis) => sum(x, axis),
    mean: (axis) => mean(x, axis),
    max: (axis) => max(x, axis),
    min: (axis) => min(x, axis),
    argMax: (axis) => argMax(x, axis),
    argMin: (axis) => argMin(x, axis),
    softmax: (axis) => softmax(x, axis),
    logSoftmax: (axis) => logSoftmax(x, axis),
    concat: (axis) => concat([x, x], axis),
    gather: (axis) => gather(x, [0, 1], axis),
  };
  test.each(Object.entries(ops))('%s takes -3 to 2 and refuses everything else by name', async (name, op) => {
    const random = generator(4);
    const odd: unknown[] = [0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', {}, 2 ** 53];
    for (let trial = 0; trial < 200; trial++) {
      const axis = random.uniform() < 0.3 ? random.pick(odd) : random.below(13) - 6;
      const legal = typeof axis === 'number' && Number.isInteger(axis) && axis >= -3 && axis < 3;
      try {
        op(axis as never);
        expect(legal, `${name} took axis ${String(axis)}`).toBe(true);
      } catch (error) {
        expect(error instanceof WeftError, `${name} with ${String(axis)}: ${String(error)}`).toBe(true);
        expect((error as WeftError).code).toBe('AXIS');
        expect((error as Error).message).toMatch(name);
        expect(legal, (error as Error).message).toBe(false);
      }
    }
  });
  test('an axis named twice', async () => {
    await refused(() => sum(x, [0, 0]), 'AXIS', /sum/);
    await refused(() => sum(x, [-1, 2]), 'AXIS', /sum/);
    await refused(() => transpose(x, [0, 0, 1]), 'AXIS', /transpose/);
    await refused(() => transpose(x, [0, 1]), 'AXIS', /transpose/);
  });
  test('expandDims and squeeze', async () => {
    await refused(() => expandDims(x, 5), 'AXIS', /expandDims/);
    await refused(() => squeeze(x, 7), 'AXIS', /squeeze/);
    await refused(() => squeeze(x, 0), 'SHAPE', /squeeze/);
  });
});

describe('F05 data and shapes for tensor()', () => {
  test('another number of elements', () =>
    refused(() => tensor([1, 2, 3], { shape: [2, 2] }), 'SHAPE', /\b3\b/, /\b4\b/));
  test('ragged rows name the first bad place', () => refused(() => tensor([[1, 2], [3]]), 'SHAPE', /\[1\]/));
  test('a row that is deeper than the first', () =>
    refused(() => tensor([1, [2]] as never), 'SHAPE', /\[1\]/));
  test.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 53]], [['3']], [[null]], ['3'], [{}]])(
    'shape %o',
    (shape) => refused(() => tensor([1, 2, 3], { shape: shape as never }), 'SHAPE', /shape/),
  );
});

describe('F06 kinds of data', () => {
  test.each([
    ['text', 'abc'],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
    ['a function', () => 1],
    ['BigInt', 1n],
  ])('%s is refused', (_, data) => refused(() => tensor(data as never), 'DTYPE', /tensor/));
  test.each([
    ['text', ['a']],
    ['BigInt', [1n]],
    ['null', [null]],
    ['undefined', [undefined]],
    ['an object', [{}]],
  ])('%s inside an array is refused with its place', (_, data) =>
    refused(() => tensor(data as never), 'DTYPE', /\[0\]/),
  );
  test('BigInt64Array is refused', () =>
    refused(() => tensor(new BigInt64Array(2) as never), 'DTYPE', /BigInt64Array/));
  test('an unknown dtype is refused with the list of known ones', async () => {
    await refused(() => tensor([1], { dtype: 'float16x' }), 'DTYPE', /float16x/, /f32/);
    await refused(() => tensor([1], { dtype: 'constructor' }), 'DTYPE', /constructor/);
    await refused(() => tensor([1]).cast('__proto__'), 'DTYPE', /__proto__/);
  });
  test('numbers that an integer cannot hold are refused with place and value', async () => {
    await refused(() => tensor([0, 1.5], { dtype: 'i32' }), 'VALUE', /element 1/, /1\.5/);
    await refused(() => tensor([Number.NaN], { dtype: 'i32' }), 'VALUE', /NaN/);
    await refused(() => tensor([-1], { dtype: 'u32' }), 'VALUE', /-1/);
    await refused(() => tensor([256], { dtype: 'u8' }), 'VALUE', /256/);
    await refused(() => tensor([2 ** 31], { dtype: 'i32' }), 'VALUE', /2147483648/);
  });
  test('Float64Array becomes f32, booleans become bool, Uint8ClampedArray stays bytes', async () => {
    expect(await tensor(Float64Array.of(0.1, 2)).data()).toEqual(Float32Array.of(0.1, 2));
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor(new Uint8ClampedArray([1, 2, 3]) as never).dtype).toBe('u8');
  });
});

describe('F07 tensors without elements', () => {
  const empty = (...shape: number[]) => tensor([], { shape });
  test('matmul, sum, concat and relu of nothing', async () => {
    expect(matmul(empty(0, 3), zeros([3, 2])).shape).toEqual([0, 2]);
    expect([...(await matmul(empty(0, 3), ones([3, 2])).data())]).toEqual([]);
    expect([...(await matmul(zeros([2, 0]), zeros([0, 3])).data())]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...(await sum(empty(0, 3), 0).data())]).toEqual([0, 0, 0]);
    expect([...(await concat([empty(0), tensor([1, 2])], 0).data())]).toEqual([1, 2]);
    expect([...(await relu(empty(0)).data())]).toEqual([]);
    expect((await mean(empty(0)).data())[0]).toBeNaN();
  });
  test('the gradient for an empty input is empty', async () => {
    const x = empty(0, 3);
    const w = tensor([[1], [2], [3]]);
    const [dx, dw] = gradients(sum(matmul(x, w)), [x, w]);
    expect(dx.shape).toEqual([0, 3]);
    expect([...(await dw.data())]).toEqual([0, 0, 0]);
  });
  test('max and argMax of an empty axis are refused', async () => {
    await refused(() => max(empty(0)), 'VALUE', /max/);
    await refused(() => min(empty(2, 0), 1), 'VALUE', /min/);
    await refused(() => argMax(empty(2, 0), 1), 'VALUE', /argMax/);
  });
});

describe('F10 data whose bytes are no multiple of 4', () => {
  test.each([1, 2, 3, 5, 7])('%i bytes', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => 250 + i);
    expect(await tensor(bytes).data()).toEqual(bytes);
    expect([...(await tensor(bytes).cast('f32').add(0.5).data())]).toEqual([...bytes].map((x) => x + 0.5));
  });
  test('three truth values', async () => {
    expect([...(await tensor([true, false, true]).data())].map(Boolean)).toEqual([true, false, true]);
  });
});

describe('F11 indices and labels out of range', () => {
  test('gather refuses indices that it can see, oneHot what is no index', async () => {
    const x = zeros([3, 2]);
    await refused(() => gather(x, tensor([0, 3], { dtype: 'i32' })), 'VALUE', /gather/, /\b3\b/);
    await refused(() => gather(x, tensor([-1], { dtype: 'i32' })), 'VALUE', /-1/);
    await refused(() => oneHot(tensor([0.5]), 10), 'VALUE', /oneHot/, /0\.5/);
  });
  test('an index outside gives a one-hot row without a one, as in TensorFlow.js', async () => {
    const hot = oneHot(tensor([-1, 1, 10], { dtype: 'i32' }), 2);
    expect([...(await hot.data())]).toEqual([0, 0, 0, 1, 0, 0]);
  });
  const model = () => {
    const made = sequential([
      layers.input({ shape: [2] }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ]);
    made.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    return made;
  };
  test.each([10, -1, 2 ** 31, Number.NaN, 1.5])(
    'label %d among ten classes is refused with place and value',
    async (label) => {
      const y = tensor([0, 1, label, 3]);
      const m = model();
      const x = tensor(zerosOf(8), { shape: [4, 2] });
      const before = await weightsOf(m);
      const words = [/\b2\b/, label > 2 ** 30 ? /2147483648/ : String(label)];
      await refusedLater(() => m.fit(x, y, { verbose: 0 }), 'VALUE', ...words);
      await refusedLater(() => m.trainOnBatch(x, y), 'VALUE', ...words);
      await refusedLater(() => m.evaluate(x, y, { verbose: 0 }), 'VALUE', ...words);
      expect(await weightsOf(m)).toEqual(before);
    },
  );
  test('the loss function itself refuses labels that it can see', () =>
    refused(
      () => losses.sparseCategoricalCrossentropy().compute(tensor([0, 7]), zeros([2, 3])),
      'VALUE',
      /\b7\b/,
    ));
});

const zerosOf = (size: number) => new Float32Array(size);
const weightsOf = (model: { getWeights(): Tensor[] }) => Promise.all(model.getWeights().map((w) => w.data()));

describe('F12 tensors that are gone or belong elsewhere', () => {
  test('use after dispose is refused, a second dispose is harmless', async () => {
    const x = tensor([1, 2, 3]);
    await x.data();
    x.dispose();
    x.dispose();
    await refused(() => add(x, 1), 'DISPOSED', /add/);
    await expect(x.data()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
  test('a result made before its input was disposed of is right or refused, never other memory', async () => {
    const engine = await testEngine({ debug: { poison: true } });
    const x = tensor([1, 2, 3], { engine });
    const y = add(x, 1);
    x.dispose();
    const filler = tensor([7, 7, 7], { engine });
    await filler.data();
    const outcome = await y.data().then(
      (values) => [...values],
      (error) => error,
    );
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'DISPOSED' });
    else expect(outcome).toEqual([2, 3, 4]);
  });
  test('tensors of two engines do not meet', async () => {
    const [one, two] = [await testEngine(), await testEngine()];
    const a = tensor([1], { engine: one });
    const b = tensor([2], { engine: two });
    await refused(() => add(a, b), 'ENGINE_MISMATCH', /add/);
  });
  test('tensors of a closed engine are refused', async () => {
    const engine = await testEngine();
    const a = tensor([1], { engine });
    await a.data();
    await engine.close();
    await expect(async () => add(a, 1).data()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('F13 gradients that cannot be', () => {
  test('of a loss that is no scalar, without a seed', () => {
    const x = tensor([1, 2]);
    return refused(() => gradients(mul(x, x), [x]), 'GRADIENT', /\[2\]/);
  });
  test('with a seed of another shape', () => {
    const x = tensor([1, 2]);
    return refused(() => gradients(mul(x, x), [x], { seed: ones([3]) }), 'GRADIENT', /\[3\]/);
  });
  test('with respect to something the loss does not depend on', () => {
    const [x, z] = [tensor([1, 2]), tensor([3])];
    return refused(() => gradients(sum(x), [z]), 'GRADIENT');
  });
  test('with respect to integers', () => {
    const x = tensor([1, 2], { dtype: 'i32' });
    return refused(() => gradients(sum(x.cast('f32')), [x]), 'GRADIENT');
  });
  test('with respect to nothing', () => refused(() => gradients(sum(tensor([1])), []), 'GRADIENT'));
  test('of one graph twice gives the same gradient twice', async () => {
    const x = tensor([1, 2]);
    const loss = sum(mul(x, x));
    const [first] = gradients(loss, [x]);
    const [second] = gradients(loss, [x]);
    expect([...(await first.data())]).toEqual([2, 4]);
    expect([...(await second.data())]).toEqual([2, 4]);
  });
  test('after a change of a saved input: the loss keeps what it saw, a late gradient is refused', async () => {
    const w = variable([1, 2]);
    const loss = sum(mul(w, w));
    const [dw] = gradients(loss, [w]);
    void w.assign(tensor([10, 20]));
    await refused(() => gradients(loss, [w]), 'GRADIENT', /variable/i);
    expect([...(await dw.data())]).toEqual([2, 4]);
    expect(await loss.item()).toBe(5);
    expect([...(await w.data())]).toEqual([10, 20]);
  });
  test('an optimizer refuses gradients of another number or shape', async () => {
    const w = variable([1, 2]);
    await refused(() => optimizers.sgd().apply([w], []), 'SHAPE');
    await refused(() => optimizers.sgd().apply([w], [ones([3])]), 'SHAPE', /\[3\]/);
  });
});

describe('F14 names that every object has', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
  test.each(names)('%s is no activation, initializer, optimizer, loss or metric', async (name) => {
    await refused(() => layers.dense({ units: 1, activation: name }), 'CONFIG', name, /relu/);
    await refused(() => layers.activation({ activation: name }), 'CONFIG', name, /relu/);
    await refused(
      () => layers.dense({ units: 1, kernelInitializer: name }),
      'CONFIG',
      name,
      /glorotUniform/i,
    );
    const model = sequential([layers.input({ shape: [2] }), layers.dense({ units: 2 })]);
    await refused(() => model.compile({ optimizer: name, loss: 'mse' }), 'CONFIG', name, /adam/);
    await refused(() => model.compile({ optimizer: 'sgd', loss: name }), 'CONFIG', name, /meanSquaredError/i);
    await refused(
      () => model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [name] }),
      'CONFIG',
      name,
      /accuracy/i,
    );
  });
});

test('losses, slices and one-hots check their shapes', async () => {
  await refused(() => softmaxCrossEntropy(zeros([2, 3]), zeros([3, 3])), 'SHAPE', /\[2, 3\]/, /\[3, 3\]/);
  await refused(() => slice(zeros([4]), [2], [3]), 'SHAPE', /slice/);
  await refused(() => slice(zeros([4]), [-1], [1]), 'SHAPE', /slice/);
  await refused(() => oneHot(tensor([0, 1]), 0), 'VALUE', /depth/);
});
