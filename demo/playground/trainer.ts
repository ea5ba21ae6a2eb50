/** Trains, and tells of it: the loop, its pace, who is told what and how often. Knows no messages but events. */
import type { Engine } from 'weft-gpu';
import type { Pictures } from './data.ts';
import { DataOnGpu, Experiment } from './experiment.ts';
import { describeNetwork, type Network, settingsOf } from './network.ts';
import { Pace } from './pace.ts';
import type { AdapterFacts, Event, Inspection, ReadyEvent, Settings } from './protocol.ts';
import { judge, worstMistakes } from './watch.ts';

/** Milliseconds between two progress events … */
const TELL_MS = 100;
/** … two sets of weights … */
const WEIGHTS_MS = 300;
/** … and two looks at the validation pictures, which also take no more than a fifth of the time. */
const WATCH_MS = 1000;
const WATCH_SHARE = 5;
/** Speeds are means over so long. */
const SPEED_MS = 1000;
/** Pictures of the data to show. */
const SAMPLES = 40;

export class Trainer {
  private readonly engine: Engine;
  private readonly post: (event: Event) => void;
  private readonly fail: (error: unknown) => void;
  private readonly isHurried: () => boolean;
  private readonly pace = new Pace();
  private data: DataOnGpu | null = null;
  private experiment: Experiment | null = null;
  private settings: Settings | null = null;

  /** Steps still wanted; infinitely many while training. */
  private wanted = 0;
  private loop: Promise<void> | null = null;
  /** What is being computed beside the loop, by name: one of each at a time. */
  private readonly asides = new Map<string, Promise<void>>();
  private readonly due = new Map<string, number>();
  /** The steps at which progress and validation were told last. */
  private toldStep = 0;
  private watchedStep = -1;
  /** A hurry has left something out. */
  private isBehind = false;
  private times: { at: number; step: number }[] = [];

  private inspection: Inspection = { weights: 0, confusion: false, mistakes: 0 };
  private picture: Float32Array | null = null;

  /**
   * `fail` hears of errors of the loop, which nobody awaits. While `isHurried`, the next command waits already, and
   * only numbers are told of this one; `catchUp` tells the rest after the last one.
   */
  constructor(
    engine: Engine,
    to: { post(event: Event): void; fail(error: unknown): void; isHurried(): boolean },
  ) {
    this.engine = engine;
    this.post = to.post;
    this.fail = to.fail;
    this.isHurried = to.isHurried;
  }

  get isTraining(): boolean {
    return this.wanted === Number.POSITIVE_INFINITY;
  }

  get pictures(): Pictures | null {
    return this.data?.pictures ?? null;
  }

  // ---- what is trained

  /**
   * Takes up a network and pictures, paused at step 0, once all of it is ready; the old ones go then. When
   * that fails the old ones stay, paused. `network` is used up.
   */
  async take(network: Network, pictures: Pictures, settings: Settings): Promise<void> {
    await this.pause();
    const data = this.data?.pictures === pictures ? this.data : new DataOnGpu(pictures);
    let next: Experiment | null = null;
    try {
      next = new Experiment(this.engine, data, network, settings);
      await next.prepare();
    } catch (error) {
      if (next) await next.dispose();
      else network.model.dispose();
      if (data !== this.data) data.dispose();
      throw error;
    }
    const old = { experiment: this.experiment, data: this.data };
    this.experiment = next;
    this.data = data;
    this.settings = settings;
    this.toldStep = 0;
    this.watchedStep = -1;
    await old.experiment?.dispose();
    if (old.data !== data) old.data?.dispose();
    this.tellReady();
    await this.tellAll();
  }

  private tellReady(): void {
    const { experiment, data, settings } = this;
    if (!experiment || !data || !settings) return;
    const { pictures } = data;
    const { model } = experiment.network;
    const event: ReadyEvent = {
      type: 'ready',
      ...settingsOf(model, settings),
      network: describeNetwork(model),
      adapter: adapterFacts(this.engine),
      data: {
        source: pictures.source,
        name: pictures.name,
        classNames: pictures.classNames,
        trainCount: experiment.trainCount,
        validationCount: experiment.validationCount,
        watchedCount: experiment.watched.labels.length,
        samples: pictures.images.slice(0, SAMPLES * (pictures.images.length / pictures.count)),
        sampleLabels: pictures.labels.slice(0, SAMPLES),
      },
      parameters: experiment.parameters,
      dispatchesPerStep: experiment.dispatchesPerStep,
      stepsPerEpoch: experiment.stepsPerEpoch,
    };
    this.post(event);
  }

  set learningRate(value: number) {
    const { experiment } = this;
    if (!experiment || !this.settings) return;
    experiment.network.model.optimizer.learningRate = value;
    this.settings = { ...this.settings, learningRate: value };
  }

  // ---- running

  train(): void {
    this.start(Number.POSITIVE_INFINITY);
  }

  /** So many steps from a pause, and what came of them. */
  async step(count: number): Promise<void> {
    await this.pause();
    this.start(count);
    await this.loop;
  }

  /** Resolves when nothing is under way any more. */
  async pause(): Promise<void> {
    this.wanted = 0;
    await this.loop;
  }

  /** Runs a task between two steps, with nothing else under way. */
  async quietly<T>(task: (experiment: Experiment) => Promise<T>): Promise<T> {
    const wasTraining = this.isTraining;
    await this.pause();
    await this.catchUp();
    try {
      if (!this.experiment) throw new Error('There is no network yet.');
      return await task(this.experiment);
    } finally {
      if (wasTraining) this.train();
    }
  }

  private start(steps: number): void {
    const { experiment } = this;
    if (!experiment || this.engine.lost) return;
    this.wanted = steps;
    if (this.isTraining) this.post({ type: 'state', training: true });
    this.loop ??= this.run(experiment)
      .catch((error) => {
        this.wanted = 0;
        this.fail(error);
      })
      .finally(() => {
        this.loop = null;
      });
  }

  /** No timers and no frames: a hidden tab trains on. */
  private async run(experiment: Experiment): Promise<void> {
    const { pace } = this;
    const wasTraining = this.isTraining;
    pace.restart();
    const now = performance.now();
    this.times = [{ at: now, step: experiment.steps }];
    if (this.watchedStep === experiment.steps) this.due.set('watch', now + WATCH_MS);
    while (this.wanted > 0) {
      const done = await experiment.run(Math.min(pace.next(), this.wanted));
      pace.done(done);
      this.wanted = Math.max(0, this.wanted - done);
      this.tellSome();
    }
    // What is told after a pause is of its step.
    await this.asides.get('progress');
    if (wasTraining) this.post({ type: 'state', training: false });
    await Promise.all(this.asides.values());
    await this.tellAll();
  }

  // ---- telling

  /** Starts what is due, beside the loop and without waiting. */
  private tellSome(): void {
    this.aside('progress', TELL_MS, () => this.tellProgress());
    if (this.picture) this.aside('picture', TELL_MS, () => this.tellPicture());
    if (this.inspection.weights > 0) this.aside('weights', WEIGHTS_MS, () => this.tellWeights());
    this.aside('watch', WATCH_MS, () => this.tellValidation());
  }

  private aside(name: string, everyMs: number, task: () => Promise<void>): void {
    const began = performance.now();
    if (this.asides.has(name) || began < (this.due.get(name) ?? 0)) return;
    this.due.set(name, began + everyMs);
    const running = task()
      .catch((error) => {
        this.wanted = 0;
        this.fail(error);
      })
      .finally(() => {
        this.asides.delete(name);
        const ended = performance.now();
        if (name === 'watch')
          this.due.set(name, Math.max(began + everyMs, ended + WATCH_SHARE * (ended - began)));
      });
    this.asides.set(name, running);
  }

  /** Everything that is looked at, as it is now. */
  private async tellAll(): Promise<void> {
    await this.tellProgress();
    this.isBehind = true;
    await this.tellPictures();
  }

  /** What takes longer than numbers: in a hurry it stays behind. */
  private async tellPictures(): Promise<void> {
    if (!this.isHurried()) await this.tellPicture();
    if (!this.isHurried()) await this.tellWeights();
    if (this.isHurried()) return;
    this.isBehind = false;
    if (this.watchedStep !== this.experiment?.steps) await this.tellValidation();
  }

  /** Tells of a pause what a hurry has left out. */
  async catchUp(): Promise<void> {
    if (this.isBehind && !this.loop) await this.tellPictures();
  }

  private async tellProgress(): Promise<void> {
    const { experiment } = this;
    if (!experiment) return;
    const step = experiment.steps;
    const samples = (step - this.toldStep) * experiment.batchSize;
    this.toldStep = step;
    const { loss, hits } = await experiment.takeSums();
    const stepsPerSecond = this.wanted > 0 ? this.speedAt(step) : 0;
    this.post({
      type: 'progress',
      step,
      epoch: step / experiment.stepsPerEpoch,
      loss: loss / samples,
      accuracy: hits / samples,
      stepsPerSecond,
      imagesPerSecond: stepsPerSecond * experiment.batchSize,
    });
    if (samples > 0 && !Number.isFinite(loss)) this.giveUp();
  }

  /** From here on every weight is NaN: nothing can be learned any more. */
  private giveUp(): void {
    this.wanted = 0;
    const text =
      'The network has diverged: its loss is no number any more. Take a smaller learning rate and reset.';
    this.post({ type: 'notice', text });
  }

  private speedAt(step: number): number {
    const now = performance.now();
    this.times.push({ at: now, step });
    while (this.times.length > 2 && now - this.times[1].at > SPEED_MS) this.times.shift();
    const [first] = this.times;
    return (1000 * (step - first.step)) / Math.max(1, now - first.at);
  }

  private async tellPicture(): Promise<void> {
    const { experiment, picture } = this;
    if (!experiment || !picture) return;
    const step = experiment.steps;
    this.post({ type: 'probabilities', step, values: await experiment.judge(picture) });
  }

  private async tellWeights(): Promise<void> {
    const { experiment, inspection } = this;
    if (!experiment || inspection.weights === 0) return;
    const step = experiment.steps;
    const pictures = await experiment.weights(inspection.weights);
    if (pictures) this.post({ type: 'weights', step, ...pictures });
  }

  private async tellValidation(): Promise<void> {
    const { experiment } = this;
    if (!experiment) return;
    const began = experiment.steps;
    this.watchedStep = began;
    const probabilities = await experiment.watch();
    // While training goes on, they are of all the moments in between.
    const step = Math.round((began + experiment.steps) / 2);
    const { watched } = experiment;
    const judgement = judge(probabilities, watched.labels);
    const { loss, accuracy, confusion, wrong } = judgement;
    const { inspection } = this;
    this.post({ type: 'validation', step, loss, accuracy });
    if (inspection.confusion) this.post({ type: 'confusion', step, counts: confusion });
    if (inspection.mistakes > 0) {
      const worst = worstMistakes(judgement, probabilities, watched, inspection.mistakes);
      this.post({ type: 'mistakes', step, worst, count: wrong.length });
    }
  }

  // ---- who looks

  /** What is new in it is told at once. */
  async look(inspection: Inspection): Promise<void> {
    const before = this.inspection;
    this.inspection = inspection;
    if (this.loop || !this.experiment) return;
    if (inspection.weights !== before.weights) await this.tellWeights();
    const more = (inspection.confusion && !before.confusion) || inspection.mistakes > before.mistakes;
    if (more) await this.tellValidation();
  }

  /** Judged at once, also while training: the answer waits for two short submits at most. */
  async show(picture: Float32Array | null): Promise<void> {
    this.picture = picture;
    const before = this.asides.get('picture');
    if (before) await before;
    // Another may have come meanwhile.
    if (picture && picture === this.picture) {
      this.due.delete('picture');
      this.aside('picture', TELL_MS, () => this.tellPicture());
      await this.asides.get('picture');
    }
  }
}

export function adapterFacts({ profile }: Engine): AdapterFacts {
  const { vendor, architecture, description, isSoftware, features } = profile;
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'unknown';
  return { name, isSoftware, features: [...features] };
}
