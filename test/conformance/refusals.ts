/** What the cases of kind `throws` that are no ops ask to be called. */
import { layers, optimizers, sequential, sum, variable, zeros } from '../../src/index.ts';
import type { ConformanceCase } from './cases.ts';
import { makers, type Options, optimizerOf, quiet, regression, subject } from './models.ts';

/** A compiled model of 4 numbers in, and data for it. */
const compiled = () => regression(8);

/** Keras's message for a wrong batch size, in three calls. */
const batchSizes = (
  call: (made: ReturnType<typeof compiled>, options: never) => unknown,
  { args }: ConformanceCase,
) =>
  args.map(
    ({ batch_size }: Options) =>
      () =>
        call(compiled(), { batchSize: batch_size, verbose: 0 } as never),
  );

/** Calls that must be refused, for the cases that say so in words. */
const refusals: Record<string, (one: ConformanceCase) => readonly (() => unknown)[]> = {
  'optimizer.minimize.throws.0758': () => [() => optimizers.sgd().minimize(sum(variable([1])), [])],
  'optimizer.minimize.throws.0759': () => {
    const frozen = variable([1], { trainable: false });
    return [() => optimizers.sgd().minimize(sum(frozen), [frozen])];
  },
  'optimizer.minimize.throws.0760': () => {
    const x = variable([1, 2]);
    return [() => optimizers.sgd().minimize(x.square(), [x])];
  },
  'layer.dense.throws.0916': () => {
    const dense = layers.dense({ units: 2 });
    dense.apply(zeros([2, 2]));
    dense.apply(zeros([3, 2]));
    return [() => dense.apply(zeros([3, 3]))];
  },
  'layer.dense.throws.0917': () => {
    const dense = layers.dense({ units: 2 });
    dense.buildFor([null, 4]);
    return [() => dense.buildFor([null, 5])];
  },
  'layer.dense.throws.0918': () => [() => layers.dense({ units: 2 }).apply(zeros([3]))],
  'optimizer.get.throws.0922': () => [() => dense4().compile({ optimizer: 'not an optimizer', loss: 'mse' })],
  'metric.get.throws.0923': () => [
    () => dense4().compile({ optimizer: 'sgd', loss: 'mse', metrics: ['InvalidMetricName'] }),
  ],
  'model.compile.throws.0924': () => [
    () => dense4().compile({ optimizer: 'sgd', loss: 'mse', metrics: ['foo'] }),
  ],
  'model.fit.throws.0925': () => [() => dense4().fit(zeros([2, 4]), zeros([2, 1]))],
  'model.evaluate.throws.0926': () => [() => dense4().evaluate(zeros([2, 4]), zeros([2, 1]))],
  'model.fit.throws.0927': (one) => batchSizes(({ model, x, y }, options) => model.fit(x, y, options), one),
  'model.evaluate.throws.0928': (one) =>
    batchSizes(({ model, x, y }, options) => model.evaluate(x, y, options), one),
  'model.predict.throws.0929': (one) => batchSizes(({ model, x }, options) => model.predict(x, options), one),
  'model.fit.throws.0930': () => {
    const { model, x, y } = compiled();
    const first = model.fit(x, y, { ...quiet, epochs: 3 });
    return [() => model.fit(x, y, quiet).finally(() => first)];
  },
  'model.predict.throws.0931': () => {
    const model = sequential([layers.input({ shape: [3, 4] }), layers.flatten()]);
    return [
      () =>
        model.predict(zeros([2, 4, 3])).catch((error: Error) => {
          if (/\[2, 4, 3\]/.test(error.message) && /\[null, 3, 4\]/.test(error.message)) throw error;
          throw new Error(`the message does not name both shapes: ${error.message}`);
        }),
    ];
  },
  'sequential.throws.0932': () => [() => sequential([]).pop()],
  'sequential.throws.0933': () => [
    () => sequential([layers.dense({ units: 2, name: 'twin' }), layers.dense({ units: 2, name: 'twin' })]),
  ],
  'sequential.throws.0934': () => [() => sequential([]).apply(zeros([2, 2]))],
  'sequential.throws.0935': () => {
    const model = sequential([layers.input({ batchShape: [3, 2] }), layers.dense({ units: 2 })]);
    return [() => model.build([3, 4])];
  },
  'sequential.throws.0936': () => [
    () => sequential([layers.input({ shape: [2] }), layers.input({ shape: [2] })]),
  ],
};

const dense4 = () => sequential([layers.input({ shape: [4] }), layers.dense({ units: 1 })]);

/** What a case of kind `throws` asks to be called: in words, or options that a constructor must refuse. */
export function refusedCalls(one: ConformanceCase): readonly (() => unknown)[] {
  if (Object.hasOwn(refusals, one.id)) return refusals[one.id](one);
  const make = one.op.startsWith('optimizer.')
    ? (options: Options) => optimizerOf({ name: subject(one), ...options })
    : makers[subject(one)];
  return [one.args].flat().map((options: Options) => () => make(options));
}
