/** Optimizer, learning rate, batch size, seed, validation share. */
import { LIMITS, OPTIMIZERS, type OptimizerName, type Settings, USUAL_RATE } from '../protocol.ts';
import { byId, make } from './dom.ts';
import { rate } from './format.ts';

export interface SettingsHandlers {
  /** What needs a new network. */
  changed(settings: Partial<Settings>): void;
  /** While training goes on. */
  learningRate(value: number): void;
}

const OPTIMIZER_NAMES: Readonly<Record<OptimizerName, string>> = {
  sgd: 'SGD',
  momentum: 'SGD, momentum 0.9',
  rmsprop: 'RMSprop',
  adam: 'Adam',
  adamw: 'AdamW',
  adagrad: 'Adagrad',
};

/** The slider runs over powers of ten: its steps are a twentieth of one. */
const SLIDER = { least: -5, most: 0 };

export class SettingsForm {
  private readonly optimizer = byId<HTMLSelectElement>('optimizer');
  private readonly rate = byId<HTMLInputElement>('learning-rate');
  private readonly slider = byId<HTMLInputElement>('rate-slider');
  private readonly batch = byId<HTMLInputElement>('batch-size');
  private readonly seed = byId<HTMLInputElement>('seed');
  private readonly share = byId<HTMLInputElement>('validation-share');

  constructor(handlers: SettingsHandlers) {
    this.optimizer.append(...OPTIMIZERS.map((value) => make('option', { value }, OPTIMIZER_NAMES[value])));
    this.slider.min = String(SLIDER.least);
    this.slider.max = String(SLIDER.most);
    this.slider.step = '0.05';

    this.optimizer.addEventListener('change', () => {
      const optimizer = this.optimizer.value as OptimizerName;
      this.showRate(USUAL_RATE[optimizer]);
      handlers.changed({ optimizer, learningRate: USUAL_RATE[optimizer] });
    });
    this.slider.addEventListener('input', () => {
      const value = Number((10 ** Number(this.slider.value)).toPrecision(2));
      this.rate.value = rate(value);
      this.sayRate(value);
      handlers.learningRate(value);
    });
    whenNumber(this.rate, LIMITS.learningRate, (value) => {
      this.showRate(value);
      handlers.learningRate(value);
    });
    whenNumber(this.batch, LIMITS.batchSize, (value) => handlers.changed({ batchSize: Math.round(value) }));
    whenNumber(this.seed, LIMITS.seed, (value) => handlers.changed({ seed: Math.round(value) }));
    const percents = { least: 100 * LIMITS.validationShare.least, most: 100 * LIMITS.validationShare.most };
    whenNumber(this.share, percents, (value) =>
      handlers.changed({ validationShare: Math.round(value) / 100 }),
    );
    byId('new-seed').addEventListener('click', () => {
      const seed = Math.floor(Math.random() * 10_000);
      this.seed.value = String(seed);
      handlers.changed({ seed });
    });
  }

  show(settings: Settings): void {
    this.optimizer.value = settings.optimizer;
    this.showRate(settings.learningRate);
    put(this.batch, String(settings.batchSize));
    put(this.seed, String(settings.seed));
    put(this.share, String(Math.round(settings.validationShare * 100)));
  }

  private showRate(value: number): void {
    put(this.rate, rate(value));
    if (document.activeElement !== this.slider) this.slider.value = String(Math.log10(value));
    this.sayRate(value);
  }

  private sayRate(value: number): void {
    this.slider.setAttribute('aria-valuetext', rate(value));
  }
}

/** Leaves alone what somebody is typing. */
function put(input: HTMLInputElement, value: string): void {
  if (document.activeElement !== input || input.value === '') input.value = value;
}

/** After a change, with the number brought inside its limits; nonsense puts the last number back. */
function whenNumber(
  input: HTMLInputElement,
  { least, most }: { least: number; most: number },
  changed: (value: number) => void,
): void {
  let last = '';
  input.addEventListener('focus', () => {
    last = input.value;
  });
  input.addEventListener('change', () => {
    const value = input.valueAsNumber;
    if (!Number.isFinite(value)) {
      input.value = last;
      return;
    }
    const inside = Math.min(most, Math.max(least, value));
    if (inside !== value) input.value = String(inside);
    last = input.value;
    changed(inside);
  });
}
