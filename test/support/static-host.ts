/** Serves files to a page under a made-up https address: a secure context without any server. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.map': 'application/json',
};

/** Text in `files` by its path, everything else from `folder` on disk; 404 for what is in neither. */
export async function host(
  where: Page | BrowserContext,
  origin: string,
  { files = {}, folder = root }: { files?: Readonly<Record<string, string>>; folder?: string } = {},
): Promise<void> {
  await where.route(`${origin}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    const path = pathname.endsWith('/') && !(pathname in files) ? `${pathname}index.html` : pathname;
    const body = files[path] ?? (await readFile(join(folder, path)).catch(() => null));
    const contentType = types[extname(path) || '.html'] ?? 'application/octet-stream';
    return body === null ? route.fulfill({ status: 404, body: path }) : route.fulfill({ contentType, body });
  });
}
