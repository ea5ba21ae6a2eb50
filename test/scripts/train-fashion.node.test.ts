import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const script = resolve('scripts/train-fashion.js');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the script as a user does, on the built package. */
function run(options: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...options], { env: { ...process.env, ...environment } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** A short run on drawn garments. */
const SHORT = ['--dataset', 'synthetic', '--samples', '640', '--epochs', '2'];
const WARNING = 'synthetic garments, not Fashion-MNIST: apt-get install dataset-fashion-mnist, or --data DIR';

describe('train-fashion.js', () => {
  test('--help tells the options', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--model',
      '--hidden',
      '--activation',
      '--optimizer',
      '--dataset',
      '--data DIR',
      '--json',
    ]) {
      expect(stdout).toContain(option);
    }
  });

  test.each([
    [['--bogus'], '--bogus'],
    [['--epochs', 'many'], "--epochs is 'many', expected a whole number above 0"],
    [['--model', 'rnn'], "--model is 'rnn', expected dense or cnn"],
    [['--hidden', '20,x'], "--hidden is '20,x'"],
    [['--validation-split', '1'], "--validation-split is '1'"],
    [['--dataset', 'cifar'], 'expected auto, fashion-mnist or synthetic'],
    [['--dataset', 'synthetic', '--data', '.'], 'leave --data out'],
    [['--data', '/nowhere'], 'the folder /nowhere lacks train-labels-idx1-ubyte.gz'],
    [[...SHORT, '--optimizer', 'newton'], 'newton'],
  ])('%j is refused in one message, without a stack', async (options, message) => {
    const { code, stderr } = await run(options);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test('without an adapter it says what to install', async () => {
    const nothing = {
      WEFT_ADAPTER: 'system',
      VK_ICD_FILENAMES: '/nonexistent',
      VK_DRIVER_FILES: '/nonexistent',
    };
    const { code, stderr } = await run(SHORT, nothing);
    expect(code).toBe(1);
    expect(stderr).toContain('No WebGPU adapter');
    expect(stderr).toContain('Fix:');
  });

  test('a run on drawn garments is marked as synthetic before, in and after its report', async () => {
    const { code, stdout } = await run([...SHORT, '--hidden', 'none']);
    expect(code).toBe(0);
    expect(stdout.split(WARNING)).toHaveLength(3);
    expect(stdout).toMatch(/test accuracy +\d+\.\d %, loss \d\.\d+ \(synthetic\)/);
    expect(stdout).toMatch(/Ankle boot( +[\d·]+){10} +\d+\.\d %/);
    expect(stdout).toContain('no bound for 640 training images');
    expect(stdout).not.toContain('\x1b');
  });

  test('--json prints one object, and stdout has nothing else', async () => {
    const { code, stdout, stderr } = await run([
      ...SHORT,
      '--hidden',
      '20',
      '--json',
      '--validation-split',
      '0.5',
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ synthetic: true, parameters: 784 * 20 + 20 + 20 * 10 + 10, passed: true });
    expect(report.history.val_accuracy).toHaveLength(2);
    expect(report.confusion.flat().reduce((sum: number, count: number) => sum + count)).toBe(10_000);
    const right = report.confusion.reduce((sum: number, row: number[], i: number) => sum + row[i], 0);
    expect(right / 10_000).toBeCloseTo(report.test.accuracy, 4);
    expect(report.msPerStep).toBeGreaterThan(0);
    expect(report.dispatchesPerStep).toBeGreaterThan(0);
    expect(stderr).toContain(WARNING);
  });
});
