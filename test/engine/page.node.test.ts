/** What a page says where WebGPU cannot be had. Needs a browser of its own: with other flags, on http. */
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../../scripts/support/chromium.js';

/** What `Engine.create()` gives or throws in a page at this address. */
async function createIn(address: string, flags: string[]): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['src/engine/engine.ts'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['webgpu'],
    write: false,
  });
  const script = `import { Engine } from './engine.js';
    globalThis.told = Engine.create().then((engine) => engine.profile.backendName, (error) => error.code + ' ' + error.message);`;
  const options = chromiumLaunchOptions();
  const browser = await chromium.launch({ ...options, args: ['--no-sandbox', ...flags] });
  try {
    const page = await browser.newPage();
    await page.route(`${address}**`, (route) =>
      route.request().url().endsWith('engine.js')
        ? route.fulfill({ contentType: 'text/javascript', body: outputFiles[0].text })
        : route.fulfill({ contentType: 'text/html', body: `<script type="module">${script}</script>` }),
    );
    await page.goto(address);
    await page.waitForFunction('globalThis.told');
    return await page.evaluate<string>('globalThis.told');
  } finally {
    await browser.close();
  }
}

test('a secure page with WebGPU has an engine', async () => {
  expect(await createIn('https://app.test/', ['--enable-unsafe-webgpu'])).not.toMatch(/UNSUPPORTED/);
});

test('a page without https is told so', async () => {
  const told = await createIn('http://app.test/', ['--enable-unsafe-webgpu']);
  expect(told).toMatch(/UNSUPPORTED init: navigator\.gpu is missing.*https/);
});

test('a page whose browser refuses the driver is told where to look', async () => {
  const told = await createIn('https://app.test/', ['--disable-gpu', '--disable-software-rasterizer']);
  expect(told).toMatch(/UNSUPPORTED init: requestAdapter gave null.*chrome:\/\/gpu/);
});
