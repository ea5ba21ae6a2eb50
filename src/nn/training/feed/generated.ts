/**
 * Batches of a made dataset on their way to the GPU. Those of the first one's form are collected in a window and
 * dealt out many at a time; a batch of another form goes its own way.
 */
import { ValueError } from '../../../base/errors.ts';
import type { Dataset } from '../../../data/pipeline/dataset.ts';
import { sameShape } from '../../../ops/shape.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import type { Engine } from '../steps.ts';
import type { Trainable } from '../trainable.ts';
import { type Parts, partsOf } from './datasets.ts';
import { type Batch, type Chunk, columnsOf, type Feed, mapColumns } from './feed.ts';
import { isPlain } from './host-rows.ts';
import { checkLabels, type Samples, takeSamples } from './samples.ts';
import { Window } from './window.ts';

/** A submit waits no longer than this for the batches that are to go with it, milliseconds. */
const COLLECT_MS = 40;

/** What is done with the batches. */
export interface Purpose {
  readonly operation: 'trainOnBatch' | 'testOnBatch';
  /** For messages: 'fit'. */
  readonly called: string;
  readonly classWeight?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | null;
}

/** Steps for batches of any form. */
interface SingleSteps {
  sums(
    operation: Purpose['operation'],
    x: unknown,
    y: unknown,
    options: { sampleWeight?: unknown; classWeight?: Purpose['classWeight'] },
  ): Promise<{ readonly sums: ArrayLike<number> }>;
}

/** A batch as the dataset gave it and as it was taken. */
interface Taken {
  readonly parts: Parts;
  readonly samples: Samples;
}

/** Batches of the first one's form, in a window; others go alone. */
export class Generated implements Feed {
  readonly size: number;
  readonly rest = 0;
  readonly hasWeights: boolean;
  readonly key: string;
  private readonly like: Samples;
  private readonly columns: readonly Tensor[];
  /** Null where batches are not on the host. */
  readonly window: Window | null;

  /** For batches like this one, and passes of `stepCount` of them. */
  constructor(like: Samples, stepCount: number, engine: Engine) {
    this.like = like;
    this.size = like.count;
    this.hasWeights = like.weights.some((weight) => weight !== null);
    this.columns = columnsOf(like);
    const forms = this.columns.map(({ dtype, shape }) => ({ dtype, rowShape: shape.slice(1) }));
    this.window = this.columns.every(isPlain) ? new Window(forms, this.size, stepCount, engine) : null;
    const form = mapColumns(like, ({ dtype, shape }) => `${dtype}[${shape}]`);
    this.key = JSON.stringify([form, this.window?.key, 'generated']);
  }

  adopt(before: Generated): void {
    this.window?.adopt(before.window!);
  }

  allocate(): void {
    this.window?.allocate();
  }

  at(position: Variable, size: number): Batch {
    return mapColumns(this.like, (_, column) => this.window!.rows(column, position, size));
  }

  /** How many batches a chunk from this step on can have. */
  room(step: number): number {
    return this.window?.room(step) ?? 1;
  }

  /** Whether a batch has this form. */
  fits(samples: Samples): boolean {
    const columns = columnsOf(samples);
    return (
      this.window !== null &&
      columns.length === this.columns.length &&
      columns.every((column, i) => {
        const { dtype, shape } = this.columns[i];
        return isPlain(column) && column.dtype === dtype && sameShape(column.shape, shape);
      })
    );
  }

  put(index: number, samples: Samples): void {
    for (const [column, { host }] of columnsOf(samples).entries())
      this.window!.place(column, index).set(host!);
  }

  dispose(): void {
    this.window?.dispose();
  }
}

/** One pass over a dataset: batches are taken, checked, and dealt out in turns. */
export class MadePass {
  private readonly model: Trainable;
  private readonly purpose: Purpose;
  private readonly elements: AsyncGenerator<unknown, void, undefined>;
  /** The batch that was taken last, as long as it is in no turn. */
  private held: Taken | null = null;
  /** Steps of the loop in this pass. */
  private step = 0;
  /** The batch that goes alone. */
  private apart: Taken | null = null;

  constructor(model: Trainable, purpose: Purpose, dataset: Dataset, pass: number) {
    this.model = model;
    this.purpose = purpose;
    this.elements = dataset.iterate(pass);
  }

  /** An epoch begins: the loop counts its steps anew. */
  restart(): void {
    this.step = 0;
  }

  /** The batch whose turn it is, or null after the last. */
  async peek(): Promise<Taken | null> {
    if (this.held) return this.held;
    const { value, done } = await this.elements.next();
    if (done) return null;
    const { called, classWeight } = this.purpose;
    const parts = partsOf(value, called);
    const samples = await takeSamples({ ...parts, classWeight }, { operation: called, model: this.model });
    this.held = { parts, samples };
    return this.held;
  }

  /** Puts the next batches in place, `most` at most: those that are there in time go together. `sparse`: which targets are class numbers. */
  async next(most: number, feed: Generated, sparse: readonly boolean[]): Promise<Chunk | null> {
    const { called } = this.purpose;
    this.apart = null;
    const room = Math.min(most, feed.room(this.step));
    const began = performance.now();
    let count = 0;
    for (;;) {
      const taken = await this.peek();
      if (taken === null || !feed.fits(taken.samples)) break;
      const { samples } = taken;
      await checkLabels(samples, this.model, sparse, called);
      feed.put(count++, samples);
      this.letGo();
      if (count === room || performance.now() - began > COLLECT_MS) break;
    }
    if (count > 0) {
      await feed.window!.upload(this.step, count);
      this.step += count;
      return { form: 'whole', count, samples: count * feed.size, last: false };
    }
    const { held } = this;
    if (held === null) return null;
    this.letGo();
    this.apart = held;
    return { form: 'alone', count: 1, samples: held.samples.count, last: false };
  }

  /** The sums of the batch that goes alone, `expected` of them. */
  async alone(steps: SingleSteps, expected: number): Promise<ArrayLike<number>> {
    const { operation, called, classWeight } = this.purpose;
    const { x, y, sampleWeight } = this.apart!.parts;
    const { sums } = await steps.sums(operation, x, y, { sampleWeight, classWeight });
    if (sums.length === expected) return sums;
    throw new ValueError(
      `${called}: a batch of the dataset has ${sums.length} sums behind its loss and metrics and the first ${expected}. ` +
        'Give sample weights with every batch or with none.',
    );
  }

  private letGo(): void {
    this.held?.samples.dispose();
    this.held = null;
  }

  /** Lets the dataset go, wherever it is. */
  async end(): Promise<void> {
    this.letGo();
    await this.elements.return();
  }
}
