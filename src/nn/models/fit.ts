/** `model.fit`: epochs of steps, validation, and everybody who listens. */
import { ConfigError, ValueError } from '../../base/errors.ts';
import type { Logs, RunParameters } from '../callbacks/callback.ts';
import { History } from '../callbacks/history.ts';
import { type CallbackLike, CallbackList, resolveCallbacks } from '../callbacks/list.ts';
import { flag, numberBetween, wholeNumber } from '../check.ts';
import { describe, readOptions } from '../names.ts';
import type { Verbosity } from '../report/progress.ts';
import { shuffledOrder } from '../seeds.ts';
import { Evaluation } from './evaluate.ts';
import { Meter } from './meter.ts';
import type { Model } from './model.ts';
import { Pace } from './pace.ts';
import { runPass, throwIfAborted } from './pass.ts';
import { sorted, verbosity, withDefaults } from './run-options.ts';
import {
  checkClassWeight,
  classCount,
  type Samples,
  splitSamples,
  takeSamples,
  unpackValidationData,
} from './samples.ts';
import { Batches, disposeSteps, Order, trainingSteps } from './steps.ts';

export interface FitOptions {
  /** Samples of a step; default 32. The last batch may be smaller. */
  batchSize?: number;
  /** Passes over the data; default 1. With `initialEpoch`, the number of the last one. */
  epochs?: number;
  /** 0 silent, 1 a progress line, 2 a line for each epoch; default 'auto': 1. */
  verbose?: Verbosity | 'auto';
  /** Callbacks, or objects with some of their functions. */
  callbacks?: CallbackLike | readonly CallbackLike[] | null;
  /** The share of the samples, taken from the end, that is kept for validation; default 0. */
  validationSplit?: number;
  /** Validate on these after each epoch: [x, y], [x, y, sampleWeight] or { x, y, sampleWeight }. */
  validationData?: unknown;
  /** A new order of the samples in each epoch; default true. */
  shuffle?: boolean;
  /** What the samples of each class count in the loss: { 0: 1, 1: 5 }. */
  classWeight?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | null;
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
  /** The epoch to begin with, from 0; default 0. */
  initialEpoch?: number;
  /** Validate after every so many epochs; default 1. */
  validationFreq?: number;
  /** Samples of a step of validation; default batchSize. */
  validationBatchSize?: number | null;
  /** Stops between two steps; fit then rejects with AbortError. */
  signal?: AbortSignal | null;
}

function readFitOptions(options: FitOptions | undefined) {
  const given = readOptions('fit', options, {
    batchSize: 32,
    epochs: 1,
    verbose: 'auto' as FitOptions['verbose'],
    callbacks: null as FitOptions['callbacks'],
    validationSplit: 0,
    validationData: null as unknown,
    shuffle: true,
    classWeight: null as FitOptions['classWeight'],
    sampleWeight: null as unknown,
    initialEpoch: 0,
    validationFreq: 1,
    validationBatchSize: null as number | null,
    signal: null as AbortSignal | null,
  });
  const batchSize = wholeNumber(given.batchSize, 'fit', 'batchSize');
  const validationSplit = numberBetween(given.validationSplit, 'fit', 'validationSplit', 0, 1);
  if (validationSplit === 1) throw new ValueError('fit: validationSplit is 1; training needs samples too.');
  return {
    ...given,
    batchSize,
    validationSplit,
    epochs: wholeNumber(given.epochs, 'fit', 'epochs'),
    initialEpoch: wholeNumber(given.initialEpoch, 'fit', 'initialEpoch', 0),
    validationFreq: wholeNumber(given.validationFreq, 'fit', 'validationFreq'),
    validationBatchSize:
      given.validationBatchSize === null
        ? batchSize
        : wholeNumber(given.validationBatchSize, 'fit', 'validationBatchSize'),
    verbose: verbosity(given.verbose, 'fit'),
    shuffle: flag(given.shuffle, 'fit', 'shuffle'),
    callbacks: resolveCallbacks(given.callbacks, 'fit'),
    signal: checkedSignal(given.signal),
  };
}

type Settings = ReturnType<typeof readFitOptions>;

function checkedSignal(signal: AbortSignal | null): AbortSignal | null {
  if (signal === null || (typeof signal === 'object' && 'aborted' in signal)) return signal;
  throw new ConfigError(`fit: signal is ${describe(signal)}; expected an AbortSignal.`);
}

/** Everything from the check of the arguments to the last callback. Runs while the model is locked. */
export async function fitModel(model: Model, x: unknown, y: unknown, options?: FitOptions): Promise<History> {
  const settings = readFitOptions(options);
  throwIfAborted(settings.signal, 'fit');
  const [train, validation] = await takeBoth(model, x, y, settings);
  try {
    return await runEpochs(model, train, validation, settings);
  } finally {
    train.dispose();
    validation?.dispose();
  }
}

/** Training and validation samples, checked before anything runs. */
async function takeBoth(
  model: Model,
  x: unknown,
  y: unknown,
  settings: Settings,
): Promise<[Samples, Samples | null]> {
  const { classWeight, sampleWeight, validationSplit, validationData } = settings;
  const all = await takeSamples(
    { x, y, classWeight, sampleWeight },
    { operation: 'fit', inputShape: model.inputShape },
  );
  let second: Samples | null = null;
  try {
    await model.prepareFor(all, 'fit');
    checkClassWeight(classWeight, classCount(model.outputShape), 'fit');
    if (validationData === null) return splitSamples(all, validationSplit, 'fit');
    second = await takeSamples(unpackValidationData(validationData, 'fit'), {
      operation: 'fit: validationData',
      inputShape: model.inputShape,
    });
    await model.prepareFor(second, 'fit: validationData');
    return [all, second];
  } catch (error) {
    all.dispose();
    second?.dispose();
    throw error;
  }
}

async function runEpochs(
  model: Model,
  train: Samples,
  validation: Samples | null,
  settings: Settings,
): Promise<History> {
  const { epochs, initialEpoch, verbose, signal } = settings;
  const { objective, optimizer } = model.compiled('fit');
  const engine = await model.engineFor(train.x);
  const hasWeights = train.weight !== null;
  const batches = new Batches(train, settings.batchSize);
  const state = model.loops.train.take(objective.countSums(hasWeights));
  const order = settings.shuffle ? new Order(train.count) : null;
  const history = new History();
  const params: RunParameters = { verbose, epochs, steps: batches.steps };
  const callbacks = new CallbackList(
    [...withDefaults(settings.callbacks, verbose), history],
    model.inCallback,
  );
  callbacks.begin(model, params);
  model.history = history;
  model.stopTraining = false;

  optimizer.build(model.trainableWeights);
  const steps = trainingSteps(model, objective, optimizer, state, batches, order, engine);
  const pace = new Pace();
  const meter = new Meter(objective.countSums(hasWeights));
  const evaluation = validation && new Evaluation(model, validation, settings.validationBatchSize, engine);
  try {
    await Promise.all([steps.whole.prepare(), steps.rest?.prepare(), evaluation?.prepare()]);
    await state.restart(engine);
    await callbacks.call('onTrainBegin', {});
    let logs: Logs = {};
    for (let epoch = initialEpoch; epoch < epochs; epoch++) {
      throwIfAborted(signal, 'fit');
      await callbacks.call('onEpochBegin', epoch, {});
      await order?.write(shuffledOrder(train.count, model.randomSeed ?? engine.seed, epoch), engine);
      const byBatch = callbacks.listen('onTrainBatchBegin', 'onTrainBatchEnd');
      const means = await runPass({
        engine,
        steps,
        batches,
        state,
        meter,
        pace,
        signal,
        operation: 'fit',
        results: (sums, samples) => sorted(objective.results(sums, samples, hasWeights)),
        byBatch: byBatch
          ? {
              begin: (batch) => callbacks.call('onTrainBatchBegin', batch, {}),
              end: (batch, now) => callbacks.call('onTrainBatchEnd', batch, now),
              stopped: () => model.stopTraining,
            }
          : null,
        progress: callbacks.listen('onProgress')
          ? (step, now) => callbacks.call('onProgress', step, now)
          : null,
      });
      logs = means;
      if (evaluation && (epoch + 1) % settings.validationFreq === 0) {
        const values = Object.entries(await evaluation.run(callbacks, signal, 'fit'));
        logs = sorted({
          ...means,
          ...Object.fromEntries(values.map(([key, value]) => [`val_${key}`, value])),
        });
      }
      await callbacks.call('onEpochEnd', epoch, logs);
      if (model.stopTraining) break;
    }
    await callbacks.call('onTrainEnd', logs);
    return history;
  } finally {
    // Steps that are under way must not outlive the memory that they use.
    await engine.idle().catch(() => {});
    disposeSteps(steps);
    model.loops.train.giveBack(state);
    await evaluation?.dispose();
    order?.dispose();
  }
}
