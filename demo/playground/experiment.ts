/**
 * A network, its data on the graphics processor, and the captured functions that work on both. Knows
 * nothing of pages, time or messages: see trainer.ts.
 */
import {
  argMax,
  assignAll,
  type Captured,
  capture,
  concat,
  data,
  type Engine,
  gather,
  gradients,
  iota,
  mean,
  oneHot,
  type StepProfile,
  slice,
  softmax,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
  transpose,
  type Variable,
  variable,
} from 'weft-gpu';
import type { Pictures } from './data.ts';
import { logitsOf, type Network } from './network.ts';
import { CLASSES, PIXELS, type Settings } from './protocol.ts';
import type { Watched } from './watch.ts';

/** So many validation pictures are looked at now and then … */
const WATCHED = 1000;
/** … and so many at a time, so that training goes on in between. */
const CHUNK = 100;

/** Pictures on the graphics processor, as bytes: several experiments may use them, one after the other. */
export class DataOnGpu {
  readonly pictures: Pictures;
  readonly images: Tensor;
  readonly labels: Tensor;

  constructor(pictures: Pictures) {
    this.pictures = pictures;
    this.images = tensor(pictures.images, { shape: [pictures.count, PIXELS] });
    this.labels = tensor(Int32Array.from(pictures.labels));
  }

  dispose(): void {
    this.images.dispose();
    this.labels.dispose();
  }
}

export class Experiment {
  readonly network: Network;
  readonly batchSize: number;
  readonly trainCount: number;
  readonly validationCount: number;
  readonly watched: Watched;
  /** Steps so far. */
  steps = 0;

  private readonly engine: Engine;
  private readonly seed: number;
  /** Rows of the data: those to train on, and those to watch in chunks of the same size. */
  private readonly trainRows: Int32Array;
  private readonly chunks: Int32Array[] = [];

  /** The rows in the order in which the present epoch visits them. */
  private readonly order: Variable;
  private readonly position = variable(0, { dtype: 'i32', name: 'position', trainable: false });
  /** Of loss and of right guesses, since they were taken last. */
  private readonly sums = variable([0, 0], { name: 'sums', trainable: false });

  private readonly trainStep: Captured<readonly [], undefined>;
  private readonly judgeRows: Captured<readonly [Tensor], Tensor>;
  private readonly judgePicture: Captured<readonly [Tensor], Tensor>;
  private showWeights: { shown: number; step: Captured<readonly [], Tensor> } | null = null;

  constructor(engine: Engine, source: DataOnGpu, network: Network, settings: Settings) {
    const { pictures } = source;
    const { count } = pictures;
    this.engine = engine;
    this.network = network;
    this.seed = settings.seed;
    const rows = permutation(count, settings.seed);
    this.validationCount = Math.min(count - 1, Math.max(1, Math.round(settings.validationShare * count)));
    this.trainCount = count - this.validationCount;
    this.batchSize = Math.min(settings.batchSize, this.trainCount);
    this.trainRows = rows.subarray(0, this.trainCount);
    const watchedRows = rows.subarray(this.trainCount, this.trainCount + WATCHED);
    this.watched = pick(pictures, watchedRows);
    // The last chunk begins anew where rows run out: one shape, one plan.
    for (let at = 0; at < watchedRows.length; at += CHUNK)
      this.chunks.push(
        Int32Array.from({ length: CHUNK }, (_, i) => watchedRows[(at + i) % watchedRows.length]),
      );
    this.order = variable(this.trainRows, { dtype: 'i32', name: 'order', trainable: false });

    const judge = (pixels: Tensor): Tensor => softmax(logitsOf(network, pixels, false));
    this.trainStep = capture(() => this.train(source), { name: 'train', engine });
    this.judgeRows = capture((rows: Tensor) => judge(gather(source.images, rows)), {
      name: 'validate',
      engine,
    });
    this.judgePicture = capture((pixels: Tensor) => judge(pixels), { name: 'judge', engine });
  }

  /** Forward, backward, update, account: what is captured once and replayed. */
  private train({ images, labels }: DataOnGpu): undefined {
    const { order, position, sums, batchSize, stepsPerEpoch, network } = this;
    const { model } = network;
    const batch = position.sub(position.floorDiv(stepsPerEpoch).mul(stepsPerEpoch));
    const rows = gather(order, iota(batchSize).add(batch.mul(batchSize)));
    const y = gather(labels, rows);
    const logits = logitsOf(network, gather(images, rows), true);
    const losses = softmaxCrossEntropy(logits, oneHot(y, CLASSES));
    const loss = model.losses.reduce((total, penalty) => total.add(penalty), mean(losses));
    const hits = argMax(logits, 1).equal(y).cast('f32');
    model.optimizer.apply(model.trainableWeights, gradients(loss, model.trainableWeights));
    const columns = [losses, hits].map((column) => column.reshape([batchSize, 1]));
    assignAll([
      [sums, sums.add(sum(concat(columns, 1), 0))],
      [position, position.add(1)],
    ]);
    return undefined;
  }

  /** Whole batches of an epoch; what is left over waits for the next, which has another order. */
  get stepsPerEpoch(): number {
    return Math.floor(this.trainCount / this.batchSize);
  }

  get dispatchesPerStep(): number {
    return this.trainStep.dispatches;
  }

  get parameters(): number {
    return this.network.model.weights.reduce((total, { size }) => total + size, 0);
  }

  /** Compiles everything that training needs. */
  async prepare(): Promise<void> {
    await Promise.all([
      this.trainStep.prepare(),
      this.judgeRows.prepare(tensor(this.chunks[0])),
      this.judgePicture.prepare(blank()),
    ]);
    // What the device has to say about so much memory, it says now.
    await this.engine.idle();
  }

  /** Up to `most` steps in one submit, not beyond the epoch. Resolves, with their number, when others may follow. */
  async run(most: number): Promise<number> {
    const { stepsPerEpoch } = this;
    const inEpoch = this.steps % stepsPerEpoch;
    if (inEpoch === 0) {
      const order = permutation(this.trainCount, this.seed + 1 + this.steps / stepsPerEpoch);
      await this.order.assign(order.map((i) => this.trainRows[i]));
    }
    const count = Math.min(most, stepsPerEpoch - inEpoch);
    await this.trainStep.replay(count);
    this.steps += count;
    return count;
  }

  /** Sums of loss and of right guesses since the last call. Not while `run` is under way. */
  async takeSums(): Promise<{ loss: number; hits: number }> {
    const reading = this.sums.data();
    const clearing = this.sums.assign([0, 0]);
    const [[loss, hits]] = await Promise.all([reading, clearing]);
    return { loss, hits };
  }

  /** Probabilities for the watched pictures: [watched, CLASSES]. While training goes on, each chunk sees its moment. */
  async watch(): Promise<Float32Array> {
    const { labels } = this.watched;
    const all = new Float32Array(labels.length * CLASSES);
    let at = 0;
    for (const rows of this.chunks) {
      const part = await read(await this.judgeRows(tensor(rows)));
      all.set(part.subarray(0, Math.min(part.length, all.length - at)), at);
      at += part.length;
    }
    return all;
  }

  /** Probabilities for a picture of PIXELS numbers from 0 to 1. */
  async judge(pixels: Float32Array): Promise<Float32Array> {
    const bytes = pixels.map((value) => 255 * value);
    return read(await this.judgePicture(tensor(bytes, { shape: [1, PIXELS] })));
  }

  /** Weights of the first layer as pictures, [shown, PIXELS], or null where its inputs are no pictures. */
  async weights(most: number): Promise<{ values: Float32Array; shown: number; units: number } | null> {
    const kernel = this.network.model.weights[0];
    if (kernel?.rank !== 2 || kernel.shape[0] !== PIXELS) return null;
    const units = kernel.shape[1];
    const shown = Math.min(most, units);
    if (this.showWeights?.shown !== shown) {
      this.showWeights?.step.dispose();
      const pictures = () => transpose(slice(kernel, [0, 0], [PIXELS, shown]));
      this.showWeights = { shown, step: capture(pictures, { name: 'weights', engine: this.engine }) };
    }
    return { values: await read(await this.showWeights.step()), shown, units };
  }

  /** The kernels of a training step and how long they take; nothing is changed by it. */
  explain(): Promise<StepProfile> {
    return this.trainStep.profile();
  }

  /** Frees network and steps, once the work under way is done. The data stay. */
  async dispose(): Promise<void> {
    await this.engine.idle().catch(() => {});
    for (const step of [this.trainStep, this.judgeRows, this.judgePicture, this.showWeights?.step])
      step?.dispose();
    for (const own of [this.order, this.position, this.sums]) own.dispose();
    this.network.model.dispose();
  }
}

const blank = (): Tensor => tensor(new Float32Array(PIXELS), { shape: [1, PIXELS] });

/** A tensor's numbers; it is freed. */
async function read(x: Tensor): Promise<Float32Array> {
  try {
    return (await x.data()) as Float32Array;
  } finally {
    x.dispose();
  }
}

const permutation = (count: number, seed: number): Int32Array =>
  Int32Array.from(new data.RandomState(seed % 2 ** 32).permutation(count));

/** Some of the pictures, side by side. */
function pick({ images, labels }: Pictures, rows: Int32Array): Watched {
  const some = new Uint8Array(rows.length * PIXELS);
  rows.forEach((row, i) => {
    some.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
  });
  return { images: some, labels: Uint8Array.from(rows, (row) => labels[row]) };
}
