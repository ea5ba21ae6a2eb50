/**
 * What each lesson needs besides its subject: a GPU, the command line, a place for pictures, and a clock.
 *
 *   --quick       a few steps on a few samples: does it run?
 *   --data DIR    folder with the data set's files; without it the usual places are searched
 *   --out DIR     write pictures and models there; nothing is written without it
 *   --epochs N    at most so many passes over the data
 *   --seed N      of initial weights and shuffles (42)
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callbacks, init, WeftError } from 'weft-gpu';
import { findGpu } from '../support/software-adapter.js';
import { Refusal } from '../support/terminal.js';

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  data: { type: 'string' },
  out: { type: 'string' },
  epochs: { type: 'string' },
  seed: { type: 'string', default: '42' },
};

/** Runs one lesson: `await lesson(async ({ quick, source, picture, epochs, clock }) => { … })`. Exit code 1 when it cannot be done. */
export async function lesson(teach) {
  let engine;
  try {
    const { quick, data: dir, out, seed, epochs: most } = readOptions();
    const { gpu, note } = await findGpu().catch((cause) => {
      throw new Refusal(cause.message, { cause });
    });
    engine = await init({ gpu, seed: Number(seed) });
    console.log(`adapter: ${note}; seed: ${seed}\n`);
    // In a hurry drawn garments will do, and nothing is downloaded.
    const source = quick ? { dir, download: false, fallback: 'synthetic' } : { dir };
    // How many of the lesson's epochs there are, and of its short form's.
    const epochs = (full, hurried = 1) =>
      Math.min(quick ? hurried : full, most ? Number(most) : Number.POSITIVE_INFINITY);
    await teach({ quick, source, seed: Number(seed), epochs, ...gallery(out), clock: new Clock() });
  } catch (error) {
    process.exitCode = 1;
    const told = error instanceof Refusal || error instanceof WeftError;
    console.error(told ? error.message : error);
  }
  await engine?.close();
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({ options: OPTIONS }));
  } catch (error) {
    throw new Refusal(`${error.message}\nOptions: --quick, --data DIR, --out DIR, --epochs N, --seed N`);
  }
  if (!/^\d+$/.test(values.seed) || Number(values.seed) >= 2 ** 32) {
    throw new Refusal(`--seed is '${values.seed}', expected a whole number below 2^32.`);
  }
  if (values.epochs !== undefined && !/^[1-9]\d*$/.test(values.epochs)) {
    throw new Refusal(`--epochs is '${values.epochs}', expected a whole number from 1.`);
  }
  return values;
}

/** `picture(name, svg)` writes a file into the folder, `place(name)` is its path there; neither does anything without one. */
function gallery(folder) {
  const place = (name) => folder && join(folder, name);
  const picture = async (name, svg) => {
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await writeFile(place(name), svg);
    console.log(`picture: ${place(name)}`);
  };
  return { picture, place };
}

/** The first `count` of labelled images: a lesson in a hurry. */
export function first({ images, labels, height, width, channels = 1 }, count) {
  const pixels = height * width * channels;
  return {
    images: images.subarray(0, count * pixels),
    labels: labels.subarray(0, count),
    count: Math.min(count, labels.length),
    height,
    width,
    channels,
  };
}

/** A callback that times steps without validation, and without the first epoch, which also compiles. */
class Clock extends callbacks.Callback {
  #begun = 0;
  #paused = 0;
  #steps = [];

  onTrainBegin() {
    this.#steps = [];
  }

  onEpochBegin() {
    this.#begun = performance.now();
  }

  onTestBegin() {
    this.#paused = performance.now();
  }

  onTestEnd() {
    this.#begun += performance.now() - this.#paused;
  }

  onEpochEnd() {
    this.#steps.push((performance.now() - this.#begun) / this.params.steps);
  }

  get milliseconds() {
    const steps = this.#steps.length > 1 ? this.#steps.slice(1) : this.#steps;
    return steps.reduce((sum, one) => sum + one, 0) / steps.length;
  }

  toString() {
    return `time per step: ${this.milliseconds.toFixed(2)} ms`;
  }
}
