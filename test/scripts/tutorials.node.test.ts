/** Each tutorial with --quick, as a user runs it: it gets to its end and prints what the tutorial prints. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isLong } from '../support/long.ts';

const MNIST = resolve('../shared/data/mnist');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(name: string, options: string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve('scripts/tutorials', `${name}.js`), ...options]);
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

/** A folder that is gone afterwards. */
async function inFolder<T>(what: (out: string) => Promise<T>): Promise<T> {
  const out = mkdtempSync(join(tmpdir(), 'weft-tutorial-'));
  try {
    return await what(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Runs a lesson; `files` are those it must have written, into a folder of its own unless one is given. */
async function quick(
  name: string,
  files: readonly string[],
  options: string[] = [],
  folder?: string,
): Promise<string> {
  const run = async (out: string): Promise<string> => {
    const { code, stdout, stderr } = await start(name, ['--quick', '--out', out, ...options]);
    // What the driver says, and what is said where other work slows its compiler down.
    const noise = /^(Warning: max.*artificially reduced.*|compile: .* has been compiling for .*)$/gm;
    expect(stderr.replace(noise, '').trim()).toBe('');
    expect(code).toBe(0);
    for (const file of files) {
      const bytes = readFileSync(join(out, file));
      expect(bytes.length).toBeGreaterThan(500);
      if (file.endsWith('.svg')) expect(bytes.toString()).toMatch(/^<svg/);
    }
    return stdout;
  };
  return folder === undefined ? inFolder(run) : run(folder);
}

const STEPS = (steps: number): RegExp => new RegExp(`${steps}/${steps} ━{20} .*accuracy: 0\\.\\d+ - loss: `);

describe('tutorials', () => {
  test('T1: a dense layer learns garments', async () => {
    const stdout = await quick('t1-first-network', ['t1-samples.svg', 't1-weights.svg']);
    expect(stdout).toMatch(/images \(\d+, 28, 28\)/);
    expect(stdout).toMatch(STEPS(80));
    expect(stdout).toMatch(/validation loss \d\.\d{4}, accuracy 0\.\d{4}/);
  });

  test('T2: the input is a layer', async () => {
    const stdout = await quick('t2-input-layer', ['t2-history.svg']);
    expect(stdout).toContain('│ dense (Dense)                   │ (None, 10)             │         7,850 │');
    expect(stdout).toContain('Epoch 2/2');
    expect(stdout).toMatch(/validation loss \d\.\d{4}, accuracy 0\.\d{4}/);
  });

  test('T3: fifty linear classifiers side by side', async () => {
    const stdout = await quick('t3-linear-baseline', []);
    expect(stdout).toContain('(1000, 784)');
    expect(stdout).toMatch(/test scores: (0\.\d{4} ?){5}\n/);
    // scikit-learn 1.9.1 on the same thousand images: 0.7530
    expect(Number(/mean test score: (0\.\d{4})/.exec(stdout)?.[1])).toBeGreaterThan(0.65);
  });

  test('T4: three ways to the same 79,510 parameters', async () => {
    const stdout = await quick('t4-hidden-layer', []);
    expect(stdout.split('Total params: 79,510 (310.59 KB)')).toHaveLength(4);
    expect(stdout).toContain('Model: "패션_MNIST_모델"');
    expect(stdout).toContain(' dense_2 (Dense)             (None, 100)               78500     ');
    expect(stdout).toContain('Total params: 79510 (310.59 KB)');
    expect(stdout).toMatch(STEPS(80));
  });

  test.skipIf(!existsSync(MNIST))('T5: digits, and one prediction', async () => {
    const stdout = await quick('t5-digits', ['t5-prediction.svg', 't5-image.svg'], ['--data', MNIST]);
    expect(stdout).toMatch(STEPS(20));
    expect(stdout).toMatch(/test loss \d\.\d{4}, accuracy 0\.\d{4}/);
    expect(stdout).toContain('it is 7');
  });

  test.skipIf(!existsSync(MNIST))('T6: a pipeline, and a file', async () => {
    const stdout = await quick('t6-pipeline', ['t6-history.svg', 'mnist_model.h5'], ['--data', MNIST]);
    expect(stdout).toMatch(/70\/70 ━{20} .*val_accuracy: 0\.\d+ - val_loss: /);
    expect(stdout).toContain('Trainable params: 16,330 (63.79 KB)');
    const [, tested] = /test loss \d\.\d{4}, accuracy (0\.\d{4})/.exec(stdout) ?? [];
    expect(stdout).toContain(`loaded again, its test accuracy is ${tested}`);
  });

  test('T7: activations, their slopes, and a regression', async () => {
    const stdout = await quick('t7-activations', ['t7-activations.svg', 't7-regression.svg']);
    expect(stdout).toContain('sigmoid  at −5, 0, 5: 0.0067 0.5000 0.9933');
    expect(stdout).toContain(' slope   at −5, 0, 5: 0.0066 0.2500 0.0066');
    expect(stdout).toMatch(/mean squared error after 5 epochs: 0\.\d{4}/);
  });

  test('T8: weights and whole models come back from files, and the best epoch is kept', async () => {
    const stdout = await quick('t8-validation', ['t8-overfitting.svg', 't8-stopped.svg', 'best-model.keras']);
    const [, trained] = /trained: (validation loss .*)/.exec(stdout) ?? [];
    expect(stdout).toContain(`with its weights: ${trained}`);
    expect(stdout).toContain(`from its file: ${trained}`);
  });

  test('T9, T10: a convolutional network is trained, kept in a file and looked into', async () => {
    await inFolder(async (out) => {
      const pictures = ['t9-model.svg', 't9-history.svg', 't9-prediction.svg', 'best-cnn-model.keras'];
      const trained = await quick('t9-convolutions', pictures, [], out);
      expect(trained).toContain('Trainable params: 333,526 (1.27 MB)');
      expect(trained).toMatch(/test loss \d\.\d{4}, accuracy 0\.\d{4}/);
      const inside = [
        'filters-before',
        'filters-after',
        'histogram',
        'maps-first',
        'maps-second',
        'grad-cam',
      ];
      const files = inside.map((name) => `t10-${name}.svg`);
      const seen = await quick('t10-looking-inside', files, [], out);
      expect(seen).toContain('trained by T9');
      expect(seen).toContain('feature maps of the second layer: [1,14,14,64]');
    });
  });

  /** Kernels of these compile for half a minute on a software adapter. */
  const withTime = (name: string, folder: string | null, body: () => Promise<void>): void => {
    test(name, async ({ skip }) => {
      if (!isLong) skip('takes half a minute on a software adapter: npm run test:long');
      if (folder && !existsSync(folder)) skip(`there are no digits in ${folder}`);
      await body();
    });
  };

  withTime('T11: a convnet on digits', MNIST, async () => {
    const stdout = await quick('t11-convnet', ['t11-confusion.svg'], ['--data', MNIST]);
    expect(stdout).toContain('Total params: 104,202 (407.04 KB)');
    expect(stdout).toMatch(/test loss \d\.\d{4}, accuracy 0\.\d{4}/);
  });

  withTime('T12: a residual network, without and with augmentation', null, async () => {
    const stdout = await quick('t12-residual', ['t12-samples.svg', 't12-without.svg', 't12-with.svg']);
    expect(stdout).toContain('synthetic');
    expect(stdout.match(/gap \d\.\d{4}/g)).toHaveLength(4);
  });

  withTime('T13: an autoencoder and a U-Net', null, async () => {
    const stdout = await quick('t13-segmentation', ['t13-restored.svg', 't13-unet.svg', 't13-answers.svg']);
    expect(stdout).toContain('synthetic');
    expect(stdout).toMatch(/mean IoU: 0\.\d{4}/);
  });

  test('T18: a small GPT learns characters, and writes after each epoch', async () => {
    const stdout = await quick('t18-gpt', ['t18-history.svg']);
    expect(stdout).toMatch(/\d+ characters, \d+ different ones/);
    expect(stdout).toMatch(/"#!\/usr\/bin\/env n.+"/);
    expect(stdout).toMatch(/held out: \d\.\d{4} nats a character/);
  });

  test('an option that there is not is refused in one message, without a stack', async () => {
    const { code, stderr } = await start('t1-first-network', ['--bogus']);
    expect(code).toBe(1);
    expect(stderr).toContain('--bogus');
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
