/** The built self-test page in a real browser: all green there, and red where a driver is wrong. */
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registry } from 'weft-gpu';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { openPage } from './open-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
}, 60_000);
afterAll(() => browser?.close());

const verdict = (page: Page, pattern: RegExp) =>
  page.getByRole('heading', { name: pattern }).waitFor({ timeout: 240_000 });

test('every op is right on this browser, and the result can be copied', async () => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const { page, complaints, requests } = await openPage(browser, 'selftest', { context });
  await verdict(page, /^All right: (\d+) of \1 checks/);
  const rows = page.locator('#verdicts tr');
  const tested = [...registry.values()].filter(({ cases }) => cases.length > 0);
  expect(await rows.count()).toBe(tested.length);
  expect(await rows.getByText('✓ right').count()).toBe(tested.length);
  expect(await page.locator('#speeds tr').count()).toBeGreaterThan(5);
  expect(await page.locator('#adapter').textContent()).toMatch(/swiftshader/i);

  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy as JSON' }).click();
  await page.getByText('Copied').waitFor();
  const result = JSON.parse(await clipboard());
  expect(result).toMatchObject({ ok: true, test: { failed: 0 } });
  expect(result.test.ops).toHaveLength(tested.length);
  expect(result.speeds[0].gigaflops).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Copy as text' }).click();
  await expect.poll(clipboard).toMatch(/^## Weft self-test: All right/);
  expect(await clipboard()).toMatch(/\| matmul \| \d+ \| [\d.<% ]+ \|/);
  expect(complaints).toEqual([]);
  expect(requests).toEqual([]);
  await context.close();
}, 300_000);

test('a wrong driver is told from disk as well: which op, and by how much', async () => {
  const { page, complaints } = await openPage(browser, 'selftest', {
    from: 'file',
    hash: '#ops=exp,add',
    before: () => {
      const { createShaderModule } = GPUDevice.prototype;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        const code = descriptor.code.replace(/\bexp\(/g, 'exp(1.001 * ');
        return createShaderModule.call(this, { ...descriptor, code });
      };
    },
  });
  await verdict(page, /^Not right: \d+ of \d+ checks failed/);
  expect(await page.locator('tr.is-wrong').allInnerTexts()).toEqual([
    expect.stringMatching(/^exp\b.*✗ wrong/s),
  ]);
  expect(await page.getByRole('listitem').first().textContent()).toMatch(
    /^exp of .*: off by [\d.e-]+, allowed [\d.e-]+$/,
  );
  expect(complaints).toEqual([]);
  await page.context().close();
}, 120_000);

test('it stops and runs again by keyboard, and says so to a screen reader', async () => {
  const { page } = await openPage(browser, 'selftest');
  const button = page.locator('#run');
  await page.locator('#verdicts tr').nth(2).waitFor();
  expect(await button.textContent()).toBe('Stop');
  await button.focus();
  await page.keyboard.press('Enter');
  await verdict(page, /^Stopped$/);
  expect(await page.locator('#status[role=status]').textContent()).toBe('Stopped');
  expect(await page.getByRole('button', { name: 'Copy as text' }).isDisabled()).toBe(true);
  await page.keyboard.press('Enter');
  await page.locator('#verdicts tr').nth(2).waitFor();
  await page.keyboard.press('Enter');
  await verdict(page, /^Stopped$/);
  await page.context().close();
}, 120_000);

test('a browser without WebGPU is told what to do', async () => {
  const { page, complaints } = await openPage(browser, 'selftest', {
    before: () => Object.defineProperty(navigator, 'gpu', { value: undefined }),
  });
  await verdict(page, /could not run/);
  expect(await page.getByRole('alert').textContent()).toMatch(/browser|graphics/i);
  expect(await page.locator('#run').textContent()).toBe('Run again');
  expect(complaints).toEqual([]);
  await page.context().close();
});
