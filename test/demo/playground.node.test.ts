/** The playground as a visitor has it: the built page in a real browser, found by roles and names. */
import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Engine } from 'weft-gpu';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { type OpenedPage, type OpenOptions, openPage } from './open-page.ts';
import { idxFiles } from './pictures.ts';

/** A network that two cores train in a second. */
const SMALL = '#net=16-relu&batch=32&rate=0.003&seed=1';

/** What the worker offers to the curious. */
declare const playground: { readonly engine: Engine; readonly trainer: { readonly isTraining: boolean } };

let browser: Browser;
let opened: OpenedPage | undefined;
/** One page for the tests that leave it whole: to get ready takes seconds. */
let shared: OpenedPage | undefined;

beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
});
afterAll(() => browser?.close());
afterEach(async () => {
  if (opened !== shared) await opened?.page.context().close();
  opened = undefined;
});

/** The page, once its network is ready. */
async function open(options: OpenOptions = {}): Promise<Page> {
  opened = await openPage(browser, 'playground', { hash: SMALL, ...options });
  await isReady(opened.page);
  return opened.page;
}

/** The shared page, at step 0. */
async function openShared(): Promise<Page> {
  if (!shared) {
    const page = await open();
    shared = opened;
    return page;
  }
  opened = shared;
  const { page } = shared;
  await press(page, 'Reset');
  await until(page, 'Steps', (step) => step === 0);
  await isReady(page);
  return page;
}

const isReady = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Train' }).and(page.locator(':enabled')).waitFor();

/** The number behind one of the page's outputs; NaN where there is none. */
const number = (page: Page, name: string): Promise<number> =>
  page
    .getByRole('status', { name, exact: true })
    .evaluate((output) => Number((output as HTMLElement).dataset.value ?? 'NaN'));

/** Waits until a number is as it should be; gives it. */
async function until(page: Page, name: string, isDone: (value: number) => boolean): Promise<number> {
  let value = Number.NaN;
  const done = async (): Promise<boolean> => {
    value = await number(page, name);
    return isDone(value);
  };
  await expect.poll(done, { timeout: 30_000, interval: 30 }).toBe(true);
  return value;
}

const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();

/** Trains for at least so many steps and pauses; gives the number of steps. */
async function trainTo(page: Page, steps: number): Promise<number> {
  await press(page, 'Train');
  await until(page, 'Steps', (step) => step >= steps);
  return pause(page);
}

async function pause(page: Page): Promise<number> {
  await press(page, 'Pause');
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await until(page, 'Steps per second', (speed) => !(speed > 0));
  return number(page, 'Steps');
}

const alert = (page: Page) => page.getByRole('alert');

test('from disk, the page trains: accuracy rises, nothing is asked of the network, no rule is broken', async () => {
  const page = await open({ from: 'file' });
  expect(await number(page, 'Dispatches per step')).toBeLessThanOrEqual(10);
  await trainTo(page, 300);
  await until(page, 'Validation accuracy', (accuracy) => accuracy > 0.55);
  expect(await number(page, 'Accuracy')).toBeGreaterThan(0.55);
  expect(opened!.requests).toEqual([]);
  expect(opened!.complaints).toEqual([]);
});

test('training pauses, goes on where it stood, and starts over', async () => {
  const page = await openShared();
  const paused = await trainTo(page, 50);
  await press(page, 'Step');
  await until(page, 'Steps', (step) => step === paused + 1);
  await press(page, 'Train');
  await until(page, 'Steps', (step) => step > paused + 1);
  await until(page, 'Steps per second', (speed) => speed > 0);
  await press(page, 'Reset');
  await until(page, 'Steps', (step) => step === 0);
  await until(page, 'Validation accuracy', (accuracy) => accuracy < 0.35);
  expect(await page.getByRole('button', { name: 'Train' }).count()).toBe(1);
});

test('the learning rate changes while training goes on, in the address too', async () => {
  const page = await openShared();
  await press(page, 'Train');
  const before = await until(page, 'Steps', (step) => step > 20);
  const field = page.getByRole('spinbutton', { name: 'Learning rate' });
  await field.fill('0.0005');
  await field.press('Enter');
  await expect.poll(() => page.evaluate(() => location.hash)).toContain('rate=0.0005');
  await until(page, 'Steps', (step) => step > before + 20);
  expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(1);
  await field.fill('0.003');
  await field.press('Enter');
});

test('what is drawn is judged, and judged anew as the network learns', async () => {
  const page = await openShared();
  const probabilities = () =>
    page.getByRole('meter').evaluateAll((all) => all.map((one) => Number(one.getAttribute('aria-valuenow'))));
  const names = await page.getByRole('meter').evaluateAll((all) => all.map((one) => one.ariaLabel));
  expect(names).toEqual(expect.arrayContaining(['T-shirt/top', 'Trouser', 'Ankle boot']));

  const box = (await page.getByRole('img', { name: 'Drawing' }).boundingBox())!;
  const to = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
  for (const x of [0.35, 0.4, 0.6, 0.65]) {
    await page.mouse.move(...to(x, 0.1));
    await page.mouse.down();
    await page.mouse.move(...to(x, 0.9), { steps: 5 });
    await page.mouse.up();
  }
  const total = async () => (await probabilities()).reduce((sum, one) => sum + one, 0);
  await expect.poll(total).toBeCloseTo(1, 1);
  const untrained = await probabilities();
  await trainTo(page, 300);
  const trained = await probabilities();
  expect(trained).not.toEqual(untrained);

  await page.getByRole('button', { name: 'Try a picture: Trouser' }).click();
  const trouser = page.getByRole('meter', { name: 'Trouser' });
  await expect.poll(async () => Number(await trouser.getAttribute('aria-valuenow'))).toBeGreaterThan(0.5);

  await press(page, 'Clear drawing');
  await expect.poll(total).toBe(0);
});

test('F51 dropped files become the data, and their names stay text', async () => {
  const page = await open();
  const [images, labels] = idxFiles(200);
  const evil = '<img src=x onerror=alert(1)>.gz';
  await drop(page, [{ ...images, name: evil }, labels]);
  await page.getByText('180 pictures to learn from').waitFor();
  expect(await page.getByText(evil).count()).toBeGreaterThan(0);
  expect(await page.getByRole('combobox', { name: 'Data' }).inputValue()).toBe('file');
  expect(await page.locator('img').count()).toBe(0);
  await trainTo(page, 20);

  await drop(page, [{ name: '<b>no</b>.idx', bytes: new TextEncoder().encode('<html>') }]);
  await alert(page).waitFor();
  expect(await alert(page).textContent()).toContain('<b>no</b>.idx');
  expect(await page.locator('b').filter({ hasText: 'no' }).count()).toBe(0);
  await press(page, 'Dismiss');
  expect(await alert(page).count()).toBe(0);
  await trainTo(page, 25);
  expect(opened!.complaints).toEqual([]);

  await page.reload();
  await isReady(page);
  await page.getByText('180 pictures to learn from').waitFor();
  expect(await page.getByText(evil).count()).toBeGreaterThan(0);
});

test('a data set is fetched from the address that a visitor asks for, and nothing from elsewhere', async () => {
  const page = await open({ hash: `${SMALL}&data=mnist` });
  const field = page.getByRole('textbox', { name: 'Data address' });
  await expect.poll(() => field.inputValue()).toMatch(/^https:.*mnist/);
  expect(opened!.requests).toEqual([]);

  const [images, labels] = idxFiles(60);
  await page.route('https://data.test/**', (route) => {
    const isLabels = route.request().url().includes('labels');
    const headers = { 'access-control-allow-origin': '*' };
    return route.fulfill({ body: Buffer.from(isLabels ? labels.bytes : images.bytes), headers });
  });
  await field.fill('https://data.test/mine');
  await press(page, 'Fetch');
  await page.getByText('54 pictures to learn from').waitFor();
  expect(opened!.requests).toHaveLength(2);
  await field.fill('https://data.test/mine/nothing.txt');
  await page.unroute('https://data.test/**');
  await page.route('https://data.test/**', (route) => route.abort());
  await press(page, 'Fetch');
  await alert(page).waitFor();
  expect(await alert(page).textContent()).toMatch(/did not arrive.*data\.test/);
});

test('a model is saved, and judges as before when it is opened again', async () => {
  const page = await openShared();
  await trainTo(page, 100);
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save model')]);
  expect(download.suggestedFilename()).toBe('weft-playground.keras');
  const bytes = await readFile(await download.path());
  // Saving waits for what was still to be told of the pause.
  const accuracy = await number(page, 'Validation accuracy');
  await press(page, 'Reset');
  await until(page, 'Validation accuracy', (value) => value < accuracy);
  const file = { name: 'mine.keras', mimeType: 'application/zip', buffer: bytes };
  await page.getByLabel('Open model file').setInputFiles(file);
  await until(page, 'Validation accuracy', (value) => value === accuracy);
});

test('an address opens the experiment that it describes, and nonsense in it is told', async () => {
  const hash =
    '#net=12-tanh,8-gelu&optimizer=momentum&rate=0.02&batch=50&seed=77&validation=0.2&data=nothing';
  const page = await open({ hash });
  expect(await page.getByRole('spinbutton', { name: 'Units of layer 2' }).inputValue()).toBe('8');
  expect(await page.getByRole('combobox', { name: 'Activation of layer 1' }).inputValue()).toBe('tanh');
  expect(await page.getByRole('combobox', { name: 'Optimizer' }).inputValue()).toBe('momentum');
  expect(await page.getByRole('spinbutton', { name: 'Seed' }).inputValue()).toBe('77');
  expect(await number(page, 'Parameters')).toBe(784 * 12 + 12 + 12 * 8 + 8 + 8 * 10 + 10);
  expect(await page.getByRole('note', { name: 'Notice' }).textContent()).toContain('"nothing" is not known');
  expect(await page.evaluate(() => location.hash)).toContain('seed=77');
});

test('frames keep coming while the network trains', async () => {
  const page = await openShared();
  // On a GPU both are 60. Here two cores draw the page, compute what a GPU would, and may be busy otherwise.
  const share = async (): Promise<number> => {
    const resting = await framesPerSecond(page);
    await press(page, 'Train');
    const before = await until(page, 'Steps', (step) => step > 0);
    const training = await framesPerSecond(page);
    expect(await pause(page)).toBeGreaterThan(before);
    return training / resting;
  };
  await expect.poll(share, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0.5);
});

test('a page that is never drawn trains on', async () => {
  const page = await open({
    before: () => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
      Object.defineProperty(document, 'hidden', { value: true });
      globalThis.requestAnimationFrame = () => 0;
    },
  });
  await press(page, 'Train');
  const [worker] = page.workers();
  const steps = () => worker.evaluate(() => playground.engine.stats().dispatches);
  const before = await steps();
  await expect.poll(steps, { timeout: 10_000 }).toBeGreaterThan(before + 500);
});

test('when the graphics process dies it is told, and a restart trains again with the same settings', async () => {
  const other = await chromium.launch(chromiumLaunchOptions());
  try {
    const { page } = await openPage(other, 'playground', { hash: SMALL });
    await isReady(page);
    await press(page, 'Train');
    await until(page, 'Steps', (step) => step > 20);
    const control = await other.newBrowserCDPSession();
    // The answer comes from the process that is no more.
    control.send('Browser.crashGpuProcess').catch(() => {});
    await alert(page).waitFor();
    expect(await alert(page).textContent()).toMatch(/graphics device was lost.*settings are kept/);
    expect(await alert(page).textContent()).not.toMatch(/init\(\)/);
    await press(page, 'Restart');
    await isReady(page);
    expect(await number(page, 'Steps')).toBe(0);
    expect(await number(page, 'Parameters')).toBe(784 * 16 + 16 + 170);
    await trainTo(page, 30);
    expect(await alert(page).count()).toBe(0);
  } finally {
    await other.close();
  }
});

test('a worker that dies is told, and a restart trains again', async () => {
  const page = await open();
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error('a bug in the worker');
    });
  });
  await alert(page).waitFor();
  expect(await alert(page).textContent()).toContain('a bug in the worker');
  await press(page, 'Restart');
  await isReady(page);
  await trainTo(page, 20);
});

test('a network without room in memory is told, and the page goes on', async () => {
  const page = await openShared();
  await page.workers()[0].evaluate(() => {
    const { device } = playground.engine;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (options) => {
      if (options.size > 8 << 20) throw new RangeError('no memory');
      return create(options);
    };
  });
  const units = page.getByRole('spinbutton', { name: 'Units of layer 1' });
  await units.fill('4096');
  await units.press('Enter');
  await alert(page).waitFor();
  expect(await alert(page).textContent()).toMatch(/memory is full/);
  await units.fill('20');
  await units.press('Enter');
  await until(page, 'Parameters', (parameters) => parameters === 784 * 20 + 20 + 210);
  await trainTo(page, 20);
});

test('a browser without WebGPU is told what it lacks', async () => {
  opened = await openPage(browser, 'playground', {
    before: () => {
      Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
    },
  });
  await alert(opened.page).waitFor();
  expect(await alert(opened.page).textContent()).toMatch(/no WebGPU.*Chrome or Edge/);
  expect(await opened.page.getByRole('button', { name: 'Train' }).isEnabled()).toBe(false);
});

test('a browser without a graphics driver is told where to look', async () => {
  const options = chromiumLaunchOptions();
  const args = ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer'];
  const other = await chromium.launch({ ...options, args });
  try {
    const { page } = await openPage(other, 'playground');
    await alert(page).waitFor();
    expect(await alert(page).textContent()).toMatch(/No graphics processor.*hardware acceleration/);
  } finally {
    await other.close();
  }
});

const framesPerSecond = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let frames = 0;
        const began = performance.now();
        const frame = (now: number): void => {
          frames++;
          if (now - began < 1000) requestAnimationFrame(frame);
          else resolve((1000 * frames) / (now - began));
        };
        requestAnimationFrame(frame);
      }),
  );

/** Drops files on the page, as a mouse would. */
async function drop(page: Page, files: readonly { name: string; bytes: Uint8Array }[]): Promise<void> {
  const plain = files.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes).toString('base64') }));
  const transfer = await page.evaluateHandle((list) => {
    const made = new DataTransfer();
    for (const { name, bytes } of list)
      made.items.add(new File([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))], name));
    return made;
  }, plain);
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
}
