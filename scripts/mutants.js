// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are lines of sources.
/**
 * Deliberately broken engines, and the checks that must catch them. Each is one line of the sources changed in a
 * temporary copy, on which a named test has to fail, having passed on the sources as they are.
 *
 *   node scripts/mutants.js                 all of them
 *   node scripts/mutants.js relu variance   those whose names contain one of the words
 *   WEFT_ADAPTER=swiftshader …              on that adapter, as with every script
 *
 * Ends with 1 where one of them survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = 'test/fuzz/programs.test.ts';
const TRAININGS = 'test/fuzz/trainings.test.ts';
const trainings = [TRAININGS, 'random trainings'];

/** What is broken, where, what stands there, what stands there instead, and the check: a file and a test's name. */
export const mutants = [
  [
    'relu is the identity',
    'src/ops/unary.ts',
    `    f: 'select(x, 0.0, x < 0.0)',\n    integers: 'max(x, 0)'`,
    `    f: 'x',\n    integers: 'max(x, 0)'`,
    trainings,
  ],
  [
    'an operand of a gradient is transposed',
    'src/ops/matmul.ts',
    ': matmul(g, b, { transposeB: !transposeB }),',
    ': matmul(g, b, { transposeB: !!transposeB }),',
    [PROGRAMS, 'about training'],
  ],
  [
    'epsilon stands outside the root',
    'src/nn/optimizers/rmsprop.ts',
    'g.mul(rate).div(spread.sqrt())',
    'g.mul(rate).div(spread.sub(epsilon).sqrt().add(epsilon))',
    trainings,
  ],
  [
    'the loss is divided by another number of samples',
    'src/nn/training/objective.ts',
    'loss: sums[0] / samples }',
    'loss: sums[0] / (samples + 1) }',
    trainings,
  ],
  [
    'biases are frozen',
    'src/nn/layers/dense.ts',
    `this.addWeight('bias', [this.units])`,
    `this.addWeight('bias', [this.units], { trainable: false })`,
    trainings,
  ],
  [
    'pixels are divided by 256',
    'src/nn/layers/rescaling.ts',
    `mul(cast(x, 'f32'), this.scale)`,
    `mul(cast(x, 'f32'), (this.scale * 255) / 256)`,
    trainings,
  ],
  [
    'the last, smaller batch is dropped',
    'src/nn/training/feed/resident.ts',
    'this.rest = count % this.size;',
    'this.rest = 0;',
    trainings,
  ],
  [
    'max swallows NaN',
    'src/shaders/lib/math.wgsl',
    'return select(select(y, x, x > y), from_bits(0x7fc00000u), is_nan(x) | is_nan(y));',
    'return select(y, x, x > y);',
    ['test/faults/numbers.test.ts', 'F15'],
  ],
  [
    'memory is used again while it is needed',
    'src/graph/memory.ts',
    '(other.first <= place.last && place.first <= other.last)',
    '(other.first < place.last && place.first < other.last)',
    [PROGRAMS, 'about training'],
  ],
  [
    'a captured step goes on for other shapes',
    'src/graph/capture.ts',
    '`${dtype}[${shape}]`).join()',
    '`${dtype}[${shape.length}]`).join()',
    [PROGRAMS, 'about'],
  ],
  [
    'a training step outlives what it was made from',
    'src/nn/training/origin.ts',
    'if (seen === null) return true;',
    'return true;',
    ['test/nn/changes.test.ts', ''],
  ],
  [
    'rows of two shapes share a kernel',
    'src/graph/families.ts',
    '${x.dtype}[${x.shape}]`',
    '${x.dtype}[${x.size}]`',
    [PROGRAMS, 'about rows'],
  ],
  [
    'a view that is given back reads what lies behind it',
    'src/graph/kernel.ts',
    'at.op!.alias && !isMade(at)',
    'at.op!.alias',
    ['test/graph/sharing.test.ts', 'given back'],
  ],
  [
    'broadcasting repeats along another axis',
    'src/ops/expression.ts',
    'o = shape.length - 1; i >= 0',
    'o = from.length - 1; i >= 0',
    [PROGRAMS, 'about plain'],
  ],
  [
    'labels are off by one',
    'src/ops/movement.ts',
    '== i32(${index} % ${depth})`',
    '== i32(${index} % ${depth}) + 1`',
    trainings,
  ],
  [
    'weights are rounded to f16',
    'src/nn/layers/dense.ts',
    `'mixed_float16' ? 'f16' : 'f32'`,
    `'mixed_float16' ? 'f16' : 'f16'`,
    trainings,
  ],
  [
    `an optimizer's slots change places in a file`,
    'src/nn/saving/contents.ts',
    '...optimizer.slotOrder(beside)], aside',
    '...optimizer.slotOrder(beside).reverse()], aside',
    trainings,
  ],
  [
    'weights of classes reach validation',
    'src/nn/training/feed/samples.ts',
    'samples.byClass ? samples.weights.map(() => null) : samples.weights',
    'samples.weights',
    trainings,
  ],
  [
    'variance is made in one pass',
    'src/ops/statistics.ts',
    'return mean(square(sub(input, mean(input, axis, true))), axis, options);',
    'return sub(mean(square(input), axis, options), square(mean(input, axis, options)));',
    ['test/ops/edges.test.ts', ''],
  ],
];

/** Runs one check in a folder; what failed in it, or null. */
function failureIn(folder, [file, name]) {
  const args = ['vitest', 'run', '--project', 'node', '--bail', '1', file, ...(name ? ['-t', name] : [])];
  const { status, stdout, error } = spawnSync('npx', args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
    killSignal: 'SIGKILL',
  });
  if (error) return `no answer: ${error.message}`;
  if (status === 0) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal.
  const lines = stdout.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
  const told = lines.find((line) => /^\s*(×|FAIL|\+ \S)/.test(line)) ?? '';
  const why = lines.find((line) => /Error: /.test(line)) ?? '';
  if (!/[1-9]\d* failed/.test(stdout)) return `could not run: ${lines.slice(-8).join(' ')}`;
  return `${told.trim()} ${why.trim()}`.slice(0, 160);
}

function main(words) {
  const asked = mutants.filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
  const folder = mkdtempSync(join(tmpdir(), 'weft-mutants-'));
  const survivors = [];
  try {
    for (const one of ['src', 'test', 'scripts', 'bin', 'package.json', 'vitest.config.ts', 'tsconfig.json'])
      cpSync(join(root, one), join(folder, one), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const sound = new Map();
    for (const [name, file, from, to, check] of asked) {
      const key = check.join(' ');
      if (!sound.has(key)) sound.set(key, failureIn(folder, check));
      const before = sound.get(key);
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      const isThere = text.split(from).length === 2;
      let verdict;
      if (before !== null) verdict = `FAIL  the check fails on the sources as they are: ${before}`;
      else if (!isThere) verdict = `FAIL  ${file} does not say once: ${from}`;
      else {
        writeFileSync(
          path,
          text.replace(from, () => to),
        );
        const failure = failureIn(folder, check);
        writeFileSync(path, text);
        verdict =
          failure === null || failure.startsWith('could not run')
            ? `FAIL  it survives ${key} ${failure ?? ''}`
            : `caught by ${key}: ${failure}`;
      }
      if (verdict.startsWith('FAIL')) survivors.push(name);
      console.log(`${name}: ${verdict}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${asked.length - survivors.length} of ${asked.length} caught`);
  return survivors.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
