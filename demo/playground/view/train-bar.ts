/** Train, step, reset, and the numbers of the moment. */
import type { Event, ReadyEvent } from '../protocol.ts';
import { byId, find, say } from './dom.ts';
import { compact, count, decimal, percent } from './format.ts';

type Of<Type extends Event['type']> = Extract<Event, { type: Type }>;

export interface TrainHandlers {
  train(): void;
  pause(): void;
  step(): void;
  reset(): void;
}

/** Screen readers hear how it goes no more often than this. */
const SUMMARY_MS = 10_000;

export class TrainBar {
  private readonly handlers: TrainHandlers;
  private readonly train = byId<HTMLButtonElement>('train');
  private readonly step = byId<HTMLButtonElement>('step');
  private readonly reset = byId<HTMLButtonElement>('reset');
  private readonly busy = byId('busy');
  private readonly summary = byId('summary');
  private isTraining = false;
  private isReady = false;
  private summedUp = 0;
  private latest = { step: 0, loss: Number.NaN, accuracy: Number.NaN };

  constructor(handlers: TrainHandlers) {
    this.handlers = handlers;
    this.train.addEventListener('click', () => this.toggle());
    this.step.addEventListener('click', () => handlers.step());
    this.reset.addEventListener('click', () => handlers.reset());
    this.enable();
  }

  /** As if the button was pressed. */
  toggle(): void {
    if (!this.isReady) return;
    if (this.isTraining) this.handlers.pause();
    else this.handlers.train();
  }

  ready({ dispatchesPerStep }: ReadyEvent): void {
    this.isReady = true;
    this.latest = { step: 0, loss: Number.NaN, accuracy: Number.NaN };
    put('Steps', 0, '0');
    put('Epoch', 0, '0.0');
    for (const name of ['Loss', 'Accuracy', 'Validation loss', 'Validation accuracy']) put(name, null, '–');
    putSpeed(0, 0);
    put('Dispatches per step', dispatchesPerStep, String(dispatchesPerStep));
    this.enable();
  }

  /** Nothing can be trained until the next `ready`. */
  halt(): void {
    this.isReady = false;
    this.state(false);
  }

  state(training: boolean): void {
    const ended = this.isTraining && !training;
    this.isTraining = training;
    this.train.classList.toggle('training', training);
    say(find(this.train, '.word'), training ? 'Pause' : 'Train');
    document.body.classList.toggle('is-training', training);
    if (!training) putSpeed(0, 0);
    if (ended) this.sumUp('Paused');
    this.enable();
  }

  progress(event: Of<'progress'>): void {
    const { step, epoch, loss, accuracy, stepsPerSecond, imagesPerSecond } = event;
    put('Steps', step, count(step));
    put('Epoch', epoch, epoch.toFixed(epoch < 100 ? 1 : 0));
    if (Number.isFinite(loss)) {
      put('Loss', loss, decimal(loss));
      put('Accuracy', accuracy, percent(accuracy));
    }
    putSpeed(stepsPerSecond, imagesPerSecond);
    this.latest = { ...this.latest, step };
    if (this.isTraining && performance.now() - this.summedUp > SUMMARY_MS) this.sumUp('Training');
  }

  validation({ loss, accuracy }: Of<'validation'>): void {
    put('Validation loss', loss, decimal(loss));
    put('Validation accuracy', accuracy, percent(accuracy));
    this.latest = { ...this.latest, loss, accuracy };
  }

  /** What takes its time, or null. */
  working({ what, done, total }: Of<'busy'>): void {
    const share = done !== undefined && total ? ` ${percent(done / total, 0)}` : '';
    say(this.busy, what ? `${what}${share} …` : '');
    document.body.classList.toggle('is-busy', what !== null);
  }

  private enable(): void {
    this.train.disabled = !this.isReady;
    this.step.disabled = !this.isReady || this.isTraining;
    this.reset.disabled = !this.isReady;
  }

  private sumUp(beginning: string): void {
    this.summedUp = performance.now();
    const { step, loss, accuracy } = this.latest;
    const rest = Number.isFinite(loss)
      ? `: validation loss ${decimal(loss)}, accuracy ${percent(accuracy)}`
      : '';
    say(this.summary, `${beginning}, step ${count(step)}${rest}.`);
  }
}

/** Standing still, a speed is 0 and not shown. */
function putSpeed(steps: number, images: number): void {
  put('Steps per second', steps, compact(steps || null));
  put('Images per second', images, compact(images || null));
}

const outputs = new Map<string, HTMLElement>();

/** Writes a number where the page has the output of that name. */
export function put(name: string, value: number | null, words: string): void {
  let output = outputs.get(name);
  if (!output) {
    output = find(document, `output[aria-label="${name}"]`);
    outputs.set(name, output);
  }
  say(output, words);
  if (value === null) delete output.dataset.value;
  else output.dataset.value = String(value);
}
