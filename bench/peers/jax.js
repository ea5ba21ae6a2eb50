import { shuffled } from '../lib/random.js';
import { inputSize, optimizerDefaults } from '../lib/workloads.js';

/**
 * Steps in flight. jax-js submits every kernel by itself and nothing holds it back; with hundreds of steps queued it ran
 * two to three times slower on llvmpipe (W1 3.3 ms instead of 1.5). 4, 8 and 16 were alike there.
 */
const stepsInFlight = 8;

/**
 * jax-js at its fastest: the whole step (gather, forward, gradient, optimizer, sums of loss and hits) is one `jit`.
 *
 * backend: 'webgpu' or 'wasm'. The images are one resident f32 array [40,000, 784] already divided by 255; each step
 * gathers its batch on the device by its shuffled row numbers.
 */
export async function prepare({ workload, data, weights, ...where }) {
  const { blockUntilReady, jit, valueAndGrad, nn, numpy: np } = await start(where);

  const { batchSize, layers } = workload;
  const images = (part) =>
    np.array(Float32Array.from(part.images, (byte) => byte / 255)).reshape([part.labels.length, inputSize]);
  const labels = (part) => np.array(Int32Array.from(part.labels), { dtype: np.int32 });
  const [trainX, trainY] = [images(data.train), labels(data.train)];
  const [testX, testY] = [images(data.test), labels(data.test)];

  // jax-js consumes what a function is given: `.ref` keeps it for another use.
  const activation = { relu: nn.relu, sigmoid: nn.sigmoid, softmax: (z) => z };
  const logits = (parameters, x) =>
    layers.reduce((h, layer, l) => {
      const [w, b] = [parameters[2 * l], parameters[2 * l + 1]];
      return activation[layer.activation](np.matmul(h, w).add(b));
    }, x);

  const hits = (z, y) => np.argmax(z, 1).equal(y).astype(np.float32).sum();

  const lossAndHits = (parameters, x, y) => {
    const z = logits(parameters, x);
    const right = hits(z.ref, y.ref);
    const target = nn.oneHot(y, layers.at(-1).units);
    const loss = nn
      .logSoftmax(z)
      .mul(target)
      .sum()
      .mul(-1 / batchSize);
    return [loss, right];
  };

  const update = updates(np)[workload.optimizer];
  const step = jit((state, x, y, rows) => {
    const batchX = x.slice(rows.ref);
    const batchY = y.slice(rows);
    const [[loss, right], gradients] = valueAndGrad(lossAndHits, { hasAux: true })(
      state.parameters.map((p) => p.ref),
      batchX,
      batchY,
    );
    const next = update(state.parameters, gradients, state.slots);
    return { ...next, loss: state.loss.add(loss), hits: state.hits.add(right) };
  });

  const test = jit((parameters, x, y, rows) => hits(logits(parameters, x.slice(rows.ref)), y.slice(rows)));

  const probabilities = jit((parameters, x) => nn.softmax(logits(parameters, x)));

  const parameters = weights.map(({ values, shape }) => np.array(values).reshape(shape));
  const slots = workload.optimizer === 'sgd' ? [] : weights.map(({ shape }) => np.zeros(shape));
  let state = { parameters, slots, loss: np.array(0), hits: np.array(0) };
  let epoch = 0;

  return {
    name: `jax-js ${where.version}, ${where.backend}`,

    arrange(steps, { shuffle }) {
      const perEpoch = Math.floor(data.train.labels.length / batchSize);
      const samples = Math.min(steps, perEpoch) * batchSize;
      const epochs = Math.max(1, Math.round(steps / perEpoch));
      const total = (epochs * samples) / batchSize;
      return {
        steps: total,
        async run() {
          state.loss.dispose();
          state.hits.dispose();
          state = { ...state, loss: np.array(0), hits: np.array(0) };
          for (let e = 0; e < epochs; e++) {
            const order = shuffle
              ? shuffled(samples, ++epoch)
              : Int32Array.from({ length: samples }, (_, i) => i);
            for (let i = 0; i < samples / batchSize; i++) {
              const rows = np.array(order.slice(i * batchSize, (i + 1) * batchSize), { dtype: np.int32 });
              state = step(state, trainX.ref, trainY.ref, rows);
              if (i % stepsInFlight === stepsInFlight - 1) await blockUntilReady(state.loss);
            }
          }
          const [loss] = await state.loss.ref.data();
          const [right] = await state.hits.ref.data();
          return { loss: loss / total, accuracy: right / (total * batchSize) };
        },
      };
    },

    /** In parts: the product of all 2,000 rows at once took SwiftShader minutes. */
    async evaluate() {
      const size = 100;
      let right = 0;
      for (let first = 0; first < data.test.labels.length; first += size) {
        const rows = np.arange(first, first + size).astype(np.int32);
        const parameters = state.parameters.map((p) => p.ref);
        right += (await test(parameters, testX.ref, testY.ref, rows).data())[0];
      }
      return right / data.test.labels.length;
    },

    predictOne: (pixels) =>
      probabilities(
        state.parameters.map((p) => p.ref),
        np.array(Float32Array.from(pixels, (byte) => byte / 255)).reshape([1, inputSize]),
      ).data(),

    /** In parts, as above. */
    async predictAll() {
      const size = 500;
      const parts = [];
      for (let first = 0; first < data.test.labels.length; first += size) {
        const rows = np.arange(first, first + size).astype(np.int32);
        parts.push(
          await probabilities(
            state.parameters.map((p) => p.ref),
            testX.ref.slice(rows),
          ).data(),
        );
      }
      return Float32Array.from(parts.flatMap((part) => [...part]));
    },
  };
}

/** The product as one `jit`; a bounded number of them in flight, as above. */
export async function prepareProduct({ a, b, product, ...where }) {
  const { jit, blockUntilReady, numpy: np } = await start(where);
  const [x, w] = [a, b].map(({ values, shape }) => np.array(values).reshape(shape));
  const multiply = jit((x, w) =>
    np.matmul(product.transposeA ? x.transpose() : x, product.transposeB ? w.transpose() : w),
  );
  let pending = [];
  // Disposed of before it is computed, a product is never computed; the last stays for `result`.
  const settle = async () => {
    await blockUntilReady(pending);
    for (const y of pending.slice(0, -1)) y.dispose();
    pending = pending.slice(-1);
  };
  return {
    name: `jax-js ${where.version}, ${where.backend}`,
    async run(count) {
      for (let i = 1; i <= count; i++) {
        pending.push(multiply(x.ref, w.ref));
        if (i % stepsInFlight === 0) await settle();
      }
      await settle();
    },
    result: () => pending.at(-1).ref.data(),
    dispose() {
      for (const array of [x, w, ...pending]) array.dispose();
    },
  };
}

async function start({ backend }) {
  const jax = await import('./jax-modules.js');
  if (!(await jax.init(backend)).includes(backend))
    throw new Error(`jax-js: backend ${backend} did not start`);
  jax.defaultDevice(backend);
  return jax;
}

const updates = (np) => ({
  sgd(parameters, gradients, slots) {
    const { learningRate } = optimizerDefaults.sgd;
    return { parameters: parameters.map((w, p) => w.sub(gradients[p].mul(learningRate))), slots };
  },
  rmsprop(parameters, gradients, slots) {
    const { learningRate, rho, epsilon } = optimizerDefaults.rmsprop;
    const next = slots.map((v, p) => v.mul(rho).add(np.square(gradients[p].ref).mul(1 - rho)));
    const moved = parameters.map((w, p) =>
      w.sub(gradients[p].mul(learningRate).div(np.sqrt(next[p].ref.add(epsilon)))),
    );
    return { parameters: moved, slots: next };
  },
});
