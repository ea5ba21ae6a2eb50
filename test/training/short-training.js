/**
 * Fifty steps that leave out nothing that a seed decides: initial weights, shuffling, dropout. Written
 * against the built package, so that a second process and a page can run the very same file.
 *
 * `weft`: the package. `options`: for `init`. Gives the weights' bytes, the losses of 2 epochs and the
 * adapter's name.
 */
export async function shortTraining(weft, options = {}) {
  const { init, layers, sequential, tensor } = weft;
  const engine = await init({ seed: 42, tuning: 'off', ...options });
  const rows = 25 * 32;
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  const bytes = Uint8Array.from({ length: rows * 784 }, () => (next() < 128 ? 0 : next()));
  const labels = Uint8Array.from({ length: rows }, () => next() % 10);

  const model = sequential([
    layers.input({ shape: [784] }),
    layers.dense({ units: 33, activation: 'relu' }),
    layers.dropout({ rate: 0.25 }),
    layers.dense({ units: 17, activation: 'sigmoid' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ]);
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const x = tensor(bytes, { shape: [rows, 784] })
    .cast('f32')
    .div(255);
  const { history } = await model.fit(x, tensor(labels), { batchSize: 32, epochs: 2, verbose: 0 });
  const weights = await Promise.all(model.getWeights().map((w) => w.data()));
  const adapter = engine.profile.description || engine.profile.architecture;
  await engine.close();
  return { weights: weights.map((w) => Array.from(w)), losses: history.loss, adapter };
}
