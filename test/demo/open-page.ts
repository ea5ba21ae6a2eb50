/** A built demo in a real browser, from disk or from a host, and everything it asks for or complains about. */
import { existsSync, readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright';

const HOST = 'https://weft.test/';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface OpenOptions {
  /** 'file': from disk; 'host': from a web server. */
  readonly from?: 'file' | 'host';
  /** With its #. */
  readonly hash?: string;
  /** Runs in the page before its own code. */
  readonly before?: (() => void) | null;
  /** A page of the same browser profile sees the same kept files. */
  readonly context?: BrowserContext;
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors of the console, of scripts, and of the content security policy. */
  readonly complaints: readonly string[];
  /** Addresses that were asked for, the page's own files aside. */
  readonly requests: readonly string[];
}

/** Opens `dist/demo/NAME/index.html`. */
export async function openPage(
  browser: Browser,
  name: string,
  { from = 'host', hash = '', before = null, context }: OpenOptions = {},
): Promise<OpenedPage> {
  const folder = resolve('dist/demo');
  if (!existsSync(`${folder}/${name}/index.html`))
    throw new Error(`openPage: dist/demo/${name} is missing; run npm run build first.`);
  const page = await (context ?? (await browser.newContext())).newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const own = from === 'file' ? pathToFileURL(`${folder}/${name}/`).href : `${HOST}${name}/`;
  page.on('request', (request) => {
    if (!request.url().startsWith(own) && !request.url().startsWith('blob:')) requests.push(request.url());
  });
  if (from === 'host')
    await page.route(`${HOST}**`, (route) => {
      const path = `${folder}${new URL(route.request().url()).pathname}`;
      return existsSync(path)
        ? route.fulfill({ body: readFileSync(path), contentType: TYPES[extname(path)] })
        : route.fulfill({ status: 404 });
    });
  if (before) await page.addInitScript(before);
  await page.goto(`${own}index.html${hash}`);
  return { page, complaints, requests };
}
