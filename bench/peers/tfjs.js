import { inputSize, optimizerDefaults } from '../lib/workloads.js';

/**
 * TensorFlow.js as its own documentation uses it: `compile`, then one `model.fit`, which shuffles, gathers each batch on
 * the device and reads the loss once an epoch (with `yieldEvery: 'never'`, its fastest).
 *
 * backend: 'webgpu' or 'wasm'. The images are one resident f32 tensor [40,000, 784] already divided by 255.
 */
export async function prepare({ workload, data, weights, ...where }) {
  const { tf, layers, sequential } = await start(where);

  const { batchSize } = workload;
  const images = (part) =>
    tf.tensor2d(
      Float32Array.from(part.images, (byte) => byte / 255),
      [part.labels.length, inputSize],
    );
  const labels = (part) => tf.tensor1d(Float32Array.from(part.labels));
  const [trainX, trainY] = [images(data.train), labels(data.train)];
  const [testX, testY] = [images(data.test), labels(data.test)];

  const model = sequential();
  for (const [l, { units, activation }] of workload.layers.entries()) {
    model.add(layers.dense(l === 0 ? { units, activation, inputShape: [inputSize] } : { units, activation }));
  }
  model.compile({
    optimizer: optimizer(tf, workload),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  model.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape)));

  /** Runs what gives a tensor, and reads that. */
  const read = async (make) => {
    const result = tf.tidy(make);
    const values = await result.data();
    result.dispose();
    return values;
  };

  let part = [];
  return {
    name: `TensorFlow.js ${where.version}, ${where.backend}`,

    /** fit takes no number of steps, so the run trains on as many samples as the steps need, or on whole epochs. */
    arrange(steps, { shuffle }) {
      const perEpoch = Math.floor(data.train.labels.length / batchSize);
      const epochs = Math.max(1, Math.round(steps / perEpoch));
      const samples = Math.min(steps, perEpoch) * batchSize;
      if (samples !== part[1]?.size) {
        tf.dispose(part);
        part = [tf.slice(trainX, 0, samples), tf.slice(trainY, 0, samples)];
      }
      return {
        steps: (epochs * samples) / batchSize,
        async run() {
          const options = { batchSize, epochs, shuffle, verbose: 0, yieldEvery: 'never' };
          const { history } = await model.fit(part[0], part[1], options);
          return { loss: history.loss.at(-1), accuracy: history.acc.at(-1) };
        },
      };
    },

    async evaluate() {
      const [accuracy] = await read(() => {
        const classes = tf.argMax(model.predict(testX, { batchSize: 500 }), 1);
        return tf.mean(tf.cast(tf.equal(classes, tf.cast(testY, 'int32')), 'float32'));
      });
      return accuracy;
    },

    predictOne: (pixels) =>
      read(() =>
        model.predict(
          tf.tensor2d(
            Float32Array.from(pixels, (byte) => byte / 255),
            [1, inputSize],
          ),
        ),
      ),
    predictAll: () => read(() => model.predict(testX, { batchSize: 500 })),
    memory: () => ({ liveBytes: tf.memory().numBytes }),
  };
}

/** A product at a time; the result of the one before is thrown away. */
export async function prepareProduct({ a, b, product, ...where }) {
  const { tf } = await start(where);
  const { transposeA = false, transposeB = false } = product;
  const [x, w] = [a, b].map(({ values, shape }) => tf.tensor2d(values, shape));
  let y = null;
  return {
    name: `TensorFlow.js ${where.version}, ${where.backend}`,
    async run(count) {
      for (let i = 0; i < count; i++) {
        y?.dispose();
        y = tf.matMul(x, w, transposeA, transposeB);
      }
      // One number of it: the queue is in order, so everything before is done.
      const corner = tf.slice(y, [0, 0], [1, 1]);
      await corner.data();
      corner.dispose();
    },
    result: () => y.data(),
    dispose: () => tf.dispose([x, w, y]),
  };
}

async function start({ backend, assets }) {
  const peer = await import('./tfjs-modules.js');
  const { tf, setWasmPaths } = peer;
  if (backend === 'wasm') setWasmPaths(assets);
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs: backend ${backend} did not start`);
  await tf.ready();
  return peer;
}

function optimizer(tf, workload) {
  const { learningRate, rho, epsilon } = optimizerDefaults[workload.optimizer];
  return workload.optimizer === 'sgd'
    ? tf.train.sgd(learningRate)
    : tf.train.rmsprop(learningRate, rho, 0, epsilon);
}
