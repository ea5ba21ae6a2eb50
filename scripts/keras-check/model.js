/** The model whose files are shown to Keras: every layer there is, and numbers that need no training. */

/** Numbers that look like weights and are the same everywhere. */
const numbers = (count, seed) =>
  Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin(1 + seed + 1.7 * i));

/** Ten samples: [10, 4, 3]. */
export const samples = Array.from({ length: 10 }, (_, i) =>
  Array.from({ length: 4 }, (_, j) => [i / 10, j / 4, Math.sin(i + 2 * j)]),
);
export const labels = samples.map((_, i) => i % 3);

/** `weft`: the package, built or not. */
export async function makeModel({ layers, optimizers, sequential }) {
  const model = sequential(
    [
      layers.input([4, 3]),
      layers.rescaling(0.5, { offset: 0.25, name: 'halves' }),
      layers.flatten({ name: 'flat' }),
      layers.dense(5, { activation: 'relu', name: 'first' }),
      layers.dropout(0.3, { name: 'drops' }),
      layers.reshape([5], { name: 'again' }),
      sequential([layers.input([5]), layers.dense(6, { name: 'within', kernelInitializer: 'heNormal' })], {
        name: 'inner',
      }),
      layers.activation('tanh', { name: 'curve' }),
      layers.dense(4, { useBias: false, trainable: false, name: 'frozen' }),
      layers.dense(3, { activation: 'softmax', name: 'last' }),
    ],
    { name: 'check' },
  );
  model.compile({
    optimizer: optimizers.adam({ learningRate: 0.01, name: 'adam' }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  await model.setWeights(model.weights.map(({ size }, i) => numbers(size, i)));
  const { optimizer } = model;
  optimizer.build(model.trainableWeights);
  const slots = optimizer.variables.slice(2);
  await optimizer.setWeights([
    Int32Array.of(7),
    Float32Array.of(0.01),
    ...slots.map(({ size }, i) => numbers(size, 50 + i).map((x) => (i % 2 === 0 ? 0.01 * x : 0.001 * x * x))),
  ]);
  return model;
}
