/**
 * Looks at the site of the docs from disk, in a headless Chromium at three widths, dark and light: pages fit their width, the
 * search finds, links lead somewhere, and nothing is asked of the network. Writes pictures of what it saw.
 *
 * Usage: npm run docs && node scripts/docs/look.js [FOLDER]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { chromiumLaunchOptions } from '../support/chromium.js';

const site = fileURLToPath(new URL('../../site/', import.meta.url));
const folder = resolve(process.argv[2] ?? 'site-pictures');
const at = (page) => pathToFileURL(join(site, page)).href;
const pages = {
  start: 'index.html',
  reference: 'variables/index.layers.dense.html',
  guide: 'documents/docs_from-keras.html',
  error: 'documents/docs_errors_SHAPE.html',
};
const widths = { phone: 360, tablet: 768, desk: 1440 };

const faults = [];
const browser = await chromium.launch(chromiumLaunchOptions());
mkdirSync(folder, { recursive: true });
try {
  for (const colorScheme of ['light', 'dark'])
    for (const [size, width] of Object.entries(widths)) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      page.on('pageerror', (error) => faults.push(`${size}: ${error.message}`));
      page.on('request', (request) => {
        if (!/^(file|data|blob):/.test(request.url())) faults.push(`${size}: asks for ${request.url()}`);
      });
      for (const [name, file] of Object.entries(pages)) {
        await page.goto(at(file));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) faults.push(`${name} at ${width}: ${wide} pixels too wide`);
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
        if (size !== 'desk' || colorScheme !== 'light') continue;
        const links = await page.evaluate(() =>
          [...document.querySelectorAll('a[href]')].map(({ href }) => href.replace(/[?#].*/, '')),
        );
        for (const link of new Set(links))
          if (link.startsWith('file:') && !existsSync(fileURLToPath(link)))
            faults.push(`${name}: ${link} is not there`);
      }
      await page.keyboard.press('/');
      await page.locator('#tsd-search-input').fill('matmul');
      await page.locator('#tsd-search-results li').first().waitFor();
      await page.screenshot({ path: join(folder, `search-${size}-${colorScheme}.png`) });
      await page.close();
    }
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
console.log(faults.length ? `${faults.length} faults` : `all well; pictures in ${folder}`);
process.exitCode = faults.length ? 1 : 0;
