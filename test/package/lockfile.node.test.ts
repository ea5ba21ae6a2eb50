/** What ships depends on little, and what builds it is pinned. */
import { execSync } from 'node:child_process';
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

test('the bill of materials has what ships and nothing else, under licences that anybody can use', () => {
  const sbom = JSON.parse(execSync('npm run --silent sbom', { cwd: root, encoding: 'utf8' }));
  const { dependencies } = json('package.json') as { dependencies: Record<string, string> };
  interface Component {
    name: string;
    version: string;
    licenses: { license: { id: string } }[];
    hashes: { alg: string }[];
  }
  const found = sbom.components.map(({ name, version, licenses, hashes }: Component) => [
    `${name} ${version}`,
    licenses.map(({ license }) => license.id),
    hashes.map(({ alg }) => alg),
  ]);
  expect(found.sort()).toEqual(
    Object.entries(dependencies).map(([name, version]) => [`${name} ${version}`, ['MIT'], ['SHA-512']]),
  );
});

test('the document of dependencies has each of them, and none that is not there', () => {
  const { dependencies, devDependencies, peerDependencies } = json('package.json') as Record<
    string,
    Record<string, string>
  >;
  const text = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const [shipped, tools] = text
    .split('## For development')
    .map((part) => [...part.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name));
  expect(shipped).toEqual([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
  expect(tools).toEqual(Object.keys(devDependencies));
});

test('no package runs a script when what ships is installed', () => {
  const { packages } = json('package-lock.json') as {
    packages: Record<string, { dev?: boolean; peer?: boolean; hasInstallScript?: boolean }>;
  };
  const { dependencies } = json('package.json') as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies))
    expect(packages[`node_modules/${name}`].hasInstallScript, name).toBeUndefined();
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
