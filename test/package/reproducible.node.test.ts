/** The package does not tell where it was built: two builds of one state, in two folders, are the same bytes. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../support/static-host.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Copies what the build reads into a folder with a name of this length, builds there, and gives a hash by file. */
function buildIn(name: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), name));
  folders.push(folder);
  for (const part of ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.types.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const built = spawnSync(process.execPath, ['scripts/build.js'], { cwd: folder, encoding: 'utf8' });
  expect(built.status, built.stderr + built.stdout).toBe(0);
  const files = readdirSync(join(folder, 'dist'), { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name))
      .map((path) => {
        const bytes = readFileSync(path);
        expect(bytes.includes(folder), `${path} tells where it was built`).toBe(false);
        return [path.slice(folder.length), createHash('sha256').update(bytes).digest('hex')] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

test('F54: two builds of one state, in folders of other names, are the same files with the same bytes', () => {
  const one = buildIn('weft-a-');
  expect(Object.keys(one).length).toBeGreaterThan(300);
  expect(Object.keys(one).filter((path) => path.endsWith('.d.ts')).length).toBeGreaterThan(100);
  expect(buildIn('weft-another-place-')).toEqual(one);
}, 120_000);
