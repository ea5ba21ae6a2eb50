/** The playground for everybody: every width, no mouse, no colours, a screen reader. */
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { openPage } from './open-page.ts';

/** As many layers as there can be: the widest strip. */
const DEEP = '#net=64-relu,16-relu,16-relu,16-relu,16-relu,16-relu&batch=32&seed=1';

let browser: Browser;
let page: Page;
/** One page for the tests that leave it as they found it: to get ready takes seconds. */
let shared: Page | undefined;

beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
});
afterAll(() => browser?.close());
afterEach(async () => {
  if (page !== shared) await page.context().close();
});

async function open(hash = '#net=16-relu&batch=32&seed=1'): Promise<void> {
  ({ page } = await openPage(browser, 'playground', { hash }));
  await page.locator('#train:enabled').waitFor();
}

/** The shared page, paused and as wide as at first. */
async function openShared(): Promise<void> {
  if (!shared) {
    await open();
    shared = page;
  }
  page = shared;
  await page.setViewportSize({ width: 1280, height: 720 });
  const pause = page.getByRole('button', { name: 'Pause' });
  if (await pause.count()) await pause.click();
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
  });
}

test('at 320, 360, 768, 1279, 1280 and 1600 pixels nothing is wider than the window', async () => {
  await open(DEEP);
  for (const width of [320, 360, 768, 1279, 1280, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    // What follows the size is drawn with the next frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    const found = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth - innerWidth,
      cards: [...document.querySelectorAll('.card')]
        .filter((card) => card.scrollWidth > card.clientWidth)
        .map((card) => card.className),
    }));
    expect(found, `${width} pixels`).toEqual({ page: 0, cards: [] });
  }
});

test('whatever takes the focus has a name, and no id is there twice', async () => {
  await openShared();
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const nameless = nodes.filter(
    ({ ignored, role, name, properties }) =>
      !ignored &&
      role?.value !== 'RootWebArea' &&
      properties?.some((one) => one.name === 'focusable' && one.value.value) &&
      !name?.value,
  );
  expect(nameless.map(({ role }) => role?.value)).toEqual([]);
  const twice = await page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    return ids.filter((id, i) => ids.indexOf(id) !== i);
  });
  expect(twice).toEqual([]);
});

test('every control can be reached with Tab and is large enough to be hit', async () => {
  await openShared();
  await page.setViewportSize({ width: 360, height: 800 });
  const wanted = await page.evaluate(() => {
    const all = document.querySelectorAll<HTMLElement>(
      'a, button, input, select, summary, canvas[tabindex], td[tabindex="0"]',
    );
    const shown = [...all].filter((one) => one.checkVisibility() && !(one as HTMLButtonElement).disabled);
    return shown.length;
  });
  const reached = new Set<string>();
  const small: string[] = [];
  for (let i = 0; i < wanted + 5; i++) {
    await page.keyboard.press('Tab');
    const [key, target] = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement;
      const list = [...document.querySelectorAll('*')];
      // A hidden file input is pressed through its label.
      const box = (one.closest('label') ?? one).getBoundingClientRect();
      const isWithin = one.matches('a, td, input[type=range]');
      const name = `${one.tagName} ${one.id || one.ariaLabel || one.textContent?.slice(0, 20)}`;
      return [`${list.indexOf(one)}`, !isWithin && Math.min(box.width, box.height) < 24 ? name : ''] as const;
    });
    reached.add(key);
    if (target) small.push(target);
  }
  expect(reached.size).toBeGreaterThanOrEqual(wanted);
  expect([...new Set(small)]).toEqual([]);
});

test('without a mouse: train, draw, read a curve, the weights and the confusion', async () => {
  await openShared();
  await page.keyboard.press('t');
  await page.waitForFunction(() => document.querySelector('[aria-label="Steps"]')!.textContent! !== '0');
  await page.keyboard.press('t');
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();

  const pad = page.getByRole('img', { name: 'Drawing' });
  await pad.focus();
  await page.keyboard.press('Delete');
  await expect.poll(() => bars()).toBe(0);
  for (let i = 0; i < 8; i++) await page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => bars()).toBeCloseTo(1, 1);

  await page.getByRole('img', { name: 'Loss curve' }).focus();
  await page.keyboard.press('ArrowLeft');
  expect(await page.locator('#loss-readout').textContent()).toMatch(/^Step \d+: training \d/);

  await page.getByRole('img', { name: 'Weights of each unit' }).focus();
  await expect.poll(() => page.locator('#weights .caption').textContent()).toBe('16 units');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => page.locator('#weights-readout').textContent()).toMatch(/^Unit 2: .+ to .+/);

  const cell = page.getByRole('table', { name: 'Confusion matrix' }).locator('[tabindex="0"]');
  await cell.focus();
  await page.keyboard.press('ArrowDown');
  await expect
    .poll(() => page.locator('#confusion .readout').textContent())
    .toMatch(/^Trouser taken for T-shirt\/top: \d+ of \d+/);
});

/** The sum of the ten bars. */
const bars = (): Promise<number> =>
  page
    .getByRole('meter')
    .evaluateAll((all) => all.reduce((sum, one) => sum + Number(one.getAttribute('aria-valuenow')), 0));

test('single keys rest where somebody types, and can be switched off', async () => {
  await openShared();
  const isTraining = () => page.getByRole('button', { name: 'Pause' }).count();
  await page.getByRole('spinbutton', { name: 'Seed' }).focus();
  await page.keyboard.press('t');
  await page.getByRole('checkbox', { name: 'Keyboard shortcuts' }).uncheck();
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  await page.keyboard.press('t');
  await page.waitForTimeout(300);
  expect(await isTraining()).toBe(0);
  await page.getByRole('checkbox', { name: 'Keyboard shortcuts' }).check();
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  await page.keyboard.press('t');
  await expect.poll(isTraining).toBe(1);
});

test('the theme follows the system until somebody chooses, and the choice is kept', async () => {
  await open();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  expect(dark).not.toBe(light);
  await page.getByRole('button', { name: 'Dark colours' }).click();
  expect(await ground()).toBe(dark);
  await page.reload();
  expect(await ground()).toBe(dark);
  await page.getByRole('button', { name: 'Light colours' }).click();
  expect(await ground()).toBe(light);
});

test('pictures, bars and counts keep their colours where readers have forced their own', async () => {
  const context = await browser.newContext({ forcedColors: 'active' });
  const hash = '#net=16-relu&batch=32&seed=1';
  ({ page } = await openPage(browser, 'playground', { hash, context }));
  await page.locator('#train:enabled').waitFor();
  await page.getByRole('button', { name: 'Step' }).click();
  await page.getByRole('button', { name: 'Try a picture: Trouser' }).click();
  const colours = (): Promise<Record<string, number>> =>
    page.evaluate(() => {
      const shades = (canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      };
      const grounds = (selector: string) =>
        new Set([...document.querySelectorAll(selector)].map((one) => getComputedStyle(one).backgroundColor))
          .size;
      return {
        drawing: shades(document.querySelector('#pad')!),
        data: shades(document.querySelector('#mosaic')!),
        confusion: grounds('.confusion tbody td'),
        bars: grounds('.track, .best .fill'),
      };
    });
  for (const name of ['drawing', 'data', 'confusion', 'bars'])
    await expect.poll(async () => (await colours())[name], { timeout: 10_000 }).toBeGreaterThan(1);
});

test('nothing moves about while the page gets ready and trains', async () => {
  ({ page } = await openPage(browser, 'playground', {
    hash: '#net=16-relu&batch=32&seed=1',
    before: () => {
      const shifts: number[] = [];
      Object.assign(globalThis, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
    },
  }));
  await page.locator('#train:enabled').waitFor();
  await page.keyboard.press('t');
  await page.waitForFunction(
    () => Number(document.querySelector<HTMLElement>('[aria-label="Steps"]')!.dataset.value) > 100,
  );
  const total = await page.evaluate(() =>
    (globalThis as unknown as { shifts: number[] }).shifts.reduce((sum, one) => sum + one, 0),
  );
  // "Good" by web.dev's measure is 0.1.
  expect(total).toBeLessThan(0.02);
});
