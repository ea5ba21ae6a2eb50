/**
 * Builds the site of the docs into site/: the reference from the docstrings, README and all of docs/, with search, dark and
 * light. It works from any static host and from disk.
 *
 * TypeDoc and the TypeScript that it wants are installed in this folder at the first run: they are no part of the project's.
 *
 * Usage: npm run docs, then open site/index.html; node scripts/docs/look.js looks at it in a browser
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const typedoc = join(here, 'node_modules/typedoc/bin/typedoc');
if (!existsSync(typedoc))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' });
try {
  execFileSync(process.execPath, [typedoc, '--options', join(here, 'typedoc.json')], { stdio: 'inherit' });
} catch {
  process.exitCode = 1; // TypeDoc has said why
}
