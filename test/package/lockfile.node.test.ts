/** What ships depends on little, and what builds it is pinned. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/static-host.ts';

const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('F53 every package of the lockfile has its checksum, and comes from nowhere but the registry', () => {
  const { packages } = json('package-lock.json') as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const others = Object.entries(packages).filter(([path]) => path !== '');
  expect(others.length).toBeGreaterThan(20);
  for (const [path, { resolved, integrity }] of others) {
    expect(integrity, path).toMatch(/^sha512-/);
    if (resolved !== undefined) expect(resolved, path).toMatch(/^https:\/\/registry\.npmjs\.org\//);
  }
});

test('F53 dependencies are two, pinned, and each has its reason in the documents', () => {
  const { dependencies, devDependencies } = json('package.json') as Record<string, Record<string, string>>;
  expect(Object.keys(dependencies).sort()).toEqual(['fflate', 'papaparse']);
  for (const version of Object.values({ ...dependencies, ...devDependencies }))
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const documents = ['README.md', 'docs/files.md', 'docs/data.md', 'docs/browser.md']
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  for (const name of Object.keys(dependencies)) expect(documents).toContain(`\`${name}\``);
});
