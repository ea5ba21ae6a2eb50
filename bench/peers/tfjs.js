import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { inputSize, optimizerDefaults } from '../workloads.js';

/**
 * TensorFlow.js as its own documentation uses it: `compile`, then one `model.fit`, which shuffles, gathers each batch on
 * the device and reads the loss once an epoch (with `yieldEvery: 'never'`, its fastest).
 *
 * backend: 'webgpu' or 'wasm'. The images are one resident f32 tensor [40,000, 784] already divided by 255.
 */
export async function prepare({ workload, data, weights, backend }) {
  const tf = await import('@tensorflow/tfjs-core');
  const { layers, sequential } = await import('@tensorflow/tfjs-layers');
  await useBackend(tf, backend);

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

  let part = [];
  return {
    name: `TensorFlow.js ${tf.version_core}, ${backend}`,

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
      const hits = tf.tidy(() => {
        const classes = tf.argMax(model.predict(testX, { batchSize: 500 }), 1);
        return tf.mean(tf.cast(tf.equal(classes, tf.cast(testY, 'int32')), 'float32'));
      });
      return (await hits.data())[0];
    },
  };
}

async function useBackend(tf, backend) {
  if (backend === 'webgpu') {
    await import('@tensorflow/tfjs-backend-webgpu');
  } else {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(main), sep));
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs: backend ${backend} did not start`);
  await tf.ready();
}

function optimizer(tf, workload) {
  const { learningRate, rho, epsilon } = optimizerDefaults[workload.optimizer];
  return workload.optimizer === 'sgd'
    ? tf.train.sgd(learningRate)
    : tf.train.rmsprop(learningRate, rho, 0, epsilon);
}
