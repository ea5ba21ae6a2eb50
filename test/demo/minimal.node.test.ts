/** The page of the README, as it stands there and in demo/minimal: served by any static host, it trains. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';
import { host, root } from '../support/static-host.ts';

const ORIGIN = 'https://weft.test';
let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunchOptions());
}, 60_000);
afterAll(() => browser?.close());

/** What the page says when it is done, and every complaint of the browser. */
async function open(html: string, prepare = ''): Promise<{ log: string; complaints: string[] }> {
  const tab = await browser.newPage();
  const complaints: string[] = [];
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await host(tab, ORIGIN, { files: { '/demo/minimal/': html, '/favicon.ico': '' } });
  await tab.addInitScript(prepare);
  await tab.goto(`${ORIGIN}/demo/minimal/`);
  await tab.waitForFunction(`/Trained|WebGPU/.test(document.querySelector('#log').textContent)`, undefined, {
    timeout: 60_000,
  });
  const log = (await tab.textContent('#log')) as string;
  await tab.close();
  return { log, complaints };
}

const page = await readFile(join(root, 'demo/minimal/index.html'), 'utf8');

test('the README shows the page of demo/minimal, in about forty lines', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  expect(readme.match(/```html\n([\s\S]*?)```/)?.[1]).toBe(page);
  expect(page.trimEnd().split('\n').length).toBeLessThan(45);
});

test('it trains: the loss falls from epoch to epoch and most garments are told apart', async () => {
  const { log, complaints } = await open(page);
  expect(complaints).toEqual([]);
  const losses = [...log.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(5);
  for (let i = 1; i < 5; i++) expect(losses[i]).toBeLessThan(losses[i - 1]);
  expect(Number(log.match(/.*right ([\d.]+) %/s)![1])).toBeGreaterThan(65);
  expect(log).toContain('Trained in this page.');
}, 120_000);

test('without WebGPU it says so, in words that help', async () => {
  const { log } = await open(
    page,
    `Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });`,
  );
  expect(log).toMatch(/WebGPU/);
  expect(log.length).toBeGreaterThan(40);
}, 60_000);
