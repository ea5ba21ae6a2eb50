/** What all models can do: be compiled, trained, evaluated, asked; show and exchange their weights. */
import { ConfigError, StateError } from '../../base/errors.ts';
import { loaded } from '../../base/loaded.ts';
import type { Dataset } from '../../data/pipeline/dataset.ts';
import { sketch } from '../../graph/capture.ts';
import { defaultEngine } from '../../graph/engines.ts';
import { type TensorLike, zeros } from '../../ops/constant.ts';
import type { Tensor, Variable } from '../../ops/tensor.ts';
import type { Logs } from '../callbacks/callback.ts';
import type { History } from '../callbacks/history.ts';
import { oneOf } from '../check.ts';
import { addedSoFar, adding } from '../layers/added.ts';
import { type BatchShape, Layer, type LayerOptions, masking } from '../layers/layer.ts';
import type { Metric } from '../metrics/metric.ts';
import { readOptions } from '../names.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { type OptimizerLike, resolveOptimizer } from '../optimizers/resolve.ts';
import type { Explanation } from '../report/explanation.ts';
import { type SummaryOptions, summaryLines } from '../report/summary.ts';
import { keras2SummaryLines } from '../report/summary-keras2.ts';
import { standardTerminal } from '../report/terminal.ts';
import { type Formats, files } from '../saving/door.ts';
import type { FileSource, FileTarget } from '../saving/files.ts';
import type { FileFormat, SaveOptions } from '../saving/save.ts';
import { nextModelSeed } from '../seeds.ts';
import type { EvaluateOptions } from '../training/evaluate.ts';
import type { Ports, Samples } from '../training/feed/samples.ts';
import type { FitOptions } from '../training/fit.ts';
import type { ExplainOptions } from '../training/further/explain.ts';
import type { BadResult, TraceNaNOptions } from '../training/further/trace-nan.ts';
import type { BatchOptions, BatchSteps } from '../training/further/train-on-batch.ts';
import {
  type AddedNames,
  CompiledObjective,
  chooseForOutput,
  type Objective,
  type ObjectiveChoice,
} from '../training/objective.ts';
import type { Origin } from '../training/origin.ts';
import type { PredictOptions } from '../training/predict.ts';
import { type Engine, LoopStates, type PredictStep, predictStep } from '../training/steps.ts';
import type { CompileOptions, FitForm, Trainable } from '../training/trainable.ts';

/** Where a summary goes: to a function, nowhere (false), or where everything goes (null). */
type Printer = ((text: string) => void) | false | null;

/** What training needs to know, and what it makes on the way. */
interface Compiled {
  /** As compile was called. */
  readonly options: CompileOptions;
  readonly optimizer: Optimizer;
  readonly choice: ObjectiveChoice;
  /** Known once y has been seen. */
  objective: Objective | null;
}

/**
 * The base of models. A model of one's own extends it with `call` and, for its layers, `layers`; most are
 * made by `sequential`.
 */
export abstract class Model extends Layer implements Trainable {
  /** The record of the latest fit. */
  history: History | null = null;
  /** What the latest fit trained on, for `explain`. */
  latestFit: FitForm | null = null;
  /** Passes over training data so far. Shuffles go on from here; saved models bring theirs. */
  passes = 0;
  /** Set by a callback: training stops after this epoch, or after this batch where batches are told. */
  stopTraining = false;
  private settings: Compiled | null = null;
  /** For training and for evaluating; the former's live next to the weights. */
  readonly loops = { train: new LoopStates(), evaluate: new LoopStates() } as const;
  /** The steps of trainOnBatch and testOnBatch, made by the first. */
  batchSteps: BatchSteps | null = null;
  private predicting: { engine: Engine; step: PredictStep; origin: Origin } | null = null;
  /** What changes the model at the moment: 'fit', 'trainOnBatch'. */
  private changing: string | null = null;
  /** How many calls read it: evaluate and predict. */
  private readers = 0;
  private callbackDepth = 0;

  constructor(options?: LayerOptions, className?: string) {
    super(options, className);
    this.place = 0;
  }

  /** Of all its random numbers. Taken at the first need, by the how-manieth model it is. */
  get seed(): number {
    this.randomSeed ??= nextModelSeed();
    return this.randomSeed;
  }

  /** As what files describe it: layers in a row, or a network. Null: they can hold its weights alone. */
  get fileForm(): 'row' | 'network' | null {
    return null;
  }

  /** Input as it is known: [null, 784], or null before. */
  get inputShape(): BatchShape | null {
    return (this.builtFor as BatchShape | null) ?? this.batchInputShape;
  }

  /** What comes out: [null, 10]. StateError before the model is built. */
  get outputShape(): BatchShape {
    if (this.builtFor) return this.computeOutputShape(this.builtFor);
    throw new StateError(`outputShape: ${this.name} is not built. Give it an input shape, or data.`);
  }

  /** Null where there is one input and one output. */
  readonly ports: Ports | null = null;

  /** What comes out, one shape for each output. */
  get outputShapes(): readonly BatchShape[] {
    return [this.outputShape];
  }

  /** Names of the outputs, for logs. */
  get outputNames(): readonly string[] {
    return [this.name];
  }

  get finalActivations(): readonly (string | null)[] {
    return [this.finalActivation];
  }

  /** Of each input that takes ids, how many there are; null for others. */
  get vocabularies(): readonly (number | null)[] {
    return [this.layers[0]?.idCount ?? null];
  }

  outputsFor(
    inputs: readonly Tensor[],
    training: boolean,
    logits: readonly boolean[] = [],
  ): readonly Tensor[] {
    return [this.run(inputs[0], { training, logits: logits[0] })];
  }

  given(outputs: readonly Tensor[]): Tensor {
    return outputs[0];
  }

  buildForData([x]: readonly Tensor[]): void {
    this.buildFor([null, ...x.shape.slice(1)]);
  }

  /** What comes out of one of its layers, or null where that is not known. */
  outputShapeOf(_layer: Layer): BatchShape | null {
    return null;
  }

  // ---- compiling

  /**
   * Says how to train: optimizer, loss and metrics. Unknown names throw ConfigError at once. A model of several outputs
   * takes a loss, metrics and `lossWeights` for each, as a list or a record by name.
   *
   * Compiling again starts with a new optimizer state and keeps the weights.
   */
  compile(options: CompileOptions): void {
    this.refuseWhileRunning('compile');
    const given = readOptions('compile', options, {
      optimizer: 'rmsprop' as OptimizerLike,
      loss: null as unknown,
      metrics: null as unknown,
      weightedMetrics: null as unknown,
      lossWeights: null as unknown,
    });
    const optimizer = resolveOptimizer(given.optimizer, 'compile');
    const choice = this.choose(given);
    optimizer.model = this;
    this.batchSteps?.dispose();
    this.batchSteps = null;
    this.predicting?.step.dispose();
    this.predicting = null;
    this.loops.train.drop();
    this.loops.evaluate.drop();
    this.settings = {
      options: given as CompileOptions,
      optimizer,
      choice,
      objective: null,
    };
  }

  /** What compile was told, with every name looked up. */
  protected choose(given: {
    readonly loss: unknown;
    readonly metrics: unknown;
    readonly weightedMetrics: unknown;
    readonly lossWeights: unknown;
  }): ObjectiveChoice {
    if (given.loss === null)
      throw new ConfigError("compile: loss is missing. Name one: { loss: 'meanSquaredError' }.");
    if (given.lossWeights !== null)
      throw new ConfigError(
        'compile: lossWeights is for models of several outputs. Scale the loss in a function of your own.',
      );
    const choice = chooseForOutput(given, 'compile');
    return () => [choice];
  }

  private compiledFor(operation: string): Compiled {
    if (this.settings) return this.settings;
    throw new StateError(`${operation}: the model is not compiled. Call compile({ optimizer, loss }) first.`);
  }

  /** Optimizer and objective. StateError before compile or before y was seen. */
  compiled(operation: string): { optimizer: Optimizer; objective: Objective } {
    const { optimizer, objective } = this.compiledFor(operation);
    if (objective) return { optimizer, objective };
    throw new StateError(`${operation}: the loss is not known before the first fit or evaluate.`);
  }

  /** What compile was told, or null before. */
  get compileOptions(): CompileOptions | null {
    return this.settings?.options ?? null;
  }

  /** The optimizer that compile made. */
  get optimizer(): Optimizer {
    return this.compiledFor('optimizer').optimizer;
  }

  /** What the optimizer keeps, once it has anything. */
  get optimizerVariables(): readonly Variable[] | null {
    const { optimizer } = this.settings ?? {};
    return optimizer?.built ? optimizer.variables : null;
  }

  /** The metrics, once y has been seen. */
  get metrics(): readonly Metric[] {
    return this.settings?.objective?.metrics ?? [];
  }

  /** Builds the model for samples, settles loss and metrics for their y, and checks y. */
  async prepareFor(samples: Samples, operation: string): Promise<void> {
    const settings = this.compiledFor(operation);
    if (settings.optimizer.averages) (await further()).averaging(settings.optimizer);
    const { inputs, targets } = samples;
    this.buildForData(inputs);
    const key = JSON.stringify([inputs.map(anyNumber), targets.map(anyNumber), this.outputShapes]);
    if (settings.objective?.key !== key)
      settings.objective = await this.settle(settings.choice, samples, key, operation);
    const { objective } = settings;
    const [count] = inputs[0].shape;
    const predictions = this.outputShapes.map(([, ...sizes]) => [count, ...(sizes as number[])]);
    objective.checkShapes(
      targets.map((target) => target?.shape ?? null),
      predictions,
    );
    const { checkLabels } = await running();
    await checkLabels(samples, this, objective.sparse, operation);
  }

  /** What is measured for samples of this form, which has this key. */
  protected settle(...form: [ObjectiveChoice, Samples, key: string, operation: string]): Promise<Objective> {
    return this.settleCompiled(...form);
  }

  /** Loss and metrics of compile. */
  protected async settleCompiled(
    choice: ObjectiveChoice,
    samples: Samples,
    key: string,
    operation: string,
  ): Promise<CompiledObjective> {
    const names = this.outputNames;
    const objective = await CompiledObjective.settle(
      key,
      choice(names),
      names,
      this.outputShapes.map((_, i) => anyNumber(samples.targets[i] ?? null)),
      this.outputShapes,
      this.addedNames(samples),
      operation,
    );
    for (const [i, loss] of objective.losses.entries()) {
      const last = this.finalActivations[i];
      if (loss?.fromLogits && ['softmax', 'sigmoid'].includes(last ?? ''))
        console.warn(
          `compile: ${loss.name} takes predictions for logits (fromLogits: true), but they end in ${last}. Drop one of the two.`,
        );
    }
    return objective;
  }

  /** The numbers that layers add to the logs: found once for each kind of data, by asking for shapes alone. */
  private addedNames({ inputs }: Samples): AddedNames {
    const blank = inputs.map(({ shape }) => zeros([1, ...shape.slice(1)]));
    let masked: boolean[] = [];
    const names = (training: boolean): string[] =>
      sketch(() =>
        adding(() => {
          masked = this.outputsFor(blank, training).map((z) => masking.of(z) !== null);
          return [...addedSoFar().metrics.keys()];
        }),
      );
    return { training: names(true), testing: names(false), masked };
  }

  predictStep(engine: Engine): PredictStep {
    if (this.predicting?.engine !== engine || !this.predicting.origin.holds) {
      this.predicting?.step.dispose();
      this.predicting = { engine, ...predictStep(this, engine) };
    }
    return this.predicting.step;
  }

  /** The engine to work on: that of the data, of the weights, or the default one. */
  async engineFor(x: Tensor): Promise<Engine> {
    return x.engine ?? this.weights.find(({ value }) => value.engine)?.value.engine ?? defaultEngine();
  }

  // ---- running

  /** Runs what changes the model, one at a time. */
  private async alone<T>(operation: string, task: () => Promise<T>): Promise<T> {
    this.refuseWhileChanging(operation);
    const outer = this.changing;
    this.changing = operation;
    try {
      return await task();
    } finally {
      this.changing = outer;
    }
  }

  /** Runs what only reads the model; several may, also while it is trained: they see whole steps. */
  private async besides<T>(task: () => Promise<T>): Promise<T> {
    this.readers++;
    try {
      return await task();
    } finally {
      this.readers--;
    }
  }

  /** StateError while something changes the model, except for callbacks, which are part of it. */
  protected refuseWhileChanging(operation: string): void {
    if (this.changing === null || this.callbackDepth > 0) return;
    throw new StateError(`${operation}: ${this.changing} is still running on ${this.name}. Await it first.`);
  }

  /** StateError while anything runs that goes by the model's layers and settings. */
  protected refuseWhileRunning(operation: string): void {
    this.refuseWhileChanging(operation);
    if (this.readers > 0 && this.callbackDepth === 0)
      throw new StateError(
        `${operation}: evaluate or predict is still running on ${this.name}. Await it first.`,
      );
  }

  /** What a callback does to the model is part of the run that calls it. */
  readonly inCallback = async <T>(task: () => Promise<T>): Promise<T> => {
    this.callbackDepth++;
    try {
      return await task();
    } finally {
      this.callbackDepth--;
    }
  };

  /**
   * Trains on x and y, and resolves to a History whose `history` has a list of values for each key.
   *
   * x: [n, …], y: [n] class numbers or [n, …]: tensors, typed arrays or nested arrays. Data stay on the GPU as
   * they are (bytes stay bytes) and each step gathers its batch there; what would not fit is streamed, to the same
   * bits. Or a dataset of [x, y] in batches, which has its own batch size and order; one that only shuffles, takes,
   * skips and batches rows is as fast as arrays, one that makes its batches works ahead of the GPU. The reported loss
   * is the mean over samples, taken while the weights change.
   *
   * Throws, before any GPU work: StateError before compile or while another run is under way, ValueError,
   * ConfigError or ShapeError for arguments that do not fit, ValueError for class numbers outside the outputs.
   * After an abort or an error the weights are those of the last whole step.
   *
   * ```ts
   * const { history } = await model.fit(images, labels, { epochs: 5, validationSplit: 0.2 });
   * history.val_accuracy.at(-1);
   * ```
   */
  async fit(dataset: Dataset, options?: FitOptions): Promise<History>;
  async fit(x: unknown, y: unknown, options?: FitOptions): Promise<History>;
  async fit(x: unknown, y?: unknown, options?: FitOptions): Promise<History> {
    this.compiledFor('fit');
    return this.alone('fit', async () => {
      const { fitModel, optionsAfter } = await running();
      return fitModel(this, x, ...optionsAfter(x, y, options));
    });
  }

  /** Loss and metrics on x and y, or on a dataset of both, without training: `{ loss, accuracy, … }`. */
  async evaluate(dataset: Dataset, options?: EvaluateOptions): Promise<Logs>;
  async evaluate(x: unknown, y: unknown, options?: EvaluateOptions): Promise<Logs>;
  async evaluate(x: unknown, y?: unknown, options?: EvaluateOptions): Promise<Logs> {
    this.compiledFor('evaluate');
    return this.besides(async () => {
      const { evaluateModel, optionsAfter } = await running();
      return evaluateModel(this, x, ...optionsAfter(x, y, options));
    });
  }

  /** The outputs for x: [n, …] → [n, …]. Of a dataset, only the x of its elements. */
  async predict(x: unknown, options?: PredictOptions): Promise<Tensor> {
    return this.besides(async () => {
      const { predictModel } = await running();
      return predictModel(this, x, options);
    });
  }

  /** One step on this batch. Resolves to its loss and metrics, measured before the step. */
  async trainOnBatch(x: unknown, y: unknown, options?: BatchOptions): Promise<Logs> {
    this.compiledFor('trainOnBatch');
    return this.alone('trainOnBatch', async () =>
      (await further()).runBatch(this, 'trainOnBatch', x, y, options),
    );
  }

  /** Loss and metrics of this batch, without training. */
  async testOnBatch(x: unknown, y: unknown, options?: BatchOptions): Promise<Logs> {
    this.compiledFor('testOnBatch');
    return this.besides(async () => (await further()).runBatch(this, 'testOnBatch', x, y, options));
  }

  /**
   * Where numbers go wrong: trains on batches of x and y until the loss or a weight is NaN or infinite, and says
   * which op of which layer gave the first NaN, in which step and for which samples; null where none came.
   *
   * Every step is read back, and the bad one is done again op by op: slow, and meant for a run that has failed. The
   * model is afterwards as it was before. Begin where all was well: with new weights, or from a checkpoint.
   *
   * ```ts
   * const bad = await model.traceNaN(x, y, { batchSize: 32 });
   * console.log(bad?.message);   // step 3 (samples 96 to 127): log in gain gives NaN for sample 101.
   * ```
   */
  async traceNaN(x: unknown, y: unknown, options?: TraceNaNOptions): Promise<BadResult | null> {
    this.compiledFor('traceNaN');
    return this.alone('traceNaN', async () => (await further()).traceNaN(this, x, y, options));
  }

  // ---- weights

  override setWeights(weights: readonly TensorLike[]): Promise<void> {
    this.refuseWhileChanging('setWeights');
    return super.setWeights(weights);
  }

  // ---- files

  /**
   * Writes the whole model: architecture, weights, how it was compiled, the optimizer's state and where the
   * random numbers stand. Real Keras opens the files; `loadModel` does too.
   *
   * The name says the format: `.keras` (Keras 3), `.h5`, or `.json` for TensorFlow.js, whose weights go into a
   * second file beside it. `target`: a path in Node, where the file appears whole or not at all; in a page a
   * name to download, or the handle of a file or folder, OPFS included.
   *
   * Throws SaveError, with path and reason, when it cannot be written: the old file is as it was.
   */
  async save(target: FileTarget, options?: SaveOptions): Promise<void> {
    return this.toFiles('save', ({ saveTo }) => saveTo(this, target, options, 'save'));
  }

  /** Writes the weights (and the optimizer's state): `.weights.h5` as Keras 3, or `.safetensors`. */
  async saveWeights(target: FileTarget, options?: SaveOptions): Promise<void> {
    return this.toFiles('saveWeights', ({ saveTo }) => saveTo(this, target, options, 'saveWeights'));
  }

  /** The bytes of such a file, to be sent or kept elsewhere. Default format 'keras'. */
  async toBytes(format?: FileFormat): Promise<Uint8Array> {
    return this.toFiles('toBytes', ({ toBytes }) => toBytes(this, format));
  }

  private async toFiles<T>(operation: string, write: (formats: Formats) => Promise<T>): Promise<T> {
    this.refuseWhileChanging(operation);
    return this.besides(async () => write(await files.formats()));
  }

  /**
   * Takes over the weights in a file of any of these formats, and the state of the same optimizer.
   *
   * All is checked before any weight changes: ShapeError with layer, expected and found sizes; FormatError
   * with file and place.
   */
  async loadWeights(source: FileSource): Promise<void> {
    return this.alone('loadWeights', async () => {
      const { loadWeightsFrom } = await files.formats();
      await loadWeightsFrom(this, source);
    });
  }

  // ---- showing

  /**
   * The table of layers as Keras 3 prints it, or tf.keras 2 with `form: 'keras2'`: to standard output (in a page the console), or to `print`
   * (Keras calls it `printFn`), or nowhere where that is false. Returned without colours.
   */
  summary(
    options?: SummaryOptions & { form?: 'keras3' | 'keras2'; print?: Printer; printFn?: Printer },
  ): string {
    const { form, print, printFn, ...rest } = readOptions('summary', options, {
      lineLength: null as number | null,
      positions: null as readonly number[] | null,
      showTrainable: false,
      expandNested: false,
      form: 'keras3' as 'keras3' | 'keras2',
      print: null as Printer,
      printFn: null as Printer,
    });
    const printer = printFn ?? print;
    const terminal = standardTerminal();
    const isOld = oneOf(form, 'summary', 'form', ['keras3', 'keras2']) === 'keras2';
    const lines = (color: boolean): string[] =>
      isOld ? keras2SummaryLines(this, rest) : summaryLines(this, rest, terminal.columns, color);
    const text = (color: boolean): string => `${lines(color).join('\n')}\n`;
    const plain = text(false);
    if (typeof printer === 'function') printer(plain);
    else if (printer !== false) terminal.write(text(terminal.color));
    return plain;
  }

  /**
   * The step that fit replays, or that of evaluate or predict: its kernels in order, the ops that each holds,
   * shapes, bytes, FLOPs, WGSL and time. Plain data; `print()` and `toString()` make a table of it.
   *
   * Needs no data: blank samples like those of the latest fit, or of the model's input shape, will do. Builds
   * what fit would build, the optimizer's state included; weights, counters and that state keep their values.
   *
   * Throws StateError before compile, except for predict, and while fit is running.
   *
   * ```ts
   * (await model.explain({ batchSize: 32 })).print();
   * ```
   */
  async explain(options?: ExplainOptions): Promise<Explanation> {
    if (options?.step !== 'predict') this.compiledFor('explain');
    return this.alone('explain', async () => {
      const { settings } = this;
      const objective = settings?.objective ?? null;
      try {
        const { explainModel } = await further();
        return await explainModel(this, settings?.choice ?? null, options);
      } finally {
        // Blank samples must not settle what the loss is.
        if (settings) settings.objective = objective;
      }
    });
  }

  /** Frees weights, optimizer state and captured steps. The model cannot be used afterwards. */
  dispose(): void {
    this.refuseWhileRunning('dispose');
    this.batchSteps?.dispose();
    this.predicting?.step.dispose();
    for (const one of [...this.weights, ...(this.optimizerVariables ?? [])]) one.dispose();
    this.loops.train.dispose();
    this.loops.evaluate.dispose();
    this.predicting = null;
  }
}

const anyNumber = (x: Tensor | null): BatchShape | null => x && [null, ...x.shape.slice(1)];

const running = () => loaded('weft: what trains', import('../training/index.ts'));
/** What comes after that, which it shares much with. */
const further = async () => (await running()).further();
