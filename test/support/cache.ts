/** A cache folder for tests, so that they neither see nor change the user's own. A page has a fresh profile anyway. */
import { afterAll } from 'vitest';
import { builtin, nodeProcess } from '../../src/base/platform.ts';

/** For the tests of this file: a folder of their own, or null in a page. */
export function temporaryCache(): string | null {
  const fs = builtin<typeof import('node:fs')>('node:fs');
  const os = builtin<typeof import('node:os')>('node:os');
  if (!fs || !os || !nodeProcess) return null;
  const { env } = nodeProcess;
  const before = env.XDG_CACHE_HOME;
  const folder = fs.mkdtempSync(`${os.tmpdir()}/weft-cache-`);
  env.XDG_CACHE_HOME = folder;
  afterAll(() => {
    if (before === undefined) delete env.XDG_CACHE_HOME;
    else env.XDG_CACHE_HOME = before;
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
