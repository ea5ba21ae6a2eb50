/** Ten probabilities as bars. */
import { byId, make, say } from './dom.ts';
import { percent } from './format.ts';
import { paint } from './frames.ts';

interface Bar {
  readonly item: HTMLElement;
  readonly meter: HTMLElement;
  readonly fill: HTMLElement;
  readonly value: HTMLElement;
}

export class ProbabilityBars {
  private readonly list = byId('bars');
  private readonly panel: { invalidate(): void };
  private bars: Bar[] = [];
  private names: readonly string[] = [];
  private values: ArrayLike<number> | null = null;

  constructor() {
    this.panel = paint(this.list, () => this.draw());
  }

  reset(names: readonly string[]): void {
    if (names.join() !== this.names.join()) {
      this.names = names;
      this.bars = names.map(bar);
      this.list.replaceChildren(...this.bars.map(({ item }) => item));
    }
    this.show(null);
  }

  /** Null: there is no picture. */
  show(values: ArrayLike<number> | null): void {
    this.values = values;
    this.panel.invalidate();
  }

  /** 'Sneaker', or nothing. */
  best(): string {
    return this.names[this.bestAt()] ?? '';
  }

  private bestAt(): number {
    const { values } = this;
    if (!values) return -1;
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
    return best;
  }

  private draw(): void {
    const best = this.bestAt();
    for (const [i, { item, meter, fill, value }] of this.bars.entries()) {
      const share = this.values?.[i] ?? 0;
      const words = this.values ? percent(share) : '–';
      meter.setAttribute('aria-valuenow', String(Number(share.toFixed(4))));
      meter.setAttribute('aria-valuetext', this.values ? words : 'no picture');
      fill.style.setProperty('--share', String(share));
      say(value, words);
      item.classList.toggle('best', i === best);
    }
  }
}

function bar(name: string): Bar {
  const fill = make('span', { class: 'fill' });
  const attributes = {
    role: 'meter',
    'aria-label': name,
    'aria-valuemin': 0,
    'aria-valuemax': 1,
    'aria-valuenow': 0,
  };
  const meter = make('span', { class: 'track', ...attributes }, fill);
  const value = make('span', { class: 'number value', 'aria-hidden': 'true' }, '–');
  const label = make('span', { class: 'name', 'aria-hidden': 'true' }, name);
  return { item: make('li', {}, label, meter, value), meter, fill, value };
}
