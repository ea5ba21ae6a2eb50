import { capture, init, layers, matmul, sequential, tensor, variable, zeros } from 'weft-gpu';
import { inputSize, optimizerDefaults } from './workloads.js';

/**
 * Weft as its own documentation uses it: `compile`, then one `model.fit`.
 *
 * The images stay the bytes they are, one resident u8 tensor; the model's first layer divides by 255.
 */
export async function prepare({ workload, data, weights, version, tuning }) {
  const engine = await open(tuning);
  const { batchSize } = workload;
  const tensors = ({ images, labels }, samples) => [
    tensor(images.subarray(0, samples * inputSize), { shape: [samples, inputSize] }),
    tensor(labels.subarray(0, samples), { shape: [samples] }),
  ];

  const model = sequential([
    layers.input([inputSize]),
    layers.rescaling(1 / 255),
    ...workload.layers.map(({ units, activation }) => layers.dense(units, { activation })),
  ]);
  model.compile({
    optimizer: { className: workload.optimizer, config: optimizerDefaults[workload.optimizer] },
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  await model.setWeights(weights.map(({ values }) => values));

  const [testX, testY] = tensors(data.test, data.test.labels.length);
  let part = [];
  let partSamples = 0;
  return {
    name: `Weft ${version}`,

    /**
     * As for TensorFlow.js: as many samples as the steps need, or whole epochs. Where the size of the data is what is
     * measured (`workload.samples`), all of them, for so many steps.
     */
    async arrange(steps, { shuffle }) {
      const perEpoch = Math.floor(data.train.labels.length / batchSize);
      const whole = workload.samples !== undefined;
      // An epoch is at most one pass.
      const stepsPerEpoch = Math.min(steps, perEpoch);
      const epochs = Math.max(1, Math.round(steps / perEpoch));
      const samples = (whole ? perEpoch : Math.min(steps, perEpoch)) * batchSize;
      if (samples !== partSamples) {
        for (const old of part) old.dispose();
        part = tensors(data.train, samples);
        partSamples = samples;
        await engine.idle();
      }
      const options = {
        batchSize,
        epochs,
        shuffle,
        verbose: 0,
        ...(whole && { stepsPerEpoch, stream: workload.stream ?? false }),
      };
      return {
        steps: whole ? epochs * stepsPerEpoch : (epochs * samples) / batchSize,
        async run() {
          const { history } = await model.fit(part[0], part[1], options);
          return { loss: history.loss.at(-1), accuracy: history.accuracy.at(-1) };
        },
      };
    },

    async evaluate() {
      const { accuracy } = await model.evaluate(testX, testY, { batchSize: 500, verbose: 0 });
      return accuracy;
    },

    predictOne: async (pixels) => values(await model.predict(tensor(pixels, { shape: [1, inputSize] }))),
    predictAll: async () => values(await model.predict(testX, { batchSize: 500 })),
    memory: () => engine.memory(),

    /** What the step is made of, and which variant of each kernel was chosen. */
    async explain() {
      const { kernels, timedBy } = await model.explain();
      return {
        timedBy,
        kernels: kernels.map(({ label, microseconds, bytesRead, bytesWritten, flops, tuning }) => ({
          label,
          microseconds,
          bytes: bytesRead + bytesWritten,
          flops,
          ...(tuning && { tuning: tuning.tuning, from: tuning.from }),
        })),
      };
    },
  };
}

/** A captured product, replayed. */
export async function prepareProduct({ a, b, product, version, tuning }) {
  const engine = await open(tuning);
  const { m, n, transposeA = false, transposeB = false } = product;
  const [x, w] = [a, b].map(({ values, shape }) => tensor(values, { shape }));
  const y = variable(zeros([m, n]));
  const step = capture(() => void y.assign(matmul(x, w, { transposeA, transposeB })), { name: 'product' });
  await step.prepare();
  const most = mostInOneSubmit(product);
  return {
    name: `Weft ${version}`,
    async run(count) {
      for (let left = count; left > 0; left -= most) await step.replay(Math.min(left, most));
      await engine.idle();
    },
    result: () => y.data(),
    dispose: () => engine.close(),
  };
}

/** Small products share a submit; large ones keep the GPU busy for long enough alone. */
const mostInOneSubmit = ({ m, k, n }) => Math.max(1, Math.min(64, Math.floor(2e9 / (m * k * n))));

/** tuning: as `init` takes it; Weft's own default unless given. */
const open = (tuning) => init({ gpu: navigator.gpu, seed: 1, ...(tuning && { tuning }) });

async function values(tensor) {
  const result = await tensor.data();
  tensor.dispose();
  return result;
}
