/**
 * Takes the README's pictures of the playground in a headless Chromium, or with a folder as argument every
 * state of the page at three widths, light and dark, to be looked at.
 *
 * Usage: npm run build && node scripts/screenshots.js [FOLDER [STATE …]]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { chromiumLaunchOptions } from './support/chromium.js';
import { smallPng } from './support/small-png.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const address = pathToFileURL(join(root, 'dist/demo/playground/index.html')).href;

const PHONE = { width: 360, height: 740 };
const TABLET = { width: 768, height: 1024 };
const DESK = { width: 1600, height: 900 };

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** Until so many steps are done, then lets the pictures of the moment arrive. */
async function train(page, steps) {
  await press(page, 'Train');
  await page.waitForFunction(
    (wanted) => Number(document.querySelector('output[aria-label="Steps"]').dataset.value) >= wanted,
    steps,
    { timeout: 300_000 },
  );
  await page.waitForTimeout(1500);
}

/** A pair of trousers. */
async function draw(page) {
  const pad = page.getByRole('img', { name: 'Drawing' });
  await page.locator('#try').evaluate((card) => card.scrollIntoView());
  const { x, y, width } = await pad.boundingBox();
  const strokes = [
    [0.42, 0.12, 0.37, 0.88],
    [0.58, 0.12, 0.63, 0.88],
    [0.42, 0.14, 0.58, 0.14],
    [0.41, 0.22, 0.59, 0.22],
  ];
  await page.getByRole('slider', { name: 'Pen width' }).fill('30');
  for (const [fromX, fromY, toX, toY] of strokes) {
    await page.mouse.move(x + fromX * width, y + fromY * width);
    await page.mouse.down();
    await page.mouse.move(x + toX * width, y + toY * width, { steps: 8 });
    await page.mouse.up();
  }
  await page.waitForTimeout(500);
}

const fileOf = (name, text) => ({ name, mimeType: '', buffer: Buffer.from(text) });

/** What a visitor may see. */
const STATES = {
  async fresh() {},
  async training(page) {
    await train(page, 300);
  },
  async trained(page) {
    await train(page, 2500);
  },
  async drawing(page) {
    await train(page, 600);
    await press(page, 'Pause');
    await draw(page);
  },
  async editing(page) {
    for (const units of [64, 32]) {
      await press(page, 'Add layer');
      await page.keyboard.type(String(units));
    }
    await page.waitForTimeout(2500);
  },
  async deepest(page) {
    for (let i = 0; i < 5; i++) await press(page, 'Add layer');
    await page.waitForTimeout(4000);
  },
  async data(page) {
    await page.getByRole('combobox', { name: 'Data' }).selectOption('mnist');
    await page.waitForTimeout(1500);
  },
  async reading(page) {
    await train(page, 300);
    await page.getByRole('img', { name: 'Loss curve' }).hover({ position: { x: 150, y: 60 } });
  },
  async nonsense(page) {
    await page
      .getByLabel('Open model file')
      .setInputFiles(fileOf('<b>my</b> model.keras', 'no model at all'));
    await page.getByRole('alert').waitFor();
  },
  async crash(page) {
    await train(page, 100);
    await page.workers()[0].evaluate(() => {
      setTimeout(() => {
        throw new Error('out of memory');
      });
    });
    await page.getByRole('alert').waitFor();
  },
  async lost(page) {
    await train(page, 100);
    await page.workers()[0].evaluate(() => globalThis.playground.engine.device.destroy());
    await page.getByRole('alert').waitFor();
  },
  async linear(page) {
    await press(page, 'Remove layer 1');
    await page.waitForTimeout(3000);
    await train(page, 500);
    await page.getByRole('figure', { name: 'First-layer weights' }).getByRole('img').hover();
  },
  async nothing() {},
  async address() {},
  async dropping(page) {
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([''], 'a.png'));
      dispatchEvent(new DragEvent('dragenter', { dataTransfer }));
    });
  },
};

/** Where a state begins. */
const HASHES = {
  trained: '#net=40-relu,24-relu&rate=0.002',
  address: '#data=moon&rate=fast&net=64-relu',
};

async function take(browser, state, { viewport, colorScheme, path, isWhole = false }) {
  const page = await browser.newPage({ viewport, colorScheme });
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  if (state === 'nothing') {
    await page.addInitScript(() => Object.defineProperty(navigator, 'gpu', { value: undefined }));
  }
  await page.goto(address + (HASHES[state] ?? ''));
  if (state !== 'nothing') await page.locator('#train:enabled').waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1000);
  await STATES[state](page);
  // What is out of sight is not drawn.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (isWhole) await page.setViewportSize({ ...viewport, height });
  await page.waitForTimeout(isWhole ? 1000 : 100);
  writeFileSync(path, smallPng(await page.screenshot()));
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) faults.push(`the page is ${overflow} pixels wider than its window`);
  if (faults.length > 0) console.error(`${state}, ${viewport.width} px: ${faults.join('; ')}`);
  await page.close();
}

const [folder, ...wanted] = process.argv.slice(2);
const browser = await chromium.launch(chromiumLaunchOptions());
try {
  if (folder) {
    mkdirSync(folder, { recursive: true });
    for (const state of wanted.length > 0 ? wanted : Object.keys(STATES)) {
      for (const viewport of [PHONE, TABLET, DESK]) {
        for (const colorScheme of ['light', 'dark']) {
          const path = resolve(folder, `${state}-${viewport.width}-${colorScheme}.png`);
          await take(browser, state, { viewport, colorScheme, path, isWhole: viewport !== DESK });
        }
      }
    }
  } else {
    const docs = join(root, 'docs');
    await take(browser, 'trained', {
      viewport: DESK,
      colorScheme: 'dark',
      path: join(docs, 'playground.png'),
    });
    const narrow = { viewport: PHONE, colorScheme: 'light', path: join(docs, 'playground-narrow.png') };
    await take(browser, 'drawing', narrow);
  }
} finally {
  await browser.close();
}
