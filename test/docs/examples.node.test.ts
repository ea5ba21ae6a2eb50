/**
 * Every example of the docstrings and of the pages runs, and what it says in comments is what comes. The README's own
 * are run from the built package by scripts/readme.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as errors from '../../src/base/errors.ts';
import { specialize } from '../../src/engine/shader.ts';
import * as weft from '../../src/index.ts';
import { kernelText } from '../../src/shaders/index.ts';
import recorded from '../data/fixtures/directories.json' with { type: 'json' };
import { takeGpuErrors } from '../support/gpu-errors.ts';
import {
  docstringExamples,
  type Example,
  pageExamples,
  root,
  runExample,
  runProgram,
  watched,
} from './read-examples.ts';
import { settings } from './settings.ts';

const garments = () => weft.datasets.garments({ train: 60, test: 20 });
const sequences = {
  sequences: [
    [1, 5, 2],
    [1, 3],
  ],
  labels: Int32Array.of(0, 1),
  count: 2,
};

/** In the place of what is downloaded or lasts minutes: the same of small size. */
const scope = {
  readFile,
  writeFile,
  specialize,
  elementwise: kernelText('elementwise'),
  console: { ...console, log: () => {}, table: () => {} },
  datasets: {
    ...weft.datasets,
    fashionMnist: async () => garments(),
    mnist: async () => garments(),
    cifar10: async () => ({ train: { images: new Uint8Array(2 * 3072), count: 2 }, test: {} }),
    imdb: async () => ({ train: sequences, test: sequences }),
    reuters: async () => ({ train: sequences, test: sequences }),
  },
  selfTest: () => weft.selfTest({ ops: ['exp'] }),
  speedTest: async () => [],
  async picturesIn(folder: string) {
    const [, png] = Object.entries(recorded.images.files).find(([name]) => name.endsWith('.png'))!;
    for (const name of ['cat/1.png', 'cat/2.png', 'dog/1.png', 'dog/2.png', 'dog/3.png']) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), Buffer.from(png, 'base64'));
    }
  },
  async textsIn(folder: string) {
    for (const [name, text] of Object.entries({ 'bad/1.txt': 'a bad film', 'good/1.txt': 'a good film' })) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  },
};

const here = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-examples-'));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(here);
  await rm(folder, { recursive: true });
});

const titled = (examples: Example[]) =>
  examples.map((each): [string, Example] => [`${each.file} ${each.name}`, each]);
const isCode = ({ language, word }: Example) => ['ts', 'js'].includes(language) && !word;
const inDocstrings = titled(docstringExamples());
const onPages = titled(pageExamples().filter(({ file }) => file !== 'README.md'));

async function runs(title: string, { code }: Example): Promise<void> {
  const { before = '', after = '' } = settings[title] ?? {};
  await runExample(`${code}\n${after}`, before, scope);
}

describe('an example of a docstring runs as it stands', () => {
  test.each(inDocstrings)('%s', runs);
});

describe('an example on a page runs as it stands', () => {
  test.each(onPages.filter(([, example]) => isCode(example)))('%s', runs);
});

/** `…` in a page stands for what differs from machine to machine. */
const asPattern = (text: string) =>
  new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^]*')}$`);

describe('the program on the page of an error code ends in that error, with that message', () => {
  const pages = new Map<string, Example[]>();
  for (const each of pageExamples().filter(({ file }) => file.startsWith('docs/errors/')))
    pages.set(each.file, [...(pages.get(each.file) ?? []), each]);
  const classes = Object.entries(errors).filter(([name]) => name !== 'WeftError');

  test('every code has a page', () => {
    const named = classes.map(([, type]) => new (type as new (message: string) => weft.WeftError)('').code);
    expect([...pages.keys()].sort()).toEqual(named.map((code) => `docs/errors/${code}.md`).sort());
  });

  test.each([...pages])('%s', async (file, [program, message]) => {
    const code = file.slice('docs/errors/'.length, -'.md'.length);
    // As in a program of its own: the first engine that it opens is the default one.
    const opens = program.code.includes('init(');
    if (opens) await (await weft.defaultEngine()).close();
    const error = await runProgram(program.code, { ...scope, datasets: weft.datasets }).then(
      () => expect.fail('nothing was thrown'),
      (reason) => reason,
    );
    takeGpuErrors();
    if (opens) {
      await weft.defaultEngine().then(
        (engine) => engine.close(),
        () => {},
      );
      await weft.init({ seed: 1 });
    }
    expect(`${error.code}\n${error.message}`).toMatch(asPattern(`${code}\n${message.code}`));
    expect(program.word).toBe('throws');
    const said = readFileSync(join(root, file), 'utf8');
    expect(said).toContain(`# ${code}: ${error.name}\n`);
    const { 1: meaning } = new RegExp(`^\\| ${code} \\| ${error.name} \\| (.*) \\|$`, 'm').exec(
      readFileSync(join(root, 'docs/errors.md'), 'utf8'),
    )!;
    expect(said).toContain(`\n${meaning}\n`);
  });
});

test('what examples promise in comments is compared', async () => {
  const promises = inDocstrings.flatMap(
    ([, { code }]) => watched(code).match(/^await see\(.*, ".*"\);$/gm) ?? [],
  );
  expect(promises.length).toBeGreaterThan(35);
  expect(await runExample('roll([1, 2, 3], 1)   // [3, 1, 2]', '', {})).toBe(1);
  await expect(runExample('roll([1, 2, 3], 1)   // [2, 3, 1]', '', {})).rejects.toThrow('the comment says');
});

test('a docstring shows code in ts alone', () => {
  expect(inDocstrings.filter(([, example]) => !isCode(example)).map(([title]) => title)).toEqual([]);
});

test('no setting is left of an example that is gone', () => {
  const titles = new Set([...inDocstrings, ...onPages].map(([title]) => title));
  expect(Object.keys(settings).filter((title) => !titles.has(title))).toEqual([]);
});

test('commands on pages name scripts that are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const missing = pageExamples()
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => [...code.matchAll(/npm run ([\w:]+)|node (\S+\.js)/g)])
    .filter(([, script, path]) => {
      if (script) return !(script in scripts);
      try {
        readFileSync(join(root, path));
        return false;
      } catch {
        return true;
      }
    });
  expect(missing.map(([command]) => command)).toEqual([]);
});
