/** A project that has installed the package from its tarball, as `npm install weft-gpu` leaves it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'playwright';
// vite comes with vitest.
import { build as vite } from 'vite';
import { host, root } from './static-host.ts';

export interface Consumer {
  readonly folder: string;
  /** Paths of the tarball. */
  readonly files: readonly string[];
  remove(): void;
}

export function install(): Consumer {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-consumer-')));
  const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename, files }] = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8' }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'weft-gpu'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    join(folder, filename),
    '-C',
    join(modules, 'weft-gpu'),
    '--strip-components=1',
  ]);
  for (const name of ['fflate', 'papaparse'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  return {
    folder,
    files: files.map(({ path }: { path: string }) => path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A built application: its files by name, the first one to load, and what that loads before it runs. */
export interface Application {
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
  readonly atOnce: readonly string[];
}

export const bundlers = {
  async esbuild({ folder }: Consumer, code: string): Promise<Application> {
    const { outputFiles, metafile } = await esbuild({
      absWorkingDir: folder,
      stdin: { contents: code, resolveDir: folder },
      outdir: folder,
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      write: false,
      metafile: true,
      logLevel: 'error',
    });
    const { outputs } = metafile;
    const imports = (file: string) =>
      outputs[file].imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path);
    const entry = Object.keys(outputs).find((file) => outputs[file].entryPoint === '<stdin>')!;
    const files = outputFiles.map(({ path, text }) => [path.slice(folder.length + 1), text]);
    return { files: Object.fromEntries(files), entry, atOnce: closure(entry, imports) };
  },

  async vite({ folder }: Consumer, code: string): Promise<Application> {
    writeFileSync(join(folder, 'main.js'), code);
    const built = await vite({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: {
        write: false,
        modulePreload: false,
        target: 'es2022',
        rollupOptions: { input: join(folder, 'main.js') },
      },
    });
    const { output } = (Array.isArray(built) ? built[0] : built) as Extract<
      typeof built,
      { output: unknown }
    >;
    const chunks = output.flatMap((one) => (one.type === 'chunk' ? [one] : []));
    const imports = (file: string) => chunks.find(({ fileName }) => fileName === file)?.imports ?? [];
    const entry = chunks.find(({ isEntry }) => isEntry)!.fileName;
    const files = chunks.map(({ fileName, code }) => [fileName, code]);
    return { files: Object.fromEntries(files), entry, atOnce: closure(entry, imports) };
  },
};

function closure(entry: string, imports: (file: string) => readonly string[]): string[] {
  const seen = new Set([entry]);
  for (const file of seen) for (const next of imports(file)) seen.add(next);
  return [...seen];
}

/** Bytes as a host sends them. */
export const gzipped = ({ files }: Application, names: readonly string[] = Object.keys(files)): number =>
  names.reduce((sum, name) => sum + gzipSync(files[name]).length, 0);

export const ORIGIN = 'https://app.test';

/** Opens an application under a policy without inline code; what it promises as `globalThis.outcome`. */
export async function open<Outcome>(browser: Browser, { files, entry }: Application): Promise<Outcome> {
  const tab = await browser.newPage();
  const page = `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'">
    <script type="module" src="/${entry}"></script>`;
  const served = Object.entries(files).map(([name, text]) => [`/${name}`, text]);
  await host(tab, ORIGIN, { files: { '/': page, '/favicon.ico': '', ...Object.fromEntries(served) } });
  await tab.goto(ORIGIN);
  const outcome = await tab.evaluate(() => (globalThis as unknown as { outcome: Outcome }).outcome);
  await tab.close();
  return outcome as Outcome;
}
