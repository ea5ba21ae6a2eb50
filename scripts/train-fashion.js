#!/usr/bin/env node
/**
 * Trains a small network on Fashion-MNIST and checks what came of it: `--help` tells the options.
 *
 * Exit codes: 0 trained, and as well as it should; 1 could not be done; 2 trained, but worse than the bound
 * of fashion-bounds.js; 130 stopped by Ctrl-C.
 */
import { AbortError, DownloadError, datasets, init, layers, sequential, tensor, WeftError } from 'weft-gpu';
import { boundsTable, findBound } from './support/fashion-bounds.js';
import { HELP, readOptions } from './support/fashion-options.js';
import { findGpu } from './support/software-adapter.js';
import {
  confusionTable,
  downloadProgress,
  listing,
  percent,
  Refusal,
  styles,
  thousands,
} from './support/terminal.js';

const SYNTHETIC =
  'synthetic garments, not Fashion-MNIST: apt-get install dataset-fashion-mnist, or --data DIR';

async function main(options) {
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());

  const adapter = await findGpu().catch((cause) => {
    throw new Refusal(cause.message, { cause });
  });
  const print = options.json ? () => {} : console.log;
  print(`adapter   ${adapter.note}`);
  const set = await loadData(options, abort.signal);
  if (set.synthetic) warnOfSynthetic(options);
  print(
    `data      ${set.name}: ${thousands(set.train.count)} training and ${thousands(set.test.count)} test images`,
  );
  print(`          ${set.source}\n`);

  const engine = await init({ gpu: adapter.gpu, seed: options.seed });
  const model = buildModel(options, set);
  if (!options.json) model.summary();
  const trained = await trainModel(model, engine, set, options, abort.signal);
  const tested = await testModel(model, set);
  await engine.close();

  const bound = findBound(options, set.train.count * (1 - options.validationSplit), set.synthetic);
  const passed = bound.reason !== undefined || tested.test.accuracy >= bound.accuracy;
  const results = { ...trained, ...tested, bound, passed };
  if (options.json) printJson(options, adapter, set, model, results);
  else printReport(options, adapter, set, results);
  if (set.synthetic) warnOfSynthetic(options);
  return passed ? 0 : 2;
}

/** With --json stdout is for the object alone. */
function warnOfSynthetic({ json }) {
  const stream = json ? process.stderr : process.stdout;
  stream.write(`${styles(stream).bold(SYNTHETIC)}\n`);
}

/** The real images; drawn ones when they are asked for, or when there are no others and any will do. */
async function loadData({ dataset, dir, samples }, signal) {
  if (dataset === 'synthetic') return withFirst(datasets.garments(), samples);
  try {
    const onProgress = downloadProgress(process.stderr);
    return withFirst(await datasets.fashionMnist({ dir, signal, onProgress }), samples);
  } catch (error) {
    if (!(error instanceof DownloadError) || dataset === 'fashion-mnist') throw error;
    // The first line says what; --dataset fashion-mnist tells each mirror's failure.
    console.error(error.message.split(':\n')[0]);
    return withFirst(datasets.garments(), samples);
  }
}

/** The data set with its first `samples` training images only. */
function withFirst(set, samples = set.train.count) {
  const { images, labels, height, width } = set.train;
  const count = Math.min(samples, set.train.count);
  const first = { images: images.subarray(0, count * height * width), labels: labels.subarray(0, count) };
  return { ...set, train: { ...set.train, ...first, count } };
}

/** Bytes → 0 … 1 → convolutions, where they are asked for → hidden layers → one probability per class. */
function buildModel(
  { model: kind, hidden, activation, dropout, optimizer, learningRate },
  { train, classNames },
) {
  const { height, width } = train;
  const model = sequential([layers.rescaling({ scale: 1 / 255, inputShape: [height, width] })]);
  if (kind === 'cnn') {
    model.add(layers.reshape([height, width, 1]));
    for (const filters of [32, 64]) {
      model.add(layers.conv2d({ filters, kernelSize: 3, activation, padding: 'same' }));
      model.add(layers.maxPooling2d(2));
    }
  }
  model.add(layers.flatten());
  for (const units of hidden) {
    model.add(layers.dense({ units, activation }));
    if (dropout > 0) model.add(layers.dropout({ rate: dropout }));
  }
  model.add(layers.dense({ units: classNames.length, activation: 'softmax' }));
  model.compile({
    optimizer: { className: optimizer, config: learningRate === undefined ? {} : { learningRate } },
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}

const imageTensor = ({ images, count, height, width }) => tensor(images, { shape: [count, height, width] });

async function trainModel(model, engine, { train }, { epochs, batchSize, validationSplit, json }, signal) {
  const steps = Math.ceil(Math.floor(train.count * (1 - validationSplit)) / batchSize);
  const meter = new StepMeter(engine, steps);
  const { history } = await model.fit(imageTensor(train), tensor(train.labels), {
    epochs,
    batchSize,
    validationSplit,
    callbacks: [meter.hooks],
    verbose: json ? 0 : 'auto',
    signal,
  });
  return { history, ...meter.perStep() };
}

/** Measures training alone: all epochs without their validation, and without the first, which also compiles. */
class StepMeter {
  #engine;
  #steps;
  #epochs = [];

  constructor(engine, stepsPerEpoch) {
    this.#engine = engine;
    this.#steps = stepsPerEpoch;
  }

  get hooks() {
    const now = () => ({ ms: performance.now(), dispatches: this.#engine.stats().dispatches });
    const since = (then, { ms, dispatches } = now()) => ({
      ms: ms - then.ms,
      dispatches: dispatches - then.dispatches,
    });
    let epochBegun;
    let testBegun;
    let tested = { ms: 0, dispatches: 0 };
    return {
      onEpochBegin: () => {
        epochBegun = now();
        tested = { ms: 0, dispatches: 0 };
      },
      onTestBegin: () => {
        testBegun = now();
      },
      onTestEnd: () => {
        tested = since(testBegun);
      },
      onEpochEnd: () => {
        this.#epochs.push(since(tested, since(epochBegun)));
      },
    };
  }

  perStep() {
    const epochs = this.#epochs.length > 1 ? this.#epochs.slice(1) : this.#epochs;
    const mean = (of) => epochs.reduce((sum, epoch) => sum + of(epoch), 0) / epochs.length / this.#steps;
    return { msPerStep: mean(({ ms }) => ms), dispatchesPerStep: mean(({ dispatches }) => dispatches) };
  }
}

/** Loss, accuracy and the confusion matrix [C][C]: how often an image of class i was taken for class j. */
async function testModel(model, { test, classNames }) {
  const images = imageTensor(test);
  const { loss, accuracy } = await model.evaluate(images, tensor(test.labels), {
    batchSize: 500,
    verbose: 0,
  });
  const probabilities = await model.predict(images, { batchSize: 500, verbose: 0 });
  const guesses = await probabilities.argMax(-1).data();
  const confusion = classNames.map(() => classNames.map(() => 0));
  test.labels.forEach((label, i) => {
    confusion[label][guesses[i]]++;
  });
  return { test: { loss, accuracy }, confusion };
}

function printReport({ batchSize }, { software }, { synthetic, classNames }, results) {
  const style = styles(process.stdout);
  const { test, confusion, msPerStep, dispatchesPerStep, bound, passed } = results;
  const { accuracy, loss } = test;
  const mark = synthetic ? style.bold(' (synthetic)') : '';
  console.log(`\n${confusionTable(confusion, classNames, style)}`);
  console.log(`${style.dim('rows: what it is; columns: what the model says')}${mark}\n`);
  console.log(
    listing([
      ['test accuracy', `${style.bold(percent(accuracy))}, loss ${loss.toFixed(4)}${mark}`],
      [
        'time per step',
        `${msPerStep.toFixed(2)} ms for ${batchSize} images${software ? ', in software' : ''}`,
      ],
      ['dispatches per step', dispatchesPerStep.toFixed(1)],
    ]),
  );
  console.log(`\n${boundsTable(bound, style)}`);
  if (bound.reason) console.log(style.dim(`no bound for ${bound.reason}`));
  else if (passed) console.log(style.green(`passed: ${accuracy.toFixed(4)} is at least ${bound.accuracy}`));
  else console.log(style.red(`failed: ${accuracy.toFixed(4)} is below ${bound.accuracy}`));
}

function printJson({ json, help, ...options }, { note, software }, set, model, results) {
  const { name, source, synthetic, classNames } = set;
  const data = { name, source, train: set.train.count, test: set.test.count, classNames };
  const parameters = model.countParams();
  const report = { synthetic, adapter: note, software, data, options, parameters, ...results };
  console.log(JSON.stringify(report));
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.exitCode = error instanceof AbortError ? 130 : 1;
  const told = error instanceof Refusal || error instanceof WeftError;
  console.error(told ? error.message : error);
}
