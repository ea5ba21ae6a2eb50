/** What a page has loaded once it has trained, parts that come on demand included: minified, gzipped, in bytes. */
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { bundlers, type Consumer, gzipped, install, open } from '../support/consumer.ts';

let consumer: Consumer;
let browser: Browser;
beforeAll(async () => {
  consumer = install();
  browser = await chromium.launch(chromiumLaunchOptions());
}, 60_000);
afterAll(async () => {
  await browser?.close();
  consumer?.remove();
});

/** Pictures of four kinds: each has its own row of eight lit, among noise. */
const pictures = `
  const labels = Int32Array.from({ length: 64 }, (_, i) => i % 4);
  const pixels = Float32Array.from({ length: 64 * 64 }, (_, i) =>
    (Math.floor((i % 64) / 8) === labels[Math.floor(i / 64)] ? 1 : 0) + Math.sin(i * i) / 4);
`;

const outcome = `
  globalThis.outcome = main()
    .then((losses) => ({ losses, loaded: performance.getEntriesByType('resource').map(({ name }) => name) }))
    .catch(({ message }) => ({ error: message }));
`;

const pages = {
  /** Tensors, autograd, dense layers, a loss and an optimizer: a training step of one's own. */
  core: `
    import { capture, gradients, init, layers, losses, optimizers, tensor } from 'weft-gpu';
    ${pictures}
    async function main() {
      await init({ seed: 1 });
      const x = tensor(pixels, { shape: [64, 64] });
      const y = tensor(labels);
      const hidden = layers.dense(32, { activation: 'relu' });
      const last = layers.dense(4);
      hidden.build([null, 64]);
      last.build([null, 32]);
      const weights = [...hidden.weights, ...last.weights];
      const error = losses.sparseCategoricalCrossentropy({ fromLogits: true });
      const adam = optimizers.adam(0.01);
      const step = capture((x, y) => {
        const loss = error.compute(y, last.call(hidden.call(x, {}), {}));
        adam.apply(weights, gradients(loss, weights));
        return loss;
      });
      const history = [];
      for (let i = 0; i < 30; i++) history.push(await (await step(x, y)).item());
      return history;
    }
    ${outcome}`,

  /** The Keras workflow: compiled by names, with validation, evaluated, asked. */
  fit: `
    import { init, layers, sequential, tensor } from 'weft-gpu';
    ${pictures}
    async function main() {
      await init({ seed: 1 });
      const x = tensor(pixels, { shape: [64, 8, 8] });
      const y = tensor(labels);
      const model = sequential([
        layers.input({ shape: [8, 8] }),
        layers.flatten(),
        layers.dense({ units: 32, activation: 'relu' }),
        layers.dense({ units: 4, activation: 'softmax' }),
      ]);
      model.compile({ optimizer: 'adam', loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] });
      const { history } = await model.fit(x, y, { batchSize: 8, epochs: 10, validationSplit: 0.25 });
      const [loss] = Object.values(await model.evaluate(x, y));
      const sure = await (await model.predict(x)).data();
      return [history.loss[0], ...(sure.length === 64 * 4 ? [loss] : [])];
    }
    ${outcome}`,
};

/**
 * Bounded a KB or two above what holds. The aim is a core below 58 KB and a fit below 77 through vite. esbuild loads of a list
 * at once what any later part uses: with `layers` every layer that files know.
 */
const MOST_BYTES = {
  core: { vite: 63_500, esbuild: 120_500 },
  fit: { vite: 91_000, esbuild: 149_500 },
};

interface Outcome {
  readonly error?: string;
  readonly losses: readonly number[];
  readonly loaded: readonly string[];
}

describe.each(['core', 'fit'] as const)('a page that trains, %s', (name) => {
  test.each(['vite', 'esbuild'] as const)(
    'learns, and loads no more than it may, built by %s',
    async (bundler) => {
      const built = await bundlers[bundler](consumer, pages[name]);
      const { error, losses, loaded } = await open<Outcome>(browser, built);
      expect(error).toBeUndefined();
      expect(losses.at(-1)).toBeLessThan(losses[0] / 2);
      const files = loaded.map((url) => new URL(url).pathname.slice(1)).filter((file) => file in built.files);
      const [first, all] = [built.atOnce, files].map((some) => gzipped(built, some));
      const kb = (bytes: number) => (bytes / 1000).toFixed(1);
      console.log(`${name}, ${bundler}: ${kb(all)} KB in ${files.length} files, ${kb(first)} before it runs`);
      expect(all).toBeLessThan(MOST_BYTES[name][bundler]);
    },
    60_000,
  );
});
