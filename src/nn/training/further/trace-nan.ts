/**
 * Where numbers went wrong. Steps are made on the batches of x and y until the loss or a weight is no finite number;
 * that step is then done again, op by op, with a look at every result. On demand: training pays nothing for it.
 */
import { StateError } from '../../../base/errors.ts';
import { gradients } from '../../../graph/gradients.ts';
import { topological } from '../../../graph/order.ts';
import { assignAll } from '../../../graph/variables.ts';
import { iota, tensor } from '../../../ops/constant.ts';
import { gather } from '../../../ops/movement.ts';
import type { Tensor, Variable } from '../../../ops/tensor.ts';
import { wholeNumber } from '../../check.ts';
import type { Layer } from '../../layers/layer.ts';
import { readOptions } from '../../names.ts';
import { type LayerPlace, layerPlaces } from '../../saving/places.ts';
import { type Batch, mapColumns } from '../feed/feed.ts';
import { takeSamples } from '../feed/samples.ts';
import type { Trainable } from '../trainable.ts';
import { type BatchOptions, BatchSteps } from './train-on-batch.ts';

export interface TraceNaNOptions {
  /** Samples of a step, in the order in which they are given; default 32. */
  batchSize?: number;
  /** Passes over the data, if nothing goes wrong before; default 1. */
  epochs?: number;
  /** What each sample counts in the loss: [n]. */
  sampleWeight?: unknown;
}

/** The first result that is no finite number. */
export interface BadResult {
  /** In a sentence or two. */
  readonly message: string;
  /** The step, from 0, and the samples of its batch: from the first to before `end`. */
  readonly step: number;
  readonly first: number;
  readonly end: number;
  /** Where in the step: what came in, the forward pass, the loss, the gradient, or the update of a weight. */
  readonly where: 'data' | 'weights' | 'forward' | 'loss' | 'gradient' | 'update';
  /** The op; null for what came in, and for an update. */
  readonly op: string | null;
  /** The layer's name: of a gradient, that of the layer whose values it goes by. Null where there is none. */
  readonly layer: string | null;
  /** NaN, or an infinity that no NaN followed. */
  readonly value: number;
  /** Samples in whose rows it is; null where rows are no samples. */
  readonly samples: readonly number[] | null;
}

/** Ops by the order in which tensors are made: those of a layer lie together. */
interface Owned {
  readonly from: number;
  readonly to: number;
  readonly layer: Layer;
}

/** See `model.traceNaN`. The model is afterwards as it was before. */
export async function traceNaN(
  model: Trainable,
  x: unknown,
  y: unknown,
  options?: TraceNaNOptions,
): Promise<BadResult | null> {
  const operation = 'traceNaN';
  const given = readOptions(operation, options, { batchSize: 32, epochs: 1, sampleWeight: null as unknown });
  const batchSize = wholeNumber(given.batchSize, operation, 'batchSize');
  const epochs = wholeNumber(given.epochs, operation, 'epochs');
  const samples = await takeSamples({ x, y, sampleWeight: given.sampleWeight }, { operation, model });
  const single = new BatchSteps(model);
  let original: Snapshot | null = null;
  try {
    await model.prepareFor(samples, operation);
    const { optimizer } = model.compiled(operation);
    optimizer.build(model.trainableWeights);
    const places = layerPlaces(model);
    const variables = [
      ...model.weights,
      ...optimizer.variables,
      ...places.flatMap(({ layer }) => layer.states),
    ];
    original = await Snapshot.of(variables);
    let before = original;
    const steps = Math.ceil(samples.count / batchSize);
    for (let step = 0; step < epochs * steps; step++) {
      const first = (step % steps) * batchSize;
      const end = Math.min(first + batchSize, samples.count);
      const rows = iota(end - first).add(first);
      const { inputs, targets, weights } = mapColumns(samples, (one) => settled(gather(one, rows)));
      const batch: Batch = {
        inputs: await Promise.all(inputs),
        targets: await Promise.all(targets),
        weights: await Promise.all(weights),
      };
      const at = { step, first, end };
      const { sums } = await single.sums('trainOnBatch', ...asGiven(batch));
      const after = await Snapshot.of(variables);
      if (Number.isFinite(sums[0]) && after.isFinite(model.weights)) {
        before = after;
        continue;
      }
      await before.restore();
      return await new Look(model, places, batch, at).result(before);
    }
    return null;
  } finally {
    await original?.restore();
    single.dispose();
    samples.dispose();
  }
}

/** A batch as trainOnBatch takes it. */
const asGiven = ({ inputs, targets, weights }: Batch): [unknown, unknown, BatchOptions] => {
  const one = <T>(list: readonly T[]): unknown => (list.length > 1 ? [...list] : list[0]);
  return [
    one(inputs),
    one(targets),
    { sampleWeight: weights.some((weight) => weight) ? one(weights) : null },
  ];
};

/** Computed now, as a leaf of what follows. */
async function settled(x: Tensor): Promise<Tensor> {
  return tensor((await x.data()).slice(), { shape: x.shape, dtype: x.dtype });
}

/** Variables at one moment. */
class Snapshot {
  private readonly values: ReadonlyMap<Variable, ArrayLike<number>>;

  private constructor(values: ReadonlyMap<Variable, ArrayLike<number>>) {
    this.values = values;
  }

  static async of(variables: readonly Variable[]): Promise<Snapshot> {
    const data = await Promise.all(variables.map(async (one) => (await one.data()).slice()));
    return new Snapshot(new Map(variables.map((one, i) => [one, data[i]])));
  }

  firstBad(variables: readonly Variable[]): Variable | undefined {
    return variables.find((one) => one.dtype === 'f32' && badIn(this.values.get(one)!) !== null);
  }

  isFinite(variables: readonly Variable[]): boolean {
    return this.firstBad(variables) === undefined;
  }

  valueIn(variable: Variable): number {
    return badIn(this.values.get(variable)!)!.value;
  }

  restore(): Promise<void> {
    return assignAll(
      [...this.values].map(([one, data]): [Variable, Tensor] => [
        one,
        tensor(data as Float32Array, { shape: one.shape, dtype: one.dtype }),
      ]),
    );
  }
}

/** The first NaN among numbers, else the first infinity; null where all are finite. */
function badIn(data: ArrayLike<number>): { value: number; at: number } | null {
  let infinite: { value: number; at: number } | null = null;
  for (let at = 0; at < data.length; at++) {
    if (Number.isNaN(data[at])) return { value: data[at], at };
    if (infinite === null && !Number.isFinite(data[at])) infinite = { value: data[at], at };
  }
  return infinite;
}

/** A bad step, looked at. */
class Look {
  private readonly model: Trainable;
  private readonly places: readonly LayerPlace[];
  private readonly batch: Batch;
  private readonly at: Pick<BadResult, 'step' | 'first' | 'end'>;
  private readonly owned: Owned[] = [];
  /** What was made from what: a tensor that has numbers may forget it. */
  private readonly madeFrom = new Map<Tensor, readonly Tensor[]>();

  constructor(
    model: Trainable,
    places: readonly LayerPlace[],
    batch: Batch,
    at: Pick<BadResult, 'step' | 'first' | 'end'>,
  ) {
    this.model = model;
    this.places = places;
    this.batch = batch;
    this.at = at;
  }

  /** `before`: the variables at the beginning of the step. */
  async result(before: Snapshot): Promise<BadResult> {
    const { model, batch } = this;
    const columns = { x: batch.inputs, y: batch.targets, weight: batch.weights };
    const named = Object.entries(columns).flatMap(([name, list]) =>
      list.map((one, i) => [list.length > 1 ? `${name}[${i}]` : name, one] as const),
    );
    for (const [name, one] of named) {
      const data = one?.dtype === 'f32' ? await one.data() : [];
      const bad = badIn(data);
      if (bad) return this.told('data', null, null, bad.value, this.rowsOf(one!, data), `${name} has`);
    }
    const weight = before.firstBad(model.weights);
    if (weight)
      return this.told(
        'weights',
        null,
        this.layerOf(weight),
        before.valueIn(weight),
        null,
        `the weight ${weight.name} has, before the step,`,
      );
    return (await this.inGraph()) ?? (await this.inUpdate());
  }

  /** Forward and backward, op by op. */
  private async inGraph(): Promise<BadResult | null> {
    const { model, batch } = this;
    const { objective } = model.compiled('traceNaN');
    const release = this.watchLayers();
    let loss: Tensor | null;
    try {
      ({ loss } = objective.measure(model, batch, true));
    } finally {
      release();
    }
    if (loss === null)
      throw new StateError(`traceNaN: ${model.name} has a trainStep of its own; its loss is not known here.`);
    const forward = new Set(topological([loss], isEnd));
    const slopes = gradients(loss, model.trainableWeights);
    let infinite: BadResult | null = null;
    const order = topological([loss, ...slopes], isEnd)
      .filter((node) => !isEnd(node))
      .map((node) => ({ node, op: node.op!.name }));
    for (const { node } of order) this.madeFrom.set(node, node.inputs);
    for (const { node, op } of order) {
      if (node.dtype !== 'f32') continue;
      const data = await node.data();
      const bad = badIn(data);
      // An infinity may be meant (the logarithm of 0 beside a clip); a NaN is not.
      if (bad === null || (infinite && !Number.isNaN(bad.value))) continue;
      const layer = this.ownerOf(node);
      const own = this.layerAt(node) !== null;
      const where = !forward.has(node) ? 'gradient' : own ? 'forward' : 'loss';
      const behind = infinite
        ? ` Before it, ${infinite.op} in ${infinite.layer ?? 'the loss'} gave ${infinite.value}.`
        : '';
      const found = this.told(where, op, layer, bad.value, this.rowsOf(node, data), undefined, behind);
      if (Number.isNaN(bad.value)) return found;
      infinite = found;
    }
    return Number.isFinite(await loss.item()) ? null : infinite;
  }

  /** All gradients were finite: then it was the optimizer. */
  private async inUpdate(): Promise<BadResult> {
    const { model } = this;
    await new BatchSteps(model).sums('trainOnBatch', ...asGiven(this.batch));
    const after = await Snapshot.of(model.weights);
    const weight = after.firstBad(model.weights) ?? model.weights[0];
    return this.told(
      'update',
      null,
      this.layerOf(weight),
      after.isFinite(model.weights) ? Number.NaN : after.valueIn(weight),
      null,
      `${model.optimizer.className}'s update of ${weight.name} gives`,
    );
  }

  /** While a layer is called, what is made is its own. */
  private watchLayers(): () => void {
    const releases = this.places
      .filter(({ layer }) => layer.layers.length === 0)
      .map(({ layer }) => {
        const kept = Object.getOwnPropertyDescriptor(layer, 'call');
        const { call } = layer;
        const watched = (...args: Parameters<typeof call>): ReturnType<typeof call> => {
          const from = tensor(0).id;
          const y = call.apply(layer, args);
          this.owned.push({ from, to: tensor(0).id, layer });
          return y;
        };
        Object.defineProperty(layer, 'call', { value: watched, configurable: true, writable: true });
        return () => {
          if (kept) Object.defineProperty(layer, 'call', kept);
          else delete (layer as { call?: unknown }).call;
        };
      });
    return () => {
      for (const release of releases) release();
    };
  }

  /** The layer in which a tensor was made. */
  private layerAt({ id }: Tensor): Layer | null {
    return this.owned.find(({ from, to }) => from < id && id < to)?.layer ?? null;
  }

  /** The same, or the layer of the nearest of what it was made from: a gradient goes by its layer's values. */
  private ownerOf(node: Tensor): string | null {
    let level = [node];
    const seen = new Set<Tensor>();
    while (level.length > 0) {
      const found = level.map((one) => this.layerAt(one)).find((layer) => layer !== null);
      if (found) return found.name;
      const next = level.flatMap((one) => this.madeFrom.get(one) ?? []).filter((one) => !seen.has(one));
      for (const one of next) seen.add(one);
      level = next;
    }
    return null;
  }

  private layerOf(weight: Variable): string | null {
    return this.places.find(({ weights }) => weights.includes(weight))?.layer.name ?? null;
  }

  private rowsOf({ shape }: Tensor, data: ArrayLike<number>): number[] | null {
    const { first, end } = this.at;
    if (shape[0] !== end - first) return null;
    const width = data.length / shape[0];
    return Array.from({ length: shape[0] }, (_, row) => row)
      .filter((row) => badIn(Array.from(data).slice(row * width, (row + 1) * width)) !== null)
      .map((row) => row + first);
  }

  private told(
    where: BadResult['where'],
    op: string | null,
    layer: string | null,
    value: number,
    samples: readonly number[] | null,
    what = `${op} ${where === 'forward' ? 'in' : where === 'loss' ? 'of the loss, after' : 'in the gradient, beside'} ${layer ?? 'the loss'} gives`,
    behind = '',
  ): BadResult {
    const { step, first, end } = this.at;
    const few = samples?.slice(0, 5).join(', ');
    const rows = samples
      ? ` for ${samples.length === 1 ? 'sample' : 'samples'} ${few}${samples.length > 5 ? `, … (${samples.length} of ${end - first})` : ''}`
      : '';
    const beside = layer !== null && op === null ? ` (layer ${layer})` : '';
    const message = `step ${step} (samples ${first} to ${end - 1}): ${what} ${value}${rows}${beside}.${behind}`;
    return { message, ...this.at, where, op, layer, value, samples };
  }
}

/** No gradient goes on behind a variable's value. */
const isEnd = (x: Tensor): boolean => x.op === null || x.readers !== null;
