/** `model.fit`: epochs of steps, validation, and everybody who listens. */
import { ValueError } from '../../base/errors.ts';
import type { Tensor } from '../../ops/tensor.ts';
import type { Logs, RunParameters } from '../callbacks/callback.ts';
import { History } from '../callbacks/history.ts';
import { flag, numberBetween, wholeNumber } from '../check.ts';
import { further } from './door.ts';
import { throwIfAborted } from './epoch.ts';
import { evaluationOf } from './evaluate.ts';
import type { Evaluation } from './evaluation.ts';
import { batchSizeFor, placeOf, takeSource } from './feed/choose.ts';
import {
  type GivenSamples,
  isMade,
  type Purpose,
  type Samples,
  type Source,
  splitSamples,
  unpackValidationData,
} from './feed/samples.ts';
import type { StreamEvaluation, StreamTraining } from './further/stream.ts';
import { callbacksOf, type RunOptions, readRunOptions, sorted, stepsOrAll } from './options.ts';
import type { FitForm, Trainable } from './trainable.ts';
import { Training } from './training.ts';

export interface FitOptions extends RunOptions {
  /** Samples of a step; default 32, or what makes `stepsPerEpoch` of all. The last batch may be smaller. */
  batchSize?: number;
  /** Passes over the data; default 1. With `initialEpoch`, the number of the last one. */
  epochs?: number;
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
  /**
   * Steps after which an epoch is over; default all. The next epoch goes on from there, and a new pass begins after
   * the last sample. A dataset without an end needs it.
   */
  stepsPerEpoch?: number | null;
  /** Only so many batches of validation, from the first on; default all. */
  validationSteps?: number | null;
  /** Samples of a step of validation; default batchSize. */
  validationBatchSize?: number | null;
}

function readFitOptions(options: FitOptions | undefined) {
  const given = readRunOptions('fit', options, {
    epochs: 1,
    validationSplit: 0,
    validationData: null as unknown,
    shuffle: true,
    classWeight: null as FitOptions['classWeight'],
    sampleWeight: null as unknown,
    initialEpoch: 0,
    validationFreq: 1,
    validationBatchSize: null as number | null,
    stepsPerEpoch: null as number | null,
    validationSteps: null as number | null,
  });
  const whole = (name: 'epochs' | 'initialEpoch' | 'validationFreq', least?: number): number =>
    wholeNumber(given[name], 'fit', name, least);
  const orNull = (name: 'validationBatchSize' | 'stepsPerEpoch' | 'validationSteps'): number | null =>
    stepsOrAll(given[name], 'fit', name);
  const validationSplit = numberBetween(given.validationSplit, 'fit', 'validationSplit', 0, 1);
  if (validationSplit === 1) throw new ValueError('fit: validationSplit is 1; training needs samples too.');
  return {
    ...given,
    validationSplit,
    epochs: whole('epochs'),
    initialEpoch: whole('initialEpoch', 0),
    validationFreq: whole('validationFreq'),
    validationBatchSize: orNull('validationBatchSize'),
    stepsPerEpoch: orNull('stepsPerEpoch'),
    validationSteps: orNull('validationSteps'),
    shuffle: flag(given.shuffle, 'fit', 'shuffle'),
  };
}

type Settings = ReturnType<typeof readFitOptions>;

/** Everything from the check of the arguments to the last callback. Runs while the model is locked. */
export async function fitModel(
  model: Trainable,
  x: unknown,
  y: unknown,
  options?: FitOptions,
): Promise<History> {
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

/** What to train on and what to validate with, checked before anything runs. */
async function takeBoth(
  model: Trainable,
  x: unknown,
  y: unknown,
  settings: Settings,
): Promise<[Source, Source | null]> {
  const { batchSize, classWeight, sampleWeight, validationSplit, validationData } = settings;
  const shared = new Map<unknown, Tensor>();
  const take = async (
    given: GivenSamples,
    purpose: Pick<Purpose, 'operation' | 'limit' | 'beside'>,
  ): Promise<Source> => {
    const source = await takeSource(given, { ...purpose, model, shared });
    if (isMade(source)) return source;
    try {
      await model.prepareFor(source, purpose.operation);
      return source;
    } catch (error) {
      source.dispose();
      throw error;
    }
  };
  const all = await take(
    { x, y, classWeight, sampleWeight },
    {
      operation: 'fit',
      limit: settings.stepsPerEpoch,
      beside: { batchSize, validationSplit: validationSplit || null },
    },
  );
  try {
    if (classWeight && !isMade(all))
      (await further()).checkClassWeight(classWeight, model.outputShapes[0], 'fit');
    if (validationData === null) return isMade(all) ? [all, null] : splitSamples(all, validationSplit, 'fit');
    const given = unpackValidationData(validationData, 'fit');
    const { validationSteps: limit, validationBatchSize } = settings;
    const validation = await take(given, {
      operation: 'fit: validationData',
      limit,
      beside: { validationBatchSize },
    });
    return [all, validation];
  } catch (error) {
    all.dispose();
    throw error;
  }
}

const columnForm = ({ shape, dtype }: Tensor) => ({ shape, dtype });

/** What `explain` remembers of it. */
function formOf(samples: Samples, settings: Settings, streamed: boolean): FitForm {
  const { count, batchSize, order } = samples;
  return {
    batchSize: batchSizeFor(samples, settings.batchSize, settings.stepsPerEpoch),
    count,
    inputs: samples.inputs.map(columnForm),
    targets: samples.targets.map((target) => target && columnForm(target)),
    shuffle: order !== undefined && order !== null ? true : settings.shuffle && !batchSize,
    streamed,
  };
}

async function runEpochs(
  model: Trainable,
  train: Source,
  validation: Source | null,
  settings: Settings,
): Promise<History> {
  const { epochs, initialEpoch, verbose, signal, validationFreq, validationSteps: steps } = settings;
  const history = new History();
  const callbacks = callbacksOf(model, settings, history);
  let training: Training | StreamTraining | null = null;
  const params: RunParameters = {
    verbose,
    epochs,
    get steps() {
      return training?.stepCount ?? null;
    },
  };
  callbacks.begin(model, params);
  // Before anything is made of the model: its random numbers become those of the run that goes on.
  const resumed = await callbacks.resume(() =>
    training instanceof Training ? training.loop.meter.seen() : null,
  );
  const place = await placeOf(model, [train, validation], settings.stream);
  if (!isMade(train)) model.latestFit = formOf(train, settings, place!.streamed);
  // Epochs that have begun so far, as far as this run knows.
  const begunSoFar = resumed ? resumed.epoch + (resumed.seen ? 1 : 0) : initialEpoch;
  const asked = { ...settings, initialEpoch: begunSoFar };
  training = isMade(train)
    ? new (await further()).StreamTraining(model, train, asked)
    : await Training.of(model, train, asked, place!);
  let evaluation: Evaluation | StreamEvaluation | null = null;
  model.history = history;
  model.stopTraining = false;
  try {
    const batchSize = settings.validationBatchSize ?? settings.batchSize;
    evaluation = validation && (await evaluationOf(model, validation, { batchSize, steps }, place));
    await Promise.all([training.prepare(), evaluation?.prepare()]);
    await callbacks.call('onTrainBegin', {});
    resumed?.callbacks.forEach((state, i) => {
      if (state) callbacks.callbacks[i].setState(state);
    });
    const { epoch: first = initialEpoch, step = 0, seen = null, stopped = false } = resumed ?? {};
    let begun = seen && { step, seen };
    let logs: Logs = {};
    for (let epoch = first; epoch < epochs && !stopped; epoch++) {
      throwIfAborted(signal, 'fit');
      await callbacks.call('onEpochBegin', epoch, {});
      const trained = await training.run(epoch, callbacks, signal, begun);
      begun = null;
      // Data that ended are no epoch.
      if (trained === null) break;
      logs = sorted(trained);
      if (evaluation && (epoch + 1) % validationFreq === 0) {
        const values = Object.entries(await evaluation.run(callbacks, signal, 'fit', { pass: epoch }));
        logs = sorted({
          ...logs,
          ...Object.fromEntries(values.map(([key, value]) => [`val_${key}`, value])),
        });
      }
      await callbacks.call('onEpochEnd', epoch, logs);
      if (model.stopTraining) break;
    }
    await model.optimizer.finalizeVariableValues(model.trainableWeights);
    await callbacks.call('onTrainEnd', logs);
    return history;
  } finally {
    await training.dispose();
    await evaluation?.dispose();
  }
}
