/**
 * A tab that is closed, or crashes, in the middle of a training goes on where it was: its backup lies in OPFS. The page
 * has no import map: backups need no package.
 */
import { type BrowserContext, chromium, type Page } from 'playwright';
import { expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../../scripts/support/chromium.js';
import { generator } from '../../reference/random.ts';
import { isLong } from '../../support/long.ts';
import { host } from '../../support/static-host.ts';

const ORIGIN = 'https://weft.test';
const [KILLS, EPOCHS] = isLong ? [20, 300] : [2, 40];

interface Outcome {
  readonly error?: string;
  /** How often an epoch ended in this tab. */
  readonly epochs: number;
  readonly history: Readonly<Record<string, number[]>>;
  readonly weights: readonly number[][];
}

const page = `<!doctype html><script type="module">
  import { callbacks, init, layers, sequential } from './dist/index.js';
  const { folder, epochs, seed } = Object.fromEntries(new URLSearchParams(location.search));
  async function main() {
    const engine = await init({ seed: Number(seed) });
    const x = Array.from({ length: 96 }, (_, i) => [Math.sin(i), Math.cos(3 * i), (i % 7) / 7]);
    const model = sequential([
      layers.input([3]),
      layers.dense(8, { activation: 'relu' }),
      layers.dropout(0.2),
      layers.dense(3, { activation: 'softmax' }),
    ]);
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    let ended = 0;
    const { history } = await model.fit(x, x.map((_, i) => i % 3), {
      batchSize: 7,
      epochs: Number(epochs),
      validationSplit: 0.25,
      verbose: 0,
      callbacks: [
        callbacks.reduceLROnPlateau({ patience: 2 }),
        callbacks.backupAndRestore(folder, { saveFreq: 3 }),
        { onEpochEnd: () => void (globalThis.epochs = ++ended) },
      ],
    });
    const weights = [];
    for (const one of model.weights) weights.push([...(await one.data())]);
    await engine.close();
    return { epochs: ended, history, weights };
  }
  globalThis.outcome = main().catch(({ message }) => ({ error: message }));
</script>`;

test(`F27: a tab that is closed at ${KILLS} moments of a training ends with the bytes of an unbroken run`, async () => {
  const browser = await chromium.launch(chromiumLaunchOptions());
  try {
    const context = await browser.newContext();
    await host(context, ORIGIN, { files: { '/': page, '/favicon.ico': '' } });
    const open = async (folder: string, seed: number): Promise<Page> => {
      const tab = await context.newPage();
      await tab.goto(`${ORIGIN}/?folder=${folder}&epochs=${EPOCHS}&seed=${seed}`);
      return tab;
    };
    const outcomeOf = async (tab: Page): Promise<Outcome> => {
      const outcome = (await tab.evaluate('outcome')) as Outcome;
      await tab.close();
      expect(outcome.error).toBeUndefined();
      return outcome;
    };
    const whole = await outcomeOf(await open('whole', 42));
    expect(whole.epochs).toBe(EPOCHS);

    const random = generator(27);
    for (let kill = 1; kill <= KILLS; kill++) {
      // Another seed each time: what the backup says goes.
      const tab = await open('part', kill === 1 ? 42 : kill);
      await tab.waitForFunction('globalThis.epochs > 0');
      await tab.waitForTimeout(random.between(0, isLong ? 400 : 200));
      if (kill % 2 === 0) await crash(context, tab);
      await tab.close();
    }
    const last = await outcomeOf(await open('part', 99));
    expect(last.epochs).toBeLessThan(EPOCHS);
    expect(last.history).toEqual(whole.history);
    expect(last.weights).toEqual(whole.weights);
  } finally {
    await browser.close();
  }
}, 600_000);

/** Kills the process that draws the page and runs its scripts. */
async function crash(context: BrowserContext, tab: Page): Promise<void> {
  const gone = tab.waitForEvent('crash');
  const session = await context.newCDPSession(tab);
  // The answer comes from the process that is no more.
  session.send('Page.crash').catch(() => {});
  await gone;
}
