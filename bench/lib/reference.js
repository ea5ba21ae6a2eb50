import { inputSize, optimizerDefaults, startingWeights } from './workloads.js';

/** What `referenceFit` finds for a workload from its starting weights. */
export const referenceLoss = (workload, { train }, steps) =>
  referenceFit(workload, startingWeights(workload), train, steps);

/**
 * The slow twin of every engine: `steps` training steps in plain float64 loops, batches in file order.
 *
 * Returns what `fit` reports for them: the mean loss and the accuracy over all samples, each measured with the
 * weights before that batch's update. images: [N, 784] bytes, labels: [N] bytes.
 */
export function referenceFit(workload, weights, { images, labels }, steps) {
  const { layers, batchSize } = workload;
  const parameters = weights.map(({ values }) => Float64Array.from(values));
  const slots = parameters.map(({ length }) => new Float64Array(length));
  let loss = 0;
  let correct = 0;

  for (let step = 0; step < steps; step++) {
    const gradients = parameters.map(({ length }) => new Float64Array(length));
    for (let sample = step * batchSize; sample < (step + 1) * batchSize; sample++) {
      const pixels = images.subarray(sample * inputSize, (sample + 1) * inputSize);
      const activations = [Float64Array.from(pixels, (byte) => byte / 255)];
      for (const [l, { activation }] of layers.entries()) {
        activations.push(
          activate(activation, dense(activations[l], parameters[2 * l], parameters[2 * l + 1])),
        );
      }

      const probabilities = activations.at(-1);
      loss -= Math.log(probabilities[labels[sample]]);
      if (argMax(probabilities) === labels[sample]) correct++;

      // dz of softmax with cross-entropy is (p − onehot) / B; further down dz = (dz · Wᵀ) ⊙ f′.
      let dz = probabilities.map((p, c) => (p - (c === labels[sample] ? 1 : 0)) / batchSize);
      for (let l = layers.length - 1; l >= 0; l--) {
        accumulate(gradients[2 * l], gradients[2 * l + 1], activations[l], dz);
        if (l > 0) dz = backward(layers[l - 1].activation, activations[l], parameters[2 * l], dz);
      }
    }
    update[workload.optimizer](parameters, gradients, slots);
  }
  const samples = steps * batchSize;
  return { loss: loss / samples, accuracy: correct / samples };
}

function dense(x, w, b) {
  const z = Float64Array.from(b);
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue;
    for (let o = 0; o < z.length; o++) z[o] += x[i] * w[i * z.length + o];
  }
  return z;
}

function activate(name, z) {
  if (name === 'relu') return z.map((v) => Math.max(v, 0));
  if (name === 'sigmoid') return z.map((v) => 1 / (1 + Math.exp(-v)));
  const largest = Math.max(...z);
  const exponentials = z.map((v) => Math.exp(v - largest));
  const sum = exponentials.reduce((a, v) => a + v, 0);
  return exponentials.map((v) => v / sum);
}

function accumulate(dw, db, x, dz) {
  for (let o = 0; o < dz.length; o++) db[o] += dz[o];
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue;
    for (let o = 0; o < dz.length; o++) dw[i * dz.length + o] += x[i] * dz[o];
  }
}

/** a: the activation's output, from which both derivatives are written: relu′ = [a > 0], sigmoid′ = a (1 − a). */
function backward(name, a, w, dz) {
  return a.map((v, i) => {
    let sum = 0;
    for (let o = 0; o < dz.length; o++) sum += dz[o] * w[i * dz.length + o];
    return name === 'relu' ? (v > 0 ? sum : 0) : sum * v * (1 - v);
  });
}

const update = {
  sgd(parameters, gradients) {
    const { learningRate } = optimizerDefaults.sgd;
    for (const [p, w] of parameters.entries()) {
      for (let i = 0; i < w.length; i++) w[i] -= learningRate * gradients[p][i];
    }
  },
  // Keras: epsilon inside the square root.
  rmsprop(parameters, gradients, slots) {
    const { learningRate, rho, epsilon } = optimizerDefaults.rmsprop;
    for (const [p, w] of parameters.entries()) {
      const v = slots[p];
      for (let i = 0; i < w.length; i++) {
        const g = gradients[p][i];
        v[i] = rho * v[i] + (1 - rho) * g * g;
        w[i] -= (learningRate * g) / Math.sqrt(v[i] + epsilon);
      }
    }
  },
};

function argMax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
