/** The built explain page in a real browser: kernels, their WGSL, and the way there by address and keyboard. */
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { openPage } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
}, 60_000);
afterAll(() => browser?.close());

const detail = (page: Page) => page.getByRole('heading', { name: /^Kernel \d+: / });
const kernels = (page: Page) => page.locator('#list button');

test("an address of the playground's shows the kernels of that network, with times and WGSL", async () => {
  const { page, complaints, requests } = await openPage(browser, 'explain', {
    hash: '#data=garments&net=24-relu&optimizer=adam&rate=0.001&batch=16&seed=1&validation=0.1',
  });
  await detail(page).waitFor({ timeout: 60_000 });
  expect(await page.locator('#status').textContent()).toMatch(/Batch of 16 on .*swiftshader/i);
  const count = await kernels(page).count();
  expect(count).toBeGreaterThan(4);
  expect(count).toBeLessThan(14);
  expect(await page.locator('#sums').textContent()).toMatch(new RegExp(`Dispatches${count}Pipelines`));
  expect(await page.locator('#wgsl').textContent()).toMatch(/@compute/);

  await kernels(page).first().click();
  expect(await detail(page).textContent()).toMatch(/^Kernel 0: /);
  expect(await page.locator('#operands').textContent()).toMatch(/reads \[32, 28, 28\] u8/);
  const times = await kernels(page).locator('.time').allInnerTexts();
  for (const time of times) expect(time).toMatch(/[\d.]+ (µs|ms)/);
  expect(await page.locator('#arcs path').count()).toBeGreaterThan(2);
  expect(await page.locator('#playground-link').getAttribute('href')).toMatch(
    /playground\/index\.html#.*net=24-relu.*batch=16/,
  );
  expect(complaints).toEqual([]);
  expect(requests).toEqual([]);
  await page.context().close();
}, 120_000);

test('what melted where is shown, and the kernels that a kernel feeds stand out', async () => {
  const { page } = await openPage(browser, 'explain', { from: 'file', hash: '#net=24-relu&batch=16' });
  await detail(page).waitFor({ timeout: 60_000 });
  const product = kernels(page)
    .filter({ has: page.locator('.chip.own', { hasText: /^matmul$/ }) })
    .first();
  expect(await product.locator('.chip.store').allInnerTexts()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^relu/)]),
  );
  await product.click();
  expect(await product.getAttribute('aria-pressed')).toBe('true');
  expect(await page.locator('.kernel.is-user').count()).toBeGreaterThan(0);
  expect(await page.locator('#arcs path.is-near').count()).toBeGreaterThan(0);
  await page.context().close();
}, 120_000);

test('arrow keys walk through the kernels, and the form asks for another network', async () => {
  const { page } = await openPage(browser, 'explain', { hash: '#net=none&batch=8' });
  await detail(page).waitFor({ timeout: 60_000 });
  const before = await kernels(page).count();
  await kernels(page).first().focus();
  await page.keyboard.press('ArrowDown');
  expect(await detail(page).textContent()).toMatch(/^Kernel 1: /);
  await page.keyboard.press('End');
  expect(await detail(page).textContent()).toMatch(new RegExp(`^Kernel ${before - 1}: `));

  await page.getByLabel('Hidden layers').fill('16-tanh, 8-relu');
  await page.locator('#step').selectOption('predict');
  await page.getByLabel('Hidden layers').press('Enter');
  await page.getByRole('heading', { name: 'One prediction' }).waitFor();
  await expect.poll(() => page.locator('#status').textContent(), { timeout: 60_000 }).toMatch(/Batch of 8/);
  expect(page.url()).toMatch(/net=16-tanh,8-relu.*step=predict/);
  await page.context().close();
}, 120_000);

test('an address that makes no sense is quoted as text, and the usual network is explained', async () => {
  const { page, complaints } = await openPage(browser, 'explain', {
    hash: '#net=<img src=x onerror=alert(1)>&batch=0&step=dance',
  });
  await detail(page).waitFor({ timeout: 60_000 });
  const notice = page.getByRole('alert');
  expect(await notice.textContent()).toMatch(/<img.*batch.*"0".*step.*"dance"/s);
  expect(await notice.locator('img').count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
}, 120_000);

test('a browser without WebGPU is told what to do', async () => {
  const { page } = await openPage(browser, 'explain', {
    before: () => Object.defineProperty(navigator, 'gpu', { value: undefined }),
  });
  const notice = page.getByRole('alert');
  await notice.waitFor();
  expect(await notice.textContent()).toMatch(/browser|graphics/i);
  await page.context().close();
});
